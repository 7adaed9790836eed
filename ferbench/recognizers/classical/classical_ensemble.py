"""A stack of classical recognizers: their probabilities, multiplied under weights that validation chooses."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ferbench import registry
from ferbench.errors import ConfigError, DataError
from ferbench.recognizers.base import Recognizer
from ferbench.types import EpochHook, Images, Labels, Probabilities, ProgressHook

_FILE = "weights.npz"
_MARK = "--"  # between a member's place and its file's name
_FLOOR = 1e-7  # no member may rule a class out


class ClassicalEnsemble(Recognizer):
    """A logarithmic opinion pool (Hinton, "Products of experts", ICANN 1999) of recognizers that err differently.

    Each member is fitted as it would be alone. Each gets one weight, not negative, that minimizes the log-loss of the
    pool on validation, which calibrates the pool as well. Without validation members weigh the same and sum to 1.

    Args:
        members: Parameters of each member by its registered name, as in a YAML file.
        seed: Of every member.
    """

    name = "classical_ensemble"
    family = "classical"

    def __init__(
        self,
        *,
        members: dict[str, dict[str, Any]],
        seed: int = 0,
    ) -> None:
        self.members = members
        self.seed = seed

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """Two small members."""
        names = ("hog_svm", "lbp_svm")
        return {"members": {name: registry.get("recognizers", name).smoke_params() for name in names}}

    def choices(self) -> dict[str, Any]:
        """The weight of each member."""
        return dict(zip(self.members, self.weights_.tolist(), strict=True))

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
        if not self.members or self.name in self.members:
            raise ConfigError(f"{self.name} needs one or more members other than itself, got {list(self.members)}.")
        self.members_: list[Recognizer] = []
        for index, (name, params) in enumerate(self.members.items()):
            on_progress("members", index, len(self.members))
            member: Recognizer = registry.create("recognizers", name, params, seed=self.seed)
            finished = checkpoints / f"{index}-{name}" if checkpoints else None
            if finished and (finished / "model").is_dir():
                member = registry.load(finished / "model")
            else:
                member.fit(
                    images,
                    labels,
                    classes=self.classes,
                    targets=targets,
                    validation=validation,
                    on_progress=lambda stage, done, total, name=name: on_progress(f"{name}: {stage}", done, total),  # type: ignore[misc]
                    checkpoints=finished,
                )
                if finished:
                    member.save(finished / "model")
            self.members_.append(member)
        on_progress("members", len(self.members), len(self.members))
        self.weights_ = np.full(len(self.members_), 1 / len(self.members_), np.float32)
        if validation is not None and len(validation[0]):
            opinions = self._opinions(validation[0])
            self.weights_ = _fit_weights(opinions, validation[1])
            for index in range(len(self.members_)):
                accuracy = float(np.mean(opinions[index].argmax(axis=1) == validation[1]))
                on_epoch(index + 1, {"validation_accuracy": accuracy, "weight": float(self.weights_[index])})

    def _predict_proba(self, images: Images) -> Probabilities:
        return _pool(self._opinions(images), self.weights_).astype(np.float32)

    def _save(self, directory: Path) -> None:
        np.savez(directory / _FILE, weights=self.weights_)
        with tempfile.TemporaryDirectory() as folder:
            for index, member in enumerate(self.members_):
                member.save(Path(folder) / str(index))
                for path in (Path(folder) / str(index)).iterdir():
                    shutil.copyfile(path, directory / f"{index}{_MARK}{path.name}")

    def _load(self, directory: Path) -> None:
        with np.load(directory / _FILE, allow_pickle=False) as arrays:
            self.weights_ = arrays["weights"]
        self.members_ = []
        for index, name in enumerate(self.members):
            with tempfile.TemporaryDirectory() as folder:
                for path in directory.glob(f"{index}{_MARK}*"):
                    shutil.copyfile(path, Path(folder) / path.name.removeprefix(f"{index}{_MARK}"))
                member = registry.load(folder)
            if member.name != name or member.classes != self.classes:
                raise DataError(
                    f"{directory} holds a {member.name} of {len(member.classes)} classes where a {name} of "
                    f"{len(self.classes)} should be: restore the folder or train again."
                )
            self.members_.append(member)

    def _size(self) -> tuple[int, int]:
        infos = [member.info() for member in self.members_]
        n_parameters = sum(info.n_parameters for info in infos) + self.weights_.size
        return n_parameters, sum(info.size_bytes for info in infos) + self.weights_.nbytes

    def _opinions(self, images: Images) -> NDArray[np.float64]:
        """Logarithms of the members' probabilities, (members, n, n_classes)."""
        probabilities = np.stack([member.predict_proba(images) for member in self.members_])
        return np.log(np.maximum(probabilities, _FLOOR).astype(np.float64))


def _pool(opinions: NDArray[np.float64], weights: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    logits = np.einsum("m,mnk->nk", weights, opinions)
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    return np.asarray(logits / logits.sum(axis=1, keepdims=True))


def _fit_weights(opinions: NDArray[np.float64], labels: Labels) -> NDArray[np.float32]:
    """The weights of least log-loss, found from equal ones; the loss is convex in them."""
    n_members, n, _ = opinions.shape
    chosen = opinions[:, np.arange(n), labels]

    def loss_and_gradient(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        pooled = _pool(opinions, weights)
        loss = -float(np.log(np.maximum(pooled[np.arange(n), labels], _FLOOR**4)).mean())
        expected = np.einsum("nk,mnk->m", pooled, opinions)
        return loss, (expected - chosen.sum(axis=1)) / n

    start = np.full(n_members, 1 / n_members)
    result = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * n_members)
    return np.asarray(result.x, dtype=np.float32)
