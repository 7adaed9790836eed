"""`prior`: class frequencies, whatever the face. The floor of every table, and the null system for timing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ferbench.recognizers.base import Recognizer
from ferbench.types import EpochHook, Images, Labels, Probabilities, ProgressHook

_FILE = "frequencies.json"


class Prior(Recognizer):
    """Answers the training frequencies of the classes.

    Args:
        seed: Taken by every recognizer; nothing is random here.
    """

    name = "prior"
    family = "baseline"

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

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
        weights = np.bincount(labels, minlength=len(self.classes)) if targets is None else targets.sum(axis=0)
        self.frequencies_ = np.asarray(weights / weights.sum(), dtype=np.float32)

    def _predict_proba(self, images: Images) -> Probabilities:
        return np.tile(self.frequencies_, (len(images), 1))

    def _save(self, directory: Path) -> None:
        (directory / _FILE).write_text(json.dumps(self.frequencies_.tolist()) + "\n", encoding="utf-8")

    def _load(self, directory: Path) -> None:
        self.frequencies_ = np.array(json.loads((directory / _FILE).read_text(encoding="utf-8")), dtype=np.float32)

    def _size(self) -> tuple[int, int]:
        return len(self.classes), len(self.classes) * 4
