"""Accuracy under corruptions as a section of the report, as a table for the terminal, and as its record on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.table import Table
from rich.text import Text as Words

from ferbench.errors import DataError
from ferbench.report.elements import Cell, Column, Element, Grid, Panels, Plot, Section, Text, percent_interval
from ferbench.report.lines import Line, line_plot
from ferbench.report.records import read_record
from ferbench.results import write_whole
from ferbench.robustness import CorruptedRun, RobustnessResult

_MOST_LINES = 24
_MOST_CORRUPTIONS = 40
_INTRO = (
    "Thirteen corruptions in five rising severities, after Hendrycks and Dietterich (2019) with strengths for small "
    "gray faces; every recognizer saw the same pixels. “Mean corrupted” is the mean accuracy over all corruptions and "
    "severities, “lost” the share of the accuracy on uncorrupted faces that is gone. Validation faces are used, so "
    "that the test split stays unseen: epochs and penalties were chosen on them, and the first column flatters a "
    "little. Intervals are 95 % bootstraps over duplicate groups."
)


def read_robustness(path: Path) -> RobustnessResult:
    """Read what `write_robustness` wrote.

    Raises:
        DataError: it is damaged, something else, or its parts do not fit.
    """
    found = read_record(path, RobustnessResult)
    if len(found.strengths) > _MOST_CORRUPTIONS:
        raise DataError(f"{path} has {len(found.strengths)} corruptions: this is no record of ours.")
    sizes = {name: len(strengths) for name, strengths in found.strengths.items()}
    for run in found.runs:
        shares = [
            run.accuracy,
            run.mean_corrupted,
            *run.by_severity,
            *(share for row in run.corrupted.values() for share in row),
        ]
        is_share = all(0 <= share.low <= share.high <= 1 and 0 <= share.value <= 1 for share in shares)
        if {name: len(row) for name, row in run.corrupted.items()} != sizes or 0 in sizes.values() or not is_share:
            raise DataError(
                f"{path}: {_name(run)[:80]} needs a share between 0 and 1 for each of the {len(sizes)} corruptions "
                "at each severity: measure it again."
            )
    return found


def write_robustness(found: RobustnessResult, directory: Path) -> Path:
    """Write `<directory>/<dataset>.json`, as a whole; the folder is made.

    Raises:
        DataError: it cannot be written.
    """
    path = directory / f"{found.dataset}.json"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_whole(path, found.model_dump_json(indent=1) + "\n")
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror}): choose another folder with --to.") from error
    return path


def robustness_table(found: RobustnessResult) -> Table:
    """A row a recognizer, the most robust first, for a terminal."""
    table = Table(title=Words(_title(found)), title_justify="left")
    for place, title in enumerate(("recognizer", "as they are, %", "mean corrupted, %", "lost, %", "worst at")):
        table.add_column(title, justify="right" if 0 < place < 4 else "left")
    for run in _ranked(found):
        figures = (run.accuracy, run.mean_corrupted, run.relative_drop)
        worst = min(run.corrupted, key=lambda name: _mean(run, name))
        cells = [percent_interval(figure).text for figure in figures]
        table.add_row(Words(_name(run)), *cells, Words(f"{_words(worst)}, {100 * _mean(run, worst):.1f}"))
    return table


def robustness_section(records: Sequence[RobustnessResult], note: str = "") -> Section:
    """Each record: what was measured, the mean over corruptions by severity, every corruption by itself, tables.

    Args:
        records: One a dataset.
        note: What a reader must know of them besides.
    """
    elements: list[Element] = [Text(_INTRO), *([Text(note)] if note else [])]
    for number, found in enumerate(sorted(records, key=lambda one: one.is_synthetic)):
        elements += [_mean_plot(found, number), _scores(found), *_by_corruption(found, number)]
    return Section("robustness", "When pictures are bad", elements)


def _mean_plot(found: RobustnessResult, number: int) -> Plot:
    lines = []
    for place, run in enumerate(_ranked(found)[:_MOST_LINES]):
        points = [run.accuracy, *run.by_severity]
        lines.append(Line(_name(run), place, range(len(points)), points))
    text = f"{_title(found)}. Mean accuracy over all corruptions by severity; the tables have the numbers."
    return line_plot(
        f"robustness{number}",
        f"Accuracy as corruption grows: {_title(found)}",
        text,
        lines,
        x_axis={"title": {"text": "severity (0: as they are)"}, "dtick": 1},
    )


def _by_corruption(found: RobustnessResult, number: int) -> list[Element]:
    ranked = _ranked(found)
    plots = [
        line_plot(
            f"robustness{number}-{place}",
            _words(corruption),
            f"Accuracy under {_words(corruption)} by severity, 0 to {len(strengths)}; see the table.",
            [
                Line(_name(run), at, range(len(strengths) + 1), [run.accuracy, *run.corrupted[corruption]])
                for at, run in enumerate(ranked[:_MOST_LINES])
            ],
            x_axis={"dtick": 1},
            is_small=True,
        )
        for place, (corruption, strengths) in enumerate(found.strengths.items())
    ]
    columns = (Column("recognizer", is_text=True), *(Column(_words(name)) for name in found.strengths))
    rows = tuple(
        (Cell(_name(run), mark=run.family), *(_heated(run, corruption) for corruption in found.strengths))
        for run in ranked
    )
    caption = f"Accuracy under each corruption, mean over severities, %: {_title(found)}"
    key = tuple(_name(run) for run in ranked[:_MOST_LINES])
    return [
        Panels(f"Each corruption by itself: {_title(found)}", tuple(plots), key, is_folded=True),
        Grid(caption, columns, rows),
    ]


def _scores(found: RobustnessResult) -> Grid:
    columns = (
        Column("recognizer", is_text=True),
        Column("as they are, %"),
        Column("mean corrupted, %"),
        Column("lost, %"),
    )
    rows = tuple(
        (
            Cell(_name(run), mark=run.family),
            percent_interval(run.accuracy),
            percent_interval(run.mean_corrupted),
            percent_interval(run.relative_drop),
        )
        for run in _ranked(found)
    )
    return Grid(f"Accuracy with its interval: {_title(found)}", columns, rows)


def _heated(run: CorruptedRun, corruption: str) -> Cell:
    mean = _mean(run, corruption)
    shares = ", ".join(f"{100 * share.value:.1f}" for share in run.corrupted[corruption])
    return Cell(f"{100 * mean:.1f}", mean, f"by severity: {shares}", mean)


def _mean(run: CorruptedRun, corruption: str) -> float:
    return float(np.mean([share.value for share in run.corrupted[corruption]]))


def _ranked(found: RobustnessResult) -> list[CorruptedRun]:
    return sorted(found.runs, key=lambda run: (-run.mean_corrupted.value, _name(run)))


def _name(run: CorruptedRun) -> str:
    return f"{run.recognizer.experiment} seed{run.recognizer.seed}"


def _words(corruption: str) -> str:
    return corruption.replace("_", " ")


def _title(found: RobustnessResult) -> str:
    synthetic = " (synthetic faces)" if found.is_synthetic else ""
    part = "" if found.n_faces == found.n_split else f" of {found.n_split:,}"
    return f"{found.dataset}{synthetic}, {found.n_faces:,}{part} validation faces"
