"""Stored predictions, checked against the result that was computed from them. No recognizer is asked anything here."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferbench.errors import DataError
from ferbench.evaluation import Evaluation
from ferbench.metrics import Scores, score
from ferbench.report.scores import are_of_some_faces, follows_from_confusion, is_close
from ferbench.results import RunResult
from ferbench.types import Groups, Labels, Probabilities

_MOST_ARRAY_BYTES = 2_000_000_000
_MOST_SHARED = 0.5  # of faces with the same row and label: where splits number their rows each for itself, chance
_KINDS = {"index": "iu", "labels": "iu", "probabilities": "f", "groups": "iu"}


@dataclass(frozen=True, slots=True, eq=False)
class SplitPredictions:
    """What a run said of each face of a split, faces by their row in the source.

    Attributes:
        rows: int64, (n,), rising.
        labels: int64, (n,).
        probabilities: float32, (n, n_classes).
        groups: int64, (n,).
    """

    rows: NDArray[np.int64]
    labels: Labels
    probabilities: Probabilities
    groups: Groups

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the most probable class is the label, bool (n,)."""
        found: NDArray[np.bool_] = self.probabilities.argmax(axis=1) == self.labels
        return found

    def is_of_the_same_faces(self, other: SplitPredictions) -> bool:
        """Whether rows, labels and groups are those of another run."""
        return all(
            np.array_equal(ours, theirs)
            for ours, theirs in (
                (self.rows, other.rows),
                (self.labels, other.labels),
                (self.groups, other.groups),
            )
        )


def read_predictions(path: Path, result: RunResult) -> tuple[SplitPredictions, SplitPredictions | None]:
    """Read `predictions.npz`.

    Args:
        path: The file.
        result: What lies beside it.

    Returns:
        Of validation, and of test where `result` has scores of it.

    Raises:
        DataError: it is missing, damaged, incomplete, or does not give the scores of `result`.
    """
    card = result.dataset
    stored = _Stored(path, card.classes, _read_arrays(path))
    validation = stored.checked("validation", result.validation, card.counts, card.n_validation)
    test = stored.checked("test", result.test, card.counts, card.n_test) if result.test else None
    if not all(follows_from_confusion(scores) for scores in (result.validation, result.test) if scores):
        raise DataError(f"{path}: the scores of its result do not follow from their confusion matrix: one was changed.")
    if test is not None and _share_known(validation, test) > _MOST_SHARED:
        raise DataError(f"{path} has the faces of test under validation: what was chosen there was chosen on test.")
    if result.clean_test and not are_of_some_faces(result.clean_test, result.test):
        raise DataError(f"{path}: the scores of the clean test split are not of some of its faces: one was changed.")
    return validation, test


def read_evaluated(path: Path, evaluation: Evaluation) -> SplitPredictions:
    """Read the predictions that a recorded evaluation has beside it.

    Args:
        path: The file.
        evaluation: Whose scores they must give, and whose `predictions_sha256` they must have.

    Raises:
        DataError: it is missing, damaged, another one, or does not give the scores of `evaluation`.
    """
    if path.is_file() and sha256_of(path) != evaluation.predictions_sha256:
        raise DataError(f"{path} is not what was stored with the record, its sha256 is another: evaluate again.")
    scores, split, classes = evaluation.scores, evaluation.split, evaluation.sharing.scored
    counts: dict[str, dict[str, int]] = {
        split: {name: sum(row) for name, row in zip(classes, scores.confusion, strict=False)}
    }
    return _Stored(path, classes, _read_arrays(path)).checked(split, scores, counts, scores.n)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, as hexadecimal text."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > _MOST_ARRAY_BYTES:
            raise DataError(f"{path} unpacks to {size / 1e9:,.1f} GB: these are no predictions of one run.")
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: without it nothing can be tested. Run again what wrote it.") from None
    except DataError:
        raise
    except Exception as error:  # whatever zipfile, zlib and NumPy make of bytes that are not theirs
        raise DataError(f"{path} is damaged ({error}): run again what wrote it.") from error


