"""`ensemble`: several recognizers, classical or deep, heard together, each with a weight that validation chose."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ferbench import registry
from ferbench.errors import ConfigError, DataError
from ferbench.recognizers.base import Recognizer
from ferbench.types import EpochHook, Images, Labels, Probabilities, ProgressHook

_FILE = "weights.json"
_FLOOR = 1e-7  # no member may rule a class out


class Ensemble(Recognizer):
    """A logarithmic opinion pool (Hinton, "Products of experts", ICANN 1999) of recognizers that err differently.

    Their probabilities are multiplied, each under a weight of its own, not negative; the weights are those of the
    least log-loss on validation, which calibrates the pool as well: the loss is convex in them, and a member that adds
    nothing gets next to no weight. Without validation members weigh the same and sum to 1. A saved ensemble holds its
    members' files and needs nothing else.

    Args:
        members: For each its trained self, by shipped name or folder, or `{name: ..., params: {...}}` for one that is
            fitted together with the ensemble, as it would be alone.
        flip: Hear each member on the face and on its mirror image (test-time augmentation): twice the work.
        seed: Of the members that are fitted here.

    Attributes:
        members_: The members, fitted.
        weights_: What each counts, (n_members,).
    """

    name = "ensemble"
    family = "ensemble"
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

    def trained_parts(self) -> tuple[str, ...]:
        """The members named by text, and those that members which are ensembles name."""
        return tuple(_named(self.members))

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
            raise ConfigError(
                f"{self.name} needs one or more members, got none: name a trained recognizer, or give name and params."
            )
        self.members_ = []
        for index, member in enumerate(self.members):
            on_progress("members", index, len(self.members))
            if isinstance(member, str):
                self.members_.append(self._trained(member))
                continue
            if not isinstance(member.get("name"), str) or not member.keys() <= {"name", "params"}:
                raise ConfigError(f"A member is a text, or name and params, got {member}.")
            kept = checkpoints / f"{index}-{member['name']}" if checkpoints else None
            if kept and (kept / "model").is_dir():
                self.members_.append(registry.load(kept / "model"))
                continue
            recognizer: Recognizer = registry.create("recognizers", **member, seed=self.seed)
            self._admit(recognizer)
            recognizer.fit(
                images,
                labels,
                classes=self.classes,
                targets=targets,
                validation=validation,
                on_progress=partial(_within, on_progress, recognizer.name),
                checkpoints=kept,
            )
            if kept:
                recognizer.save(kept / "model")
            self.members_.append(recognizer)
        on_progress("members", len(self.members), len(self.members))
        self.weights_ = np.full(len(self.members_), 1.0 / len(self.members_))
        if validation is not None and len(validation[0]):
            opinions = self._opinions(validation[0])
            self.weights_ = pool_weights(opinions, validation[1])
            for index, weight in enumerate(self.weights_.tolist()):
                accuracy = float(np.mean(opinions[index].argmax(axis=1) == validation[1]))
                on_epoch(index + 1, {"validation_accuracy": accuracy, "weight": weight})

    def _admit(self, member: Recognizer) -> None:
        """Raise a `ConfigError` for a member that has no place here."""

    def _trained(self, name_or_directory: str) -> Recognizer:
        recognizer = registry.load(name_or_directory)
        self._admit(recognizer)
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

    def _opinions(self, images: Images) -> NDArray[np.float64]:
        """Logarithms of the members' probabilities, (n_members, n, n_classes)."""
        heard = np.stack([self._hear(member, images) for member in self.members_])
        return np.log(np.maximum(heard, _FLOOR).astype(np.float64))

    def _predict_proba(self, images: Images) -> Probabilities:
        return _pool(self._opinions(images), self.weights_).astype(np.float32)

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


def pool_weights(opinions: NDArray[np.float64], labels: Labels) -> NDArray[np.float64]:
    """The weights whose pool has the least log-loss, found from equal ones.

    Args:
        opinions: Logarithms of each member's probabilities, (n_members, n, n_classes).
        labels: The classes that were right, (n,).

    Returns:
        float64, (n_members,), none negative.
    """
    n_members, n, _ = opinions.shape
    right = opinions[:, np.arange(n), labels].sum(axis=1)

    def loss_and_gradient(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        pooled = _pool(opinions, weights)
        loss = -float(np.log(np.maximum(pooled[np.arange(n), labels], _FLOOR**4)).mean())
        return loss, (np.einsum("nk,mnk->m", pooled, opinions) - right) / n

    start = np.full(n_members, 1.0 / n_members)
    result = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * n_members)
    return np.asarray(result.x)


def _pool(opinions: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    logits = np.einsum("m,mnk->nk", weights, opinions)
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    return np.asarray(logits / logits.sum(axis=1, keepdims=True))


def _named(members: Iterable[str | dict[str, Any]]) -> Iterator[str]:
    for member in members:
        if isinstance(member, str):
            yield member
        else:
            yield from _named(member.get("params", {}).get("members", ()))


def _within(on_progress: ProgressHook, member: str, stage: str, done: int, total: int) -> None:
    on_progress(f"{member}: {stage}", done, total)


def _prefix(index: int) -> str:
    return f"member{index}_"
