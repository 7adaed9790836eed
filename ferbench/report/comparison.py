"""Two finished runs on the same faces: who is right where, and whether the difference is more than chance."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict
from rich.table import Table
from rich.text import Text

from ferbench.errors import DataError, did_you_mean
from ferbench.report.board import shown
from ferbench.report.elements import p_value_text
from ferbench.report.predictions import SplitPredictions
from ferbench.report.runs import Run, read_run
from ferbench.statistics.intervals import bootstrap_interval, difference_interval
from ferbench.statistics.paired import mcnemar


class Side(BaseModel):
    """One of the two. `accuracy_interval` is a 95 % bootstrap interval over duplicate groups."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: str
    experiment: str
    seed: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    clean_accuracy: float | None
    macro_f1: float
    p50_ms: float | None


class Comparison(BaseModel):
    """The paired test of two runs.

    `difference` is the accuracy of the first less that of the second, with its paired bootstrap interval over duplicate
    groups. `p_value` is McNemar's, two-sided, exact where fewer than 25 faces are right for one alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    classes: tuple[str, ...]
    fingerprint: str
    is_synthetic: bool
    split: Literal["validation", "test"]
    n: int
    first: Side
    second: Side
    both_right: int
    only_first_right: int
    only_second_right: int
    neither_right: int
    difference: float
    difference_interval: tuple[float, float]
    p_value: float
    is_exact: bool
    verdict: str


def find_run(name: str, reports: Path) -> Run:
    """A run by its folder, or by `<experiment>`, `<experiment>/seed<k>` or `<experiment>/<dataset>/seed<k>`.

    Raises:
        DataError: there is none of this name, there are several, or it cannot be used.
    """
    if (Path(name) / "result.json").is_file():
        return read_run(Path(name), name)
    places = {path.parent.relative_to(reports).as_posix() for path in reports.glob("*/*/seed*/result.json")}
    wanted = name.strip("/").split("/")
    found = sorted(place for place in places if _names(wanted, place.split("/")))
    if len(found) > 1:
        raise DataError(f"'{name}' names {len(found)} runs: give one of {', '.join(found)}.")
    if not found:
        experiments = {place.split("/")[0] for place in places}
        raise DataError(
            f"There is no finished run '{name}': it is no folder with a result.json, and none of its name lies under "
            f"{reports}. {did_you_mean(name, experiments)}"
        )
    return read_run(reports / found[0], found[0])


def compare(first: Run, second: Run, *, split: Literal["validation", "test"] | None = None) -> Comparison:
    """Test two runs on the same faces.

    Args:
        first: Any run.
        second: One on the same dataset, classes and faces.
        split: None: test where both were scored on it, else validation.

    Raises:
        DataError: they are not of the same faces and classes, or one lacks the split.
    """
    _check_same_data(first, second)
    if split is None:
        split = "test" if first.test and second.test else "validation"
    if split == "test" and not (first.test and second.test):
        lacking = second if first.test else first
        raise DataError(f"{lacking.place} was not scored on test: compare with --split validation.")
    ours, theirs = shown(first, split), shown(second, split)
    _check_same_faces(first, second, ours, theirs, split)
    test = mcnemar(ours.right, theirs.right)
    difference = difference_interval(ours.right.astype(float), theirs.right.astype(float), ours.groups)
    card = first.result.dataset
    both = int((ours.right & theirs.right).sum())
    sides = _side(first, split), _side(second, split)
    return Comparison(
        dataset=card.name,
        classes=card.classes,
        fingerprint=card.fingerprint,
        is_synthetic=card.is_synthetic,
        split=split,
        n=len(ours.rows),
        first=sides[0],
        second=sides[1],
        both_right=both,
        only_first_right=test.only_first,
        only_second_right=test.only_second,
        neither_right=len(ours.rows) - both - test.only_first - test.only_second,
        difference=difference.value,
        difference_interval=(difference.low, difference.high),
        p_value=test.p_value,
        is_exact=test.is_exact,
        verdict=_verdict(sides, difference.value, test.p_value),
    )


def comparison_table(found: Comparison) -> Table:
    """The two side by side, for a terminal."""
    synthetic = ", synthetic faces" if found.is_synthetic else ""
    title = f"{found.dataset}{synthetic}, {len(found.classes)} classes, {found.split} split, n = {found.n:,}"
    table = Table(title=Text(title), title_justify="left")
    table.add_column("")
    for side in (found.first, found.second):
        table.add_column(Text(f"{side.experiment} seed{side.seed}"), justify="right")
    sides = (found.first, found.second)
    table.add_row("accuracy, %", *(_percent(side.accuracy, side.accuracy_interval) for side in sides))
    if found.split == "test":
        clean = ["" if side.clean_accuracy is None else f"{100 * side.clean_accuracy:.1f}" for side in sides]
        table.add_row("clean test, %", *clean)
    table.add_row("macro-F1", *(f"{100 * side.macro_f1:.1f}" for side in sides))
    table.add_row("ms a face", *("" if side.p50_ms is None else f"{side.p50_ms:.2f}" for side in sides))
    table.add_row("only this one right", f"{found.only_first_right:,}", f"{found.only_second_right:,}")
    return table


def comparison_lines(found: Comparison) -> list[str]:
    """What the test says, in sentences."""
    exact = "exact" if found.is_exact else "chi-square with continuity correction"
    low, high = found.difference_interval
    return [
        f"Both right: {found.both_right:,}. Neither: {found.neither_right:,}. Fingerprint {found.fingerprint[:12]}.",
        f"Difference {100 * found.difference:+.1f} points [{100 * low:+.1f}, {100 * high:+.1f}], 95 % paired bootstrap "
        "over duplicate groups.",
        f"McNemar's test, {exact}: p {_p(found.p_value)}.",
        found.verdict,
    ]


def _names(wanted: list[str], place: list[str]) -> bool:
    if len(wanted) == 2:
        return wanted[0] == place[0] and wanted[1] in place[1:]
    return wanted == place[: len(wanted)]


def _check_same_data(first: Run, second: Run) -> None:
    ours, theirs = first.result.dataset, second.result.dataset
    for what, one, other in (
        ("datasets", ours.name, theirs.name),
        ("classes", ", ".join(ours.classes), ", ".join(theirs.classes)),
        ("copies of the dataset (fingerprints)", ours.fingerprint[:12], theirs.fingerprint[:12]),
    ):
        if one != other:
            raise DataError(
                f"{first.place} and {second.place} are on different {what}: {one} against {other}. "
                "Only runs on the same faces and classes can be compared."
            )


def _check_same_faces(first: Run, second: Run, ours: SplitPredictions, theirs: SplitPredictions, split: str) -> None:
    if len(ours.rows) != len(theirs.rows):
        raise DataError(
            f"{first.place} has {len(ours.rows):,} predictions of {split} and {second.place} {len(theirs.rows):,}: "
            "only runs on the same faces can be compared."
        )
    if not ours.is_of_the_same_faces(theirs):
        raise DataError(
            f"{first.place} and {second.place} have other faces, labels or duplicate groups in {split}: only runs on "
            "the same split can be compared."
        )


def _side(run: Run, split: Literal["validation", "test"]) -> Side:
    result, found = run.result, shown(run, split)
    scores = result.test if split == "test" and result.test else result.validation
    latency = result.cost.latency_at(1)
    right = found.right.astype(float)
    return Side(
        place=run.place,
        experiment=result.config.name,
        seed=result.config.seed,
        accuracy=float(right.mean()),
        accuracy_interval=bootstrap_interval(right, found.groups),
        clean_accuracy=result.clean_test.accuracy if split == "test" and result.clean_test else None,
        macro_f1=scores.macro_f1,
        p50_ms=latency.p50_ms if latency else None,
    )


def _verdict(sides: tuple[Side, Side], difference: float, p_value: float) -> str:
    names = [f"{side.experiment} seed{side.seed}" for side in sides]
    if p_value >= 0.05:
        return f"{names[0]} and {names[1]} are tied: the difference may be chance (p {_p(p_value)})."
    better, worse = names if difference > 0 else names[::-1]
    return f"{better} is better than {worse} by {100 * abs(difference):.1f} points (p {_p(p_value)})."


def _p(p_value: float) -> str:
    text = p_value_text(p_value)
    return text if text.startswith("<") else f"= {text}"


def _percent(value: float, interval: tuple[float, float]) -> str:
    return f"{100 * value:.1f} [{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]"