class _Stored:
    """The predictions of one file, checked against what the result or record beside it says."""

    def __init__(self, path: Path, classes: tuple[str, ...], arrays: dict[str, NDArray[Any]]) -> None:
        self.path = path
        self.classes = classes
        self.arrays = arrays
        stored = tuple(str(name) for name in arrays.get("classes", np.array([])).ravel())
        if stored != classes:
            raise DataError(
                f"{path} has the classes {', '.join(stored)[:200] or 'none'}, its result "
                f"{', '.join(classes)}: a class is missing or in another place."
            )

    def checked(self, split: str, scores: Scores, counts: dict[str, dict[str, int]], n_faces: int) -> SplitPredictions:
        found = {name: self._array(f"{split}_{name}", kinds) for name, kinds in _KINDS.items()}
        order = np.argsort(found["index"], kind="stable")
        predictions = SplitPredictions(
            rows=found["index"][order].astype(np.int64),
            labels=found["labels"][order].astype(np.int64),
            probabilities=found["probabilities"][order].astype(np.float32),
            groups=found["groups"][order].astype(np.int64),
        )
        n = len(predictions.rows)
        if n != n_faces or scores.n != n_faces:
            raise DataError(
                f"{self.path} has predictions for {n:,} faces of {split}, its result says {scores.n:,}, and the "
                f"dataset has {n_faces:,}: all faces must be scored."
            )
        if n == 0:
            raise DataError(f"{self.path} has no face of {split}: there is nothing to compare it by.")
        self._check_labels(split, predictions, counts.get(split, {}))
        self._check_probabilities(split, predictions)
        self._check_scores(split, predictions, scores)
        return predictions

    def _array(self, name: str, kinds: str) -> NDArray[Any]:
        array = self.arrays.get(name)
        n_dimensions = 2 if name.endswith("probabilities") else 1
        if array is None or array.ndim != n_dimensions or array.dtype.kind not in kinds:
            what = "nothing" if array is None else f"{array.dtype} with {array.ndim} dimensions"
            raise DataError(f"{self.path} needs numbers under {name}, with {n_dimensions} dimensions, got {what}.")
        n = len(self.arrays[f"{name.partition('_')[0]}_index"])
        if len(array) != n:
            raise DataError(f"{self.path} has {n:,} faces and {len(array):,} rows under {name}.")
        return array

    def _check_labels(self, split: str, found: SplitPredictions, counts: dict[str, int]) -> None:
        if (np.diff(found.rows) == 0).any():
            raise DataError(f"{self.path} has a face of {split} twice.")
        expected = [counts.get(name, 0) for name in self.classes]
        inside = bool(((found.labels >= 0) & (found.labels < len(expected))).all())
        if not inside or np.bincount(found.labels, minlength=len(expected)).tolist() != expected:
            raise DataError(f"{self.path}: the labels of {split} are not those of the dataset, class by class.")

    def _check_probabilities(self, split: str, found: SplitPredictions) -> None:
        p = found.probabilities
        if p.shape[1] != len(self.classes):
            raise DataError(
                f"{self.path} has {p.shape[1]} probabilities a face of {split}, the dataset {len(self.classes)} "
                "classes: a class is missing."
            )
        if not np.isfinite(p).all():
            raise DataError(f"{self.path} has probabilities of {split} that are NaN or infinite.")
        if (p < -1e-6).any() or (np.abs(p.sum(axis=1, dtype=np.float64) - 1) > 1e-3).any():
            raise DataError(f"{self.path} has rows of {split} that are no probabilities: each must sum to 1.")

    def _check_scores(self, split: str, found: SplitPredictions, scores: Scores) -> None:
        expected = score(
            found.labels, found.probabilities, self.classes, groups=found.groups, interval=scores.accuracy_interval
        )
        if not is_close(scores, expected):
            raise DataError(f"{self.path} does not give the scores that its result has for {split}: one was changed.")


def _share_known(validation: SplitPredictions, test: SplitPredictions) -> float:
    """The share of validation's faces that test has as well, by row and label."""
    known = dict(zip(test.rows.tolist(), test.labels.tolist(), strict=True))
    found = zip(validation.rows.tolist(), validation.labels.tolist(), strict=True)
    return float(np.mean([known.get(row) == label for row, label in found]))
