"""How accuracy falls as heads turn, light moves aside and faces are covered: trained recognizers on drawn faces.

Only a renderer can change one condition and nothing else. The faces are of persons whom no recognizer was fitted on.
Nothing is fitted or chosen here, and no figure is drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ferbench import registry
from ferbench.data.conditions import SETTINGS, Setting, covered_percent, draw_at
from ferbench.data.synthetic import FACES_A_PERSON, DrawnFaces
from ferbench.environment import Environment, git_commit
from ferbench.errors import ConfigError
from ferbench.evaluation import Origin, origin_of
from ferbench.metrics import Scores
from ferbench.recognizers.base import Recognizer, ignore_progress
from ferbench.results import Record, RunResult, now, read_result
from ferbench.statistics import bootstrap_interval
from ferbench.types import EMOTIONS, Groups, ProgressHook

_STREAM = 1  # beside the splits of a dataset of the same seed


class Estimate(Record):
    """A mean, and its 95 % bootstrap interval over persons."""

    value: float
    low: float
    high: float


class TrainedRun(Record):
    """A recognizer that was measured: what fitted it, what its own run scored, and its accuracy with nothing set.

    `recognizer` has the hashes of its files; None in older records.
    """

    experiment: str
    seed: int
    config_hash: str
    fingerprint: str
    n_train: int
    n_validation: int
    n_test: int
    commit: str | None
    validation: Estimate
    test: Estimate | None
    unset: Estimate
    recognizer: Origin | None = None


class Lead(Record):
    """By how much one experiment is more accurate than the next weaker one on the same faces.

    `by_seed` is of the trainings with one seed, `mean` over those seeds; None where no seed is shared.
    """

    better: str
    worse: str
    by_seed: dict[int, Estimate]
    mean: Estimate | None


class Level(Record):
    """Where a level stands on its axis, what of `Scene` was set, and each experiment's accuracy, averaged over runs."""

    at: float
    setting: Setting
    accuracy: dict[str, Estimate]


class Condition(Record):
    """One condition as it grows.

    Attributes:
        name: One of `SETTINGS`.
        unit: Of `Level.at`; what is covered is in percent of the picture.
        usual: The largest angle among faces drawn without setting it, as the training faces are; None: no angle.
        levels: From none to most.
    """

    name: str
    unit: Literal["degrees", "percent"]
    usual: float | None
    levels: tuple[Level, ...]


class ConditionsResult(Record):
    """What `measure_conditions` found.

    Attributes:
        seed: What fixed the faces.
        n_faces: Faces at each level.
        n_unset: Faces on which nothing was set: the sample of `TrainedRun.unset` and of `leads`.
        faces_a_person: Faces of one person.
        image_size: Height and width in pixels.
        unset_sha256: Of the pixels of the faces with nothing set: they tell which renderer drew them.
        runs: The recognizers.
        leads: Of each experiment over the next weaker one.
        conditions: In the order of `SETTINGS`.
    """

    schema_version: Literal[1] = 1
    is_synthetic: Literal[True] = True
    seed: int
    n_faces: int
    n_unset: int
    faces_a_person: int
    image_size: tuple[int, int]
    unset_sha256: str
    runs: tuple[TrainedRun, ...]
    leads: tuple[Lead, ...]
    conditions: tuple[Condition, ...]
    environment: Environment
    created_at: datetime


def measure_conditions(
    directories: Sequence[Path],
    *,
    seed: int = 0,
    n_faces: int = 1050,
    n_unset: int = 20160,
    on_progress: ProgressHook = ignore_progress,
) -> ConditionsResult:
    """Score trained recognizers on drawn faces, condition by condition.

    Args:
        directories: Folders that runs on `synthetic` wrote; runs of one experiment with several seeds are averaged.
        seed: Fixes the faces; whatever it is, nobody among them is in a training split.
        n_faces: Faces at each level.
        n_unset: Faces with nothing set, on which the experiments are compared.
        on_progress: Called with levels done and in all.

    Raises:
        ConfigError: no folder, a run on other faces or classes, one given twice, or too few faces.
        DataError: a folder holds no result or no trained recognizer.
    """
    if min(n_faces, n_unset) < len(EMOTIONS):
        raise ConfigError(f"n_faces and n_unset must be at least {len(EMOTIONS)}, got {n_faces} and {n_unset}.")
    commit = git_commit()
    results = _read(directories)
    panel = _Panel(results, [registry.load(directory) for directory in directories])
    unset = _draw(seed, n_unset, {})
    right = panel.right(unset)
    conditions: list[Condition] = []
    n_levels, n_done = sum(map(len, SETTINGS.values())), 0
    for name, settings in SETTINGS.items():
        levels: list[Level] = []
        first = _draw(seed, n_faces, settings[0])
        for setting in settings:
            on_progress(f"drawing and scoring: {name}", n_done, n_levels)
            n_done += 1
            faces = _draw(seed, n_faces, setting)
            at = covered_percent(first, faces) if "occlusion" in setting else next(iter(setting.values()))
            levels.append(Level(at=at, setting=setting, accuracy=panel.means(panel.right(faces), faces.persons)))
        column = next(iter(settings[0]))
        usual = None if column == "occlusion" else float(np.abs(getattr(unset.scene, column)).max())
        unit: Literal["degrees", "percent"] = "percent" if usual is None else "degrees"
        conditions.append(Condition(name=name, unit=unit, usual=usual, levels=tuple(levels)))
    return ConditionsResult(
        seed=seed,
        n_faces=n_faces,
        n_unset=n_unset,
        faces_a_person=FACES_A_PERSON,
        image_size=(unset.images.shape[1], unset.images.shape[2]),
        unset_sha256=hashlib.sha256(unset.images.tobytes()).hexdigest(),
        runs=tuple(
            _trained(result, origin_of(directory), _mean(row, unset.persons))
            for result, directory, row in zip(results, directories, right, strict=True)
        ),
        leads=panel.leads(right, unset.persons),
        conditions=tuple(conditions),
        environment=Environment.capture(commit),
        created_at=now(),
    )


