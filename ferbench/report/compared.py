"""What can be one side of a paired test: a finished run, or what `evaluate --record` stored of a trained recognizer.

Nothing is tested here.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ferbench import registry
from ferbench.errors import DataError, did_you_mean
from ferbench.evaluation import Evaluation, is_saved, origin_of
from ferbench.metrics import Scores
from ferbench.report.board import SplitName, shown
from ferbench.report.evaluations import read_evaluation
from ferbench.report.predictions import SplitPredictions
from ferbench.report.records import read_record
from ferbench.report.runs import Run, read_run
from ferbench.report.weights import Weights
from ferbench.results import read_result


class Answers(NamedTuple):
    """What was said of the faces of a split; `clean` has scores of the clean test split, None where there are none."""

    predictions: SplitPredictions
    scores: Scores
    clean: Scores | None


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """One side of a paired test.

    Attributes:
        place: `<experiment>/<dataset>/seed<k>`, or the path that it was given by.
        dataset: That it was scored on.
        classes: Under which it was scored.
        fingerprint: Of the dataset.
        splits: Those of which predictions are stored.
    """

    place: str
    experiment: str
    seed: int
    dataset: str
    classes: tuple[str, ...]
    fingerprint: str
    is_synthetic: bool
    splits: dict[SplitName, Answers]


class _Candidate(NamedTuple):
    """What a name may stand for, and what reads it whole, which is done of those compared alone."""

    key: tuple[str, tuple[str, ...], str]
    read: Callable[[], Compared]


def find_pair(first: str, second: str, reports: Path) -> tuple[Compared, Compared]:
    """Both sides of a paired test; where names leave a choice, those on the same dataset.

    Args:
        first: A run's folder; the record of an evaluation; the folder of a saved recognizer that was evaluated; or
            `<experiment>`, `<experiment>/seed<k>` or `<experiment>/<dataset>/seed<k>` of a run, or else of recorded
            evaluations, such as those of a shipped recognizer.
        second: The same.
        reports: Holds runs and recorded evaluations.

    Raises:
        DataError: there is none of a name, there are several that fit, or it cannot be used.
    """
    ours, theirs = _candidates(first, reports), _candidates(second, reports)
    pairs = [(one, other) for one in ours for other in theirs]
    pairs = [(one, other) for one, other in pairs if ours[one].key == theirs[other].key] or pairs
    for name, places in zip((first, second), zip(*pairs, strict=True), strict=True):
        several = sorted(set(places))
        if len(several) > 1:
            raise DataError(f"'{name}' names {len(several)} runs: give one of {', '.join(several)}.")
    one, other = pairs[0]
    return ours[one].read(), theirs[other].read()


def of_run(run: Run) -> Compared:
    """A finished run, on the splits that it was scored on."""
    result = run.result
    splits: dict[SplitName, Answers] = {"validation": Answers(shown(run, "validation"), result.validation, None)}
    if result.test:
        splits["test"] = Answers(shown(run, "test"), result.test, result.clean_test)
    card = result.dataset
    return Compared(
        place=run.place,
        experiment=result.config.name,
        seed=result.config.seed,
        dataset=card.name,
        classes=card.classes,
        fingerprint=card.fingerprint,
        is_synthetic=card.is_synthetic,
        splits=splits,
    )


def of_evaluations(place: str, paths: Sequence[Path], reports: Path) -> Compared:
    """Recorded evaluations of one recognizer on one dataset, a split each, with their predictions.

    Raises:
        DataError: one is damaged, or of weights that are others today.
    """
    splits: dict[SplitName, Answers] = {}
    for path in paths:
        one, predictions = read_evaluation(path)
        if predictions is None:
            raise DataError(f"{path} has no predictions beside it: evaluate again with --record.")
        _check_weights(path, one, reports)
        splits[one.split] = Answers(predictions, one.scores, one.clean)
    return Compared(
        place=place,
        experiment=one.recognizer.experiment,
        seed=one.recognizer.seed,
        dataset=one.dataset,
        classes=one.sharing.scored,
        fingerprint=one.fingerprint,
        is_synthetic=one.is_synthetic,
        splits=splits,
    )


def _candidates(name: str, reports: Path) -> dict[str, _Candidate]:
    """By place. What is recorded of a recognizer stands back where a run lies at the same place."""
    path = Path(name)
    if (path / "result.json").is_file():
        return {name: _of_run_at(path, name)}
    if path.is_file():
        return {name: _of_records(name, [(path, read_record(path, Evaluation))], reports)}
    records, runs = _records(reports), dict[str, _Candidate]()
    if is_saved(path):
        weights = origin_of(path).weights
        recorded = {place: kept for place, kept in records.items() if kept[0][1].recognizer.weights == weights}
    else:
        wanted = name.strip("/").split("/")
        places = {one.parent.relative_to(reports).as_posix() for one in reports.glob("*/*/seed*/result.json")}
        runs = {place: _of_run_at(reports / place, place) for place in places if _names(wanted, place)}
        recorded = {place: kept for place, kept in records.items() if place not in runs and _names(wanted, place)}
        if not runs and not recorded and name not in registry.shipped():
            known = {place.split("/")[0] for place in (*places, *records)}
            raise DataError(
                f"There is no finished run '{name}': it is no folder with a result.json, and no run or recorded "
                f"evaluation of its name lies under {reports}. {did_you_mean(name, known)}"
            )
    stored = {place: [one for one in kept if one[1].predictions_sha256] for place, kept in recorded.items()}
    found = runs | {place: _of_records(place, kept, reports) for place, kept in stored.items() if kept}
    if not found:
        raise DataError(
            f"Of '{name}' no predictions are stored under {reports}, without which nothing can be tested: "
            "score it by python -m ferbench evaluate with --record."
        )
    return found


def _of_run_at(directory: Path, place: str) -> _Candidate:
    card = read_result(directory / "result.json").dataset
    return _Candidate((card.name, card.classes, card.fingerprint), lambda: of_run(read_run(directory, place)))


def _of_records(place: str, records: Sequence[tuple[Path, Evaluation]], reports: Path) -> _Candidate:
    one = records[0][1]
    paths = [path for path, _ in records]
    return _Candidate((one.dataset, one.sharing.scored, one.fingerprint), lambda: of_evaluations(place, paths, reports))


def _records(reports: Path) -> dict[str, list[tuple[Path, Evaluation]]]:
    """Recorded evaluations that can be read, by place."""
    found: dict[str, list[tuple[Path, Evaluation]]] = {}
    for path in sorted(reports.glob("evaluations/*.json")):
        try:
            one = read_record(path, Evaluation)
        except DataError:
            continue  # the report has a sentence on it; here it is like one that is not there
        place = f"{one.recognizer.experiment}/{one.dataset}/seed{one.recognizer.seed}"
        found.setdefault(place, []).append((path, one))
    return found


def _names(wanted: list[str], place: str) -> bool:
    parts = place.split("/")
    if len(wanted) == 2:
        return wanted[0] == parts[0] and wanted[1] in parts[1:]
    return wanted == parts[: len(wanted)]


def _check_weights(path: Path, evaluation: Evaluation, reports: Path) -> None:
    origin = evaluation.recognizer
    runs = []
    for directory in reports.glob(f"{glob.escape(origin.experiment)}/*/seed*"):
        with suppress(DataError):
            runs.append(read_run(directory, directory.relative_to(reports).as_posix()))
    if Weights(reports, runs).match(origin) == "other":
        raise DataError(
            f"{path} is of other weights than {origin.experiment} seed{origin.seed} has today: evaluate again."
        )
