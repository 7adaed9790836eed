"""Accuracy under corruptions, as `reports/robustness.json` holds it, and what the report shows of it."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ferbench.errors import DataError
from ferbench.report.elements import Cell, Column, Grid, Plot, Section, Text, number, percent
from ferbench.validation import explain


class CorruptedRun(BaseModel):
    """One recognizer: accuracy on the faces as they are, and by corruption at severities 1, 2, ... in order."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    experiment: str
    seed: int
    accuracy: float = Field(ge=0, le=1, allow_inf_nan=False)
    corrupted: dict[str, tuple[float, ...]]


class RobustnessResult(BaseModel):
    """Recognizers under the same corruptions of the same faces."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: Literal[1] = 1
    dataset: str
    is_synthetic: bool
    split: Literal["validation", "test"]
    n_faces: int
    runs: tuple[CorruptedRun, ...]


def read_robustness(path: Path) -> RobustnessResult | None:
    """Read a record; None where there is none.

    Raises:
        DataError: it is something else.
    """
    try:
        return RobustnessResult.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise DataError(f"{path} is no record of robustness: {explain(error, RobustnessResult)}") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error


def robustness_section(found: RobustnessResult) -> Section:
    """Mean accuracy under each corruption, and one curve a recognizer over severities."""
    kinds = sorted({kind for run in found.runs for kind in run.corrupted})
    columns = (
        Column("recognizer", is_text=True),
        Column("as they are, %"),
        Column("mean corrupted, %", "over all corruptions and severities"),
        Column("kept, %", "mean corrupted over as they are"),
        *(Column(kind.replace("_", " ")) for kind in kinds),
    )
    rows = []
    for run in sorted(found.runs, key=lambda run: -_mean(run)):
        cells = []
        for kind in kinds:
            values = run.corrupted.get(kind)
            mean = float(np.mean(values)) if values else None
            note = ", ".join(f"{100 * value:.1f}" for value in values or ())
            cells.append(Cell("-") if mean is None else Cell(f"{100 * mean:.1f}", mean, f"by severity: {note}", mean))
        kept = _mean(run) / run.accuracy if run.accuracy else None
        name = Cell(f"{run.experiment} seed{run.seed}")
        rows.append((name, percent(run.accuracy), percent(_mean(run)), number(kept and 100 * kept, 0), *cells))
    synthetic = " Synthetic faces." if found.is_synthetic else ""
    text = (
        f"The same {found.n_faces:,} faces of {found.dataset}, {found.split} split, under {len(kinds)} corruptions in "
        f"rising severity.{synthetic}"
    )
    grid = Grid("Accuracy under corruption, mean over severities", columns, tuple(rows))
    return Section("robustness", "When pictures are bad", [Text(text), _plot(found), grid])


def _plot(found: RobustnessResult) -> Plot:
    traces = []
    for place, run in enumerate(sorted(found.runs, key=lambda run: -_mean(run))):
        depth = max((len(values) for values in run.corrupted.values()), default=0)
        by_severity = [[values[i] for values in run.corrupted.values() if i < len(values)] for i in range(depth)]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": escape(f"{run.experiment} seed{run.seed}"),
                "x": list(range(depth + 1)),
                "y": [100 * run.accuracy, *(round(100 * float(np.mean(values)), 2) for values in by_severity)],
                "meta": {"role": f"series {place}"},
            }
        )
    layout = {
        "xaxis": {"title": {"text": "severity (0: as they are)"}, "dtick": 1},
        "yaxis": {"title": {"text": "accuracy, %, mean over corruptions"}},
        "legend": {"orientation": "h", "y": -0.2},
    }
    text = "Mean accuracy over all corruptions by severity, a line a recognizer; the table has each corruption."
    return Plot("robustness", "Accuracy as corruption grows", text, traces, layout)


def _mean(run: CorruptedRun) -> float:
    means = [float(np.mean(values)) for values in run.corrupted.values() if values]
    return float(np.mean(means)) if means else 0.0
