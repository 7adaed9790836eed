"""`ensemble`: several recognizers, classical or deep, heard together, each with a weight that validation chose."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferbench import registry
from ferbench.errors import ConfigError, DataError
from ferbench.recognizers.base import Recognizer
from ferbench.types import EpochHook, Images, Labels, Probabilities, ProgressHook

_FILE = "weights.json"
_ROUNDS = 500


class Ensemble(Recognizer):
    """The weighted mean of its members' probabilities.

    The weights are the mixture that makes the labels of validation most probable (expectation maximization, Dempster,
    Laird and Rubin 1977): there is one such maximum, and a member that adds nothing gets next to no weight. Without
    validation all weigh the same. A saved ensemble holds its members' files and needs nothing else.

    Args:
        members: For each its trained self, by shipped name or folder, or `{name: ..., params: {...}}` for one that is
            fitted together with the ensemble.
        flip: Hear each member on the face and on its mirror image (test-time augmentation): twice the work.
        seed: Of the members that are fitted here.

    Attributes:
        members_: The members, fitted.
        weights_: What each counts, (n_members,), summing to 1.
    """

    name = "ensemble"
    family = "deep"
    members_: list[Recognizer]
    weights_: NDArray[np.float64]

    def __init__(self, *, members: tuple[str | dict[str, Any], ...], flip: bool = False, seed: int = 0) -> None:
        self.members = members
        self.flip = flip
        self.seed = seed

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """Two members that are fitted in no time."""
        return {"members": [{"name": "prior"}, {"name": "lbp_svm", "params": {"c": [0.1]}}], "flip": True}

    def choices(self) -> dict[str, Any]:
        """What each member counts."""
        return {"weights": [round(float(weight), 4) for weight in self.weights_]}

    def _fit(
        self,
        images: Images,
        labels: Labels,
        *,
        targets: Probabilities | None,
        validation: tuple[Images, Labels] | None,
        on_epoch: EpochHook,
        on_progress: ProgressHook,
        checkpoints: Path | None,
    ) -> None:
        if not self.members:
            raise ConfigError("members is empty: name at least one trained recognizer.")
        self.members_ = []
        for index, member in enumerate(self.members):
            on_progress("members", index, len(self.members))
            if isinstance(member, str):
                self.members_.append(self._trained(member))
                continue
            if "name" not in member or not member.keys() <= {"name", "params"}:
                raise ConfigError(f"A member is a text, or name and params, got {member}.")
            recognizer: Recognizer = registry.create("recognizers", **member, seed=self.seed)
            recognizer.fit(
                images,
                labels,
                classes=self.classes,
                targets=targets,
                validation=validation,
                checkpoints=checkpoints / f"member{index}" if checkpoints else None,
            )
            self.members_.append(recognizer)
        self.weights_ = np.full(len(self.members_), 1.0 / len(self.members_))
        if validation is not None and len(validation[0]):
            rows = np.arange(len(validation[1]))
            given = np.stack(
                [self._hear(member, validation[0])[rows, validation[1]] for member in self.members_], axis=1
            )
            self.weights_ = mixture_weights(given)
            mixed = float(np.log(np.maximum(given @ self.weights_, 1e-12)).mean())
            on_epoch(1, {"validation_log_loss": -mixed})

    def _trained(self, name_or_directory: str) -> Recognizer:
        recognizer = registry.load(name_or_directory)
        if recognizer.classes != self.classes:
            raise DataError(
                f"{name_or_directory} tells {', '.join(recognizer.classes)} apart and the ensemble "
                f"{', '.join(self.classes)}: name members of the same classes."
            )
        return recognizer

    def _hear(self, member: Recognizer, images: Images) -> Probabilities:
        probabilities = member.predict_proba(images)
        if not self.flip:
            return probabilities
        mirrored = member.predict_proba(np.ascontiguousarray(images[:, :, ::-1]))
        return np.asarray((probabilities + mirrored) / 2, dtype=np.float32)

    def _predict_proba(self, images: Images) -> Probabilities:
        mixed = sum(
            weight * self._hear(member, images) for weight, member in zip(self.weights_, self.members_, strict=True)
        )
        return np.asarray(mixed, dtype=np.float32)

    def _save(self, directory: Path) -> None:
        (directory / _FILE).write_text(json.dumps(self.weights_.tolist()) + "\n", encoding="utf-8")
        for index, member in enumerate(self.members_):
            with tempfile.TemporaryDirectory() as folder:
                member.save(Path(folder) / "member")
                for path in (Path(folder) / "member").iterdir():
                    shutil.copyfile(path, directory / f"{_prefix(index)}{path.name}")

    def _load(self, directory: Path) -> None:
        self.weights_ = np.array(json.loads((directory / _FILE).read_text(encoding="utf-8")))
        self.members_ = []
        for index in range(len(self.weights_)):
            with tempfile.TemporaryDirectory() as folder:
                for path in directory.glob(f"{_prefix(index)}*"):
                    shutil.copyfile(path, Path(folder) / path.name.removeprefix(_prefix(index)))
                self.members_.append(registry.load(folder))

    def _size(self) -> tuple[int, int]:
        infos = [member.info() for member in self.members_]
        return sum(info.n_parameters for info in infos) + len(infos), sum(info.size_bytes for info in infos)


def mixture_weights(given: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The weights, summing to 1, whose mixture makes what was observed most probable.

    Args:
        given: What each member gave to the class that was right, (n, n_members).

    Returns:
        float64, (n_members,).
    """
    given = np.maximum(given.astype(np.float64), 1e-12)
    weights = np.full(given.shape[1], 1.0 / given.shape[1])
    for _ in range(_ROUNDS):
        shares = given * weights
        weights = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
    return weights


def _prefix(index: int) -> str:
    return f"member{index}_"