class _Panel:
    """Recognizers asked together, a row each, in the order of their runs."""

    def __init__(self, results: Sequence[RunResult], recognizers: Sequence[Recognizer]) -> None:
        self._recognizers = recognizers
        self._keys = [(result.config.name, result.config.seed) for result in results]
        self._names = list(dict.fromkeys(name for name, _ in self._keys))

    def right(self, faces: DrawnFaces) -> NDArray[np.float64]:
        """1 where right and 0 where wrong, (n_recognizers, n)."""
        rows = [recognizer.predict(faces.images).label_ids == faces.labels for recognizer in self._recognizers]
        return np.array(rows, np.float64)

    def means(self, right: NDArray[np.float64], persons: Groups) -> dict[str, Estimate]:
        """By experiment, over its runs."""
        return {name: _mean(right[self._rows(name)].mean(axis=0), persons) for name in self._names}

    def leads(self, right: NDArray[np.float64], persons: Groups) -> tuple[Lead, ...]:
        """Of each experiment over the next weaker one, at the seeds that both have."""
        row = dict(zip(self._keys, right, strict=True))
        ordered = sorted(self._names, key=lambda name: float(right[self._rows(name)].mean()))
        leads = []
        for worse, better in pairwise(ordered):
            shared = [seed for name, seed in self._keys if name == better and (worse, seed) in row]
            margins = [row[better, seed] - row[worse, seed] for seed in shared]
            by_seed = {seed: _mean(margin, persons) for seed, margin in zip(shared, margins, strict=True)}
            mean = _mean(np.mean(margins, axis=0), persons) if margins else None
            leads.append(Lead(better=better, worse=worse, by_seed=by_seed, mean=mean))
        return tuple(leads)

    def _rows(self, name: str) -> list[int]:
        return [index for index, (other, _) in enumerate(self._keys) if other == name]


def _read(directories: Sequence[Path]) -> list[RunResult]:
    if not directories:
        raise ConfigError("Give the folder of at least one run on the synthetic faces, got none.")
    results = [read_result(directory / "result.json") for directory in directories]
    for directory, result in zip(directories, results, strict=True):
        if not result.dataset.is_synthetic or result.recognizer.classes != EMOTIONS:
            raise ConfigError(
                f"{directory} must be a run on 'synthetic' with its seven classes, got {result.title} with "
                f"{', '.join(result.recognizer.classes)}: run the experiment with --set dataset.name=synthetic."
            )
    keys = [f"{result.config.name} seed {result.config.seed}" for result in results]
    if len(set(keys)) < len(keys):
        raise ConfigError(f"Each experiment and seed must be given once, got {', '.join(keys)}.")
    return results


def _draw(seed: int, n: int, setting: Setting) -> DrawnFaces:
    return draw_at(setting, n, rng=np.random.default_rng((seed, _STREAM)))


def _mean(values: NDArray[np.float64], persons: Groups) -> Estimate:
    low, high = bootstrap_interval(values, persons)
    return Estimate(value=float(values.mean()), low=low, high=high)


def _trained(result: RunResult, origin: Origin, unset: Estimate) -> TrainedRun:
    return TrainedRun(
        experiment=result.config.name,
        seed=result.config.seed,
        config_hash=result.config_hash,
        fingerprint=result.dataset.fingerprint,
        n_train=result.dataset.n_train,
        n_validation=result.dataset.n_validation,
        n_test=result.dataset.n_test,
        commit=result.environment.commit,
        validation=_accuracy(result.validation),
        test=_accuracy(result.test) if result.test else None,
        unset=unset,
        recognizer=origin,
    )


def _accuracy(scores: Scores) -> Estimate:
    low, high = scores.accuracy_interval
    return Estimate(value=scores.accuracy, low=low, high=high)
