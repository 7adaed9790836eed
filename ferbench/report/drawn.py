"""Drawn faces under one condition that grows, as a section of the report. Synthetic, and always called so."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ferbench.conditions import Condition, ConditionsResult, Estimate
from ferbench.errors import DataError
from ferbench.report.elements import (
    Cell,
    Column,
    Element,
    Grid,
    Panels,
    Plot,
    Section,
    Text,
    number,
    percent_interval,
    points_interval,
)
from ferbench.report.lines import Line, line_plot
from ferbench.report.records import read_record
from ferbench.statistics.intervals import Interval
from ferbench.types import EMOTIONS

_MOST_LINES = 24
_AXES = {
    "yaw": ("Head turned", "degrees to either side"),
    "light": ("Light from the side", "degrees from the camera"),
    "hand": ("Covered by a hand", "hand, % of the picture"),
    "eyes": ("Bar over the eyes", "bar, % of the picture"),
    "mouth": ("Bar over the mouth", "bar, % of the picture"),
}


def read_drawn(path: Path) -> ConditionsResult:
    """Read what `python -m ferbench conditions` wrote.

    Raises:
        DataError: it is damaged, something else, or its parts do not fit.
    """
    found = read_record(path, ConditionsResult)
    names = {run.experiment for run in found.runs}
    levels = [level for condition in found.conditions for level in condition.levels]
    if not names or not levels or not all(condition.levels for condition in found.conditions):
        raise DataError(f"{path} has no recognizer or no level: measure it again.")
    if any(set(level.accuracy) != names for level in levels):
        raise DataError(f"{path} lacks a recognizer at some level: measure it again.")
    return found


def drawn_section(found: ConditionsResult, note: str = "") -> Section:
    """A figure a condition, and how accurate each recognizer is where nothing is set.

    Args:
        found: What was measured.
        note: What a reader must know of it besides.
    """
    n_persons = -(-found.n_faces // found.faces_a_person)
    intro = (
        "Synthetic: these faces are drawn by a program, which alone can change one condition and nothing else. "
        f"{found.n_faces:,} faces of {n_persons:,} persons at each level, the same persons and expressions throughout, "
        "nobody of whom was trained on; recognizers were fitted on drawn faces. Nothing here is measured on human "
        "faces. Lines are means over trainings with 95 % bootstrap intervals over persons; chance is dotted."
    )
    places = {name: place for place, name in enumerate(_ranked(found)[:_MOST_LINES])}
    plots = tuple(_plot(condition, number, places) for number, condition in enumerate(found.conditions))
    title = "Synthetic faces: accuracy as one condition grows, %"
    elements: list[Element] = [Text(intro), *([Text(note)] if note else []), Panels(title, plots, key=tuple(places))]
    elements += [_levels(found), _unset(found)]
    return Section("conditions", "Drawn faces, condition by condition", elements)


def _plot(condition: Condition, number: int, places: dict[str, int]) -> Plot:
    title, axis = _AXES.get(condition.name, (condition.name, condition.unit))
    lines = [
        Line(
            name,
            place,
            [round(level.at, 2) for level in condition.levels],
            [_interval(level.accuracy[name]) for level in condition.levels],
        )
        for name, place in places.items()
    ]
    text = f"{title}, synthetic faces: accuracy of {', '.join(places)} at {len(condition.levels)} levels."
    x_axis = {"title": {"text": axis}}
    return line_plot(f"conditions-{number}", title, text, lines, x_axis=x_axis, chance=1 / len(EMOTIONS), is_small=True)


def _levels(found: ConditionsResult) -> Grid:
    names = _ranked(found)
    columns = (Column("condition", is_text=True), Column("level"), *(Column(name) for name in names))
    rows = tuple(
        (
            Cell(_AXES.get(condition.name, (condition.name, ""))[0]),
            number(level.at, unit="°" if condition.unit == "degrees" else " %"),
            *(percent_interval(_interval(level.accuracy[name])) for name in names),
        )
        for condition in found.conditions
        for level in condition.levels
    )
    return Grid("Synthetic faces: accuracy at each level, %", columns, rows, is_folded=True)


def _unset(found: ConditionsResult) -> Grid:
    leads = {lead.better: lead for lead in found.leads}
    columns = (
        Column("recognizer", is_text=True),
        Column("seed"),
        Column("nothing set, %"),
        Column("lead over the next, points", "over the next weaker experiment with the same seed"),
    )
    rows = []
    for name in _ranked(found):
        for run in (run for run in found.runs if run.experiment == name):
            lead = leads[name].by_seed.get(run.seed) if name in leads else None
            rows.append(
                (
                    Cell(name),
                    Cell(str(run.seed), run.seed),
                    percent_interval(_interval(run.unset)),
                    points_interval(_interval(lead)) if lead else Cell("-", float("-inf")),
                )
            )
    return Grid(f"Synthetic faces with nothing set, n = {found.n_unset:,}", columns, tuple(rows))


def _ranked(found: ConditionsResult) -> list[str]:
    accuracy: dict[str, list[float]] = {}
    for run in found.runs:
        accuracy.setdefault(run.experiment, []).append(run.unset.value)
    return sorted(accuracy, key=lambda name: -float(np.mean(accuracy[name])))


def _interval(estimate: Estimate) -> Interval:
    return Interval(estimate.value, estimate.low, estimate.high)
