"""How accuracy falls as faces are corrupted: trained recognizers on validation faces, never on the test split.

Every recognizer is asked about the very same pixels. Nothing is fitted or chosen here, and nothing is drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ferbench import registry
from ferbench.corruptions import SEVERITIES, STRENGTHS, corrupt
from ferbench.data.dataset import Dataset, Split
from ferbench.environment import Environment, git_commit
from ferbench.errors import ConfigError, DataError
from ferbench.evaluation import Origin, origin_of
from ferbench.recognizers.base import Recognizer, ignore_progress
from ferbench.results import Record, now
from ferbench.statistics.intervals import Interval, bootstrap_means, interval_of
from ferbench.types import Family, Groups, Images, ProgressHook

_AT_ONCE = 512


class CorruptedRun(Record):
    """One recognizer. Accuracies are shares with their 95 % bootstrap intervals over duplicate groups.

    Attributes:
        recognizer: Which one.
        family: What kind of recognizer it is.
        accuracy: On the faces as they are.
        mean_corrupted: Mean over all corruptions and severities.
        relative_drop: Share of `accuracy` that is lost in `mean_corrupted`.
        by_severity: Mean over all corruptions at severities 1, 2, ... in order.
        corrupted: By corruption, at severities 1, 2, ... in order.
    """

    recognizer: Origin
    family: Family
    accuracy: Interval
    mean_corrupted: Interval
    relative_drop: Interval
    by_severity: tuple[Interval, ...]
    corrupted: dict[str, tuple[Interval, ...]]


class RobustnessResult(Record):
    """What `measure_robustness` found.

    Attributes:
        dataset: Its registry name.
        fingerprint: Of the dataset under `classes`.
        n_faces: Faces that were corrupted and scored, in `n_groups` duplicate groups.
        n_split: Faces of the whole split.
        seed: What fixed the faces chosen and all that is random in their corruption.
        strengths: See `corruptions.STRENGTHS`.
        pixels_sha256: Of all corrupted faces in order: two machines with the same corrupted them alike.
        runs: The recognizers.
    """

    schema_version: Literal[1] = 1
    dataset: str
    classes: tuple[str, ...]
    fingerprint: str
    is_synthetic: bool
    split: Literal["validation"] = "validation"
    n_faces: int = Field(ge=1)
    n_groups: int
    n_split: int
    seed: int
    strengths: dict[str, tuple[float, ...]]
    pixels_sha256: str
    runs: tuple[CorruptedRun, ...] = Field(min_length=1)
    environment: Environment
    created_at: datetime


class _Contestant(NamedTuple):
    origin: Origin
    recognizer: Recognizer

    @property
    def name(self) -> str:
        return f"{self.origin.experiment} seed{self.origin.seed}"


def measure_robustness(
    recognizers: Sequence[str | Path],
    dataset_name: str = "fer2013",
    *,
    n_faces: int | None = None,
    seed: int = 0,
    on_progress: ProgressHook = ignore_progress,
) -> RobustnessResult:
    """Score trained recognizers on corrupted validation faces.

    Args:
        recognizers: As for `ferbench.load`; all tell the same classes apart.
        dataset_name: A registered dataset.
        n_faces: At most so many faces, whole duplicate groups drawn by `seed`; None: all of the split.
        seed: Fixes the faces and their corruption.
        on_progress: Called with corrupted sets done and in all.

    Raises:
        ConfigError: no recognizer, one given twice, several sets of classes, or too few faces.
        UnknownNameError, DataError: a recognizer or the dataset cannot be loaded.
    """
    commit = git_commit()
    contestants = [_Contestant(origin_of(one), registry.load(one)) for one in recognizers]
    classes = _common_classes(contestants)
    dataset: Dataset = registry.create("datasets", dataset_name, seed=seed).with_classes(classes)
    if len(dataset.validation) == 0:
        raise DataError(f"{dataset_name} has no validation faces, and no others may be used here.")
    faces = _subset(dataset.validation, n_faces, seed)
    images = np.ascontiguousarray(faces.images)
    cells = [(name, severity) for name in STRENGTHS for severity in SEVERITIES]
    right = np.empty((len(contestants), len(faces), 1 + len(cells)))
    digest = hashlib.sha256()
    for column in range(1 + len(cells)):
        name, severity = cells[column - 1] if column else ("as they are", 0)
        on_progress(name.replace("_", " "), column, 1 + len(cells))
        seen = corrupt(images, name, severity, seed=seed) if column else images
        digest.update(seen.data)
        for row, contestant in enumerate(contestants):
            right[row, :, column] = _right(contestant.recognizer, seen, faces)
    on_progress("intervals", 1 + len(cells), 1 + len(cells))
    return RobustnessResult(
        dataset=dataset.name,
        classes=classes,
        fingerprint=dataset.fingerprint(),
        is_synthetic=dataset.is_synthetic,
        n_faces=len(faces),
        n_groups=len(np.unique(faces.groups)),
        n_split=len(dataset.validation),
        seed=seed,
        strengths=STRENGTHS,
        pixels_sha256=digest.hexdigest(),
        runs=tuple(_summary(one, found, faces.groups) for one, found in zip(contestants, right, strict=True)),
        environment=Environment.capture(commit),
        created_at=now(),
    )


def _common_classes(contestants: Sequence[_Contestant]) -> tuple[str, ...]:
    if not contestants:
        raise ConfigError("Name at least one trained recognizer, got none.")
    names = [one.name for one in contestants]
    if len(set(names)) < len(names):
        raise ConfigError(f"Each recognizer and seed must be given once, got {', '.join(names)}.")
    first = contestants[0]
    for one in contestants:
        if one.recognizer.classes != first.recognizer.classes:
            raise ConfigError(
                f"{first.name} tells {', '.join(first.recognizer.classes)} apart and {one.name} "
                f"{', '.join(one.recognizer.classes)}: measure those of one set of classes at a time."
            )
    return first.recognizer.classes


def _subset(split: Split, n_faces: int | None, seed: int) -> Split:
    """Whole groups in an order that the seed gives, as many as fit."""
    if n_faces is None or n_faces >= len(split):
        return split
    if n_faces < 1:
        raise ConfigError(f"The number of faces must be at least 1, got {n_faces}.")
    _, group = np.unique(split.groups, return_inverse=True)
    place = np.random.default_rng(seed).permutation(int(group.max()) + 1)[group]
    order = np.argsort(place, kind="stable")
    taken = order[:n_faces]
    if n_faces < len(order) and place[order[n_faces]] == place[taken[-1]]:
        taken = taken[place[taken] != place[taken[-1]]]
    if len(taken) == 0:
        raise ConfigError(f"{n_faces} faces are less than the first group of identical ones: take more.")
    return split.take(np.sort(taken))


def _right(recognizer: Recognizer, images: Images, faces: Split) -> NDArray[np.float64]:
    starts = range(0, len(images), _AT_ONCE)
    answers = [recognizer.predict(images[start : start + _AT_ONCE]).label_ids for start in starts]
    return np.asarray(np.concatenate(answers) == faces.labels, np.float64)


def _summary(one: _Contestant, right: NDArray[np.float64], groups: Groups) -> CorruptedRun:
    """Of columns that are 1 where right: the faces as they are, then every corruption at every severity."""
    n = len(SEVERITIES)
    by_severity = [right[:, 1 + at :: n].mean(axis=1) for at in range(n)]
    columns = np.column_stack([right, *by_severity, right[:, 1:].mean(axis=1)])
    values = columns.mean(axis=0)
    means = bootstrap_means(columns, groups)
    found = [interval_of(float(value), column) for value, column in zip(values, means.T, strict=True)]
    return CorruptedRun(
        recognizer=one.origin,
        family=one.recognizer.family,
        accuracy=found[0],
        mean_corrupted=found[-1],
        relative_drop=interval_of(float(_drop(values)), _drop(means.T)),
        by_severity=tuple(found[-1 - n : -1]),
        corrupted={name: tuple(found[1 + n * i : 1 + n * (i + 1)]) for i, name in enumerate(STRENGTHS)},
    )


def _drop(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the first that the last has lost; 0 of nothing."""
    first, last = columns[0], columns[-1]
    return np.asarray(np.where(first > 0, 1 - last / np.where(first > 0, first, 1.0), 0.0))
