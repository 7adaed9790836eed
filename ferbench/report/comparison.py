"""Two recognizers on the same faces: who is right where, and whether the difference is more than chance."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from rich.table import Table
from rich.text import Text

from ferbench.errors import DataError
from ferbench.report.board import SplitName
from ferbench.report.compared import Compared
from ferbench.report.elements import p_value_text
from ferbench.statistics.intervals import bootstrap_interval, difference_interval
from ferbench.statistics.paired import mcnemar

_BY_WEIGHT: tuple[SplitName, ...] = ("test", "validation")


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


class Comparison(BaseModel):
    """The paired test of two recognizers.

    `difference` is the accuracy of the first less that of the second, with its paired bootstrap interval over duplicate
    groups. `p_value` is McNemar's, two-sided, exact where fewer than 25 faces are right for one alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    classes: tuple[str, ...]
    fingerprint: str
    is_synthetic: bool
    split: SplitName
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


def compare(first: Compared, second: Compared, *, split: SplitName | None = None) -> Comparison:
    """Test two on the same faces.

    Args:
        first: Any.
        second: One on the same dataset, classes and faces.
        split: None: test where both were scored on it, else validation.

    Raises:
        DataError: they are not of the same faces and classes, or one lacks the split.
    """
    _check_same_data(first, second)
    split = _chosen_split(first, second, split)
    _check_same_faces(first, second, split)
    ours, theirs = first.splits[split].predictions, second.splits[split].predictions
    test = mcnemar(ours.right, theirs.right)
    difference = difference_interval(ours.right.astype(float), theirs.right.astype(float), ours.groups)
    both = int((ours.right & theirs.right).sum())
    sides = _side(first, split), _side(second, split)
    return Comparison(
        dataset=first.dataset,
        classes=first.classes,
        fingerprint=first.fingerprint,
        is_synthetic=first.is_synthetic,
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


def _check_same_data(first: Compared, second: Compared) -> None:
    for what, one, other in (
        ("datasets", first.dataset, second.dataset),
        ("classes", ", ".join(first.classes), ", ".join(second.classes)),
        ("copies of the dataset (fingerprints)", first.fingerprint[:12], second.fingerprint[:12]),
    ):
        if one != other:
            raise DataError(
                f"{first.place} and {second.place} are on different {what}: {one} against {other}. "
                "Only runs on the same faces and classes can be compared."
            )


def _chosen_split(first: Compared, second: Compared, asked: SplitName | None) -> SplitName:
    shared = [split for split in _BY_WEIGHT if split in first.splits and split in second.splits]
    if shared and asked in (None, shared[0], shared[-1]):
        return asked or shared[0]
    if shared:
        lacking = second if asked in first.splits else first
        raise DataError(f"{lacking.place} was not scored on {asked}: compare with --split {shared[0]}.")
    raise DataError(
        f"{first.place} has predictions of {', '.join(first.splits)} and {second.place} of "
        f"{', '.join(second.splits)}: only the same split can be compared."
    )


def _check_same_faces(first: Compared, second: Compared, split: SplitName) -> None:
    ours, theirs = first.splits[split].predictions, second.splits[split].predictions
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


def _side(one: Compared, split: SplitName) -> Side:
    found = one.splits[split]
    right = found.predictions.right.astype(float)
    return Side(
        place=one.place,
        experiment=one.experiment,
        seed=one.seed,
        accuracy=float(right.mean()),
        accuracy_interval=bootstrap_interval(right, found.predictions.groups),
        clean_accuracy=found.clean.accuracy if found.clean else None,
        macro_f1=found.scores.macro_f1,
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
