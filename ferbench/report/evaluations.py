"""Trained recognizers on other datasets, as a section of the report, as sentences, and as records on disk."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ferbench.data.dataset import Split
from ferbench.errors import DataError
from ferbench.evaluation import Evaluation
from ferbench.report.elements import Cell, Column, Grid, Section, Text, number, percent, percent_interval
from ferbench.report.predictions import SplitPredictions, read_evaluated, sha256_of
from ferbench.report.records import read_record
from ferbench.results import write_predictions, write_whole
from ferbench.statistics.intervals import Interval
from ferbench.types import Probabilities

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")


def read_evaluation(path: Path) -> tuple[Evaluation, SplitPredictions | None]:
    """Read what `write_evaluation` wrote: the record, and the predictions where it says that they are stored.

    Raises:
        DataError: one of them is damaged or something else, or their numbers do not fit.
    """
    found = read_record(path, Evaluation)
    scores = found.scores
    n_confused = sum(sum(row) for row in scores.confusion)
    shares = (*scores.accuracy_interval, scores.accuracy, scores.macro_f1)
    if n_confused != scores.n or scores.n > found.n_split or not all(0 <= share <= 1 for share in shares):
        raise DataError(f"{path}: its numbers do not fit each other: evaluate again.")
    return found, read_evaluated(path.with_suffix(".npz"), found) if found.predictions_sha256 else None


def evaluation_path(found: Evaluation, reports: Path) -> Path:
    """`<reports>/evaluations/<recognizer>-seed<k>.<dataset>.<split>.json`."""
    recognizer = found.recognizer
    name = _UNSAFE.sub("_", f"{recognizer.experiment}-seed{recognizer.seed}.{found.dataset}.{found.split}")
    return reports / "evaluations" / f"{name}.json"


def write_evaluation(found: Evaluation, reports: Path, predictions: tuple[Split, Probabilities] | None = None) -> Path:
    """Write a record to `evaluation_path`, and beside it, ending in `.npz`, the predictions if given.

    Args:
        found: The evaluation.
        reports: Where records are.
        predictions: The faces that were scored and what was said of each; stored as those of a run, without pixels.

    Raises:
        DataError: it cannot be written.
    """
    path = evaluation_path(found, reports)
    stored = path.with_suffix(".npz")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if predictions:
            write_predictions(stored, found.sharing.scored, {found.split: predictions})
            found = found.model_copy(update={"predictions_sha256": sha256_of(stored)})
        write_whole(path, found.model_dump_json(indent=1) + "\n")
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror}): choose another with --reports.") from error
    return path


def evaluation_lines(found: Evaluation) -> list[str]:
    """How many faces were scored, on what the recognizer was fitted, and what became of classes not shared."""
    fitted_on = found.recognizer.fitted_on
    origin = f" Fitted on {fitted_on}." if fitted_on else ""
    lines = [
        f"Scored {found.scores.n:,} of {found.n_split:,} {found.split} faces of {found.dataset} under "
        f"{len(found.sharing.scored)} classes: {', '.join(found.sharing.scored)}.{origin}"
    ]
    return [*lines, *found.sharing.sentences()]


def evaluations_section(records: Sequence[Evaluation], note: str = "") -> Section:
    """A row a record, each dataset's best first; those across datasets say so.

    Args:
        records: The evaluations.
        note: What a reader must know of them besides.
    """
    has_clean = any(one.clean for one in records)
    columns = (
        Column("recognizer", is_text=True),
        Column("fitted on", is_text=True),
        Column("scored on", is_text=True),
        Column("scored", "faces, of all in the split"),
        Column("classes"),
        Column("accuracy, %"),
        *([Column("clean, %", "on the clean test split")] if has_clean else []),
        Column("balanced, %", "mean recall of the classes that have faces"),
        Column("macro-F1, %"),
        Column("ECE, %"),
        Column("classes not shared", is_text=True),
    )
    order = sorted(records, key=lambda one: (one.is_synthetic, one.dataset, one.split, -one.scores.accuracy))
    text = (
        "Recognizers that were fitted before, asked about the faces of a registered dataset; the same faces are not "
        "always scored, so rows are compared only where the classes and the number scored agree."
    )
    grid = Grid(
        "Trained recognizers on other datasets", columns, tuple(_row(one, has_clean=has_clean) for one in order)
    )
    return Section("evaluations", "On other datasets", [Text(text), *([Text(note)] if note else []), grid])


def _row(found: Evaluation, *, has_clean: bool) -> tuple[Cell, ...]:
    scores, sharing = found.scores, found.sharing
    synthetic = " (synthetic faces)" if found.is_synthetic else ""
    return (
        Cell(f"{found.recognizer.experiment} seed{found.recognizer.seed}"),
        Cell(found.recognizer.fitted_on or "not known"),
        Cell(f"{found.dataset}{synthetic}, {found.split}"),
        Cell(f"{scores.n:,} of {found.n_split:,}", float(scores.n)),
        number(len(sharing.scored), 0),
        percent_interval(Interval(scores.accuracy, *scores.accuracy_interval)),
        *([percent(found.clean.accuracy if found.clean else None)] if has_clean else []),
        percent(scores.balanced_accuracy),
        percent(scores.macro_f1),
        percent(scores.calibration_error),
        Cell(" ".join(sharing.sentences()) or "all are shared"),
    )
