"""An audit as tables for a terminal, and as contact sheets. Sheets show a dataset's faces: never commit them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.table import Table

from ferbench.data.audit import Audit, Copy
from ferbench.data.dataset import Dataset
from ferbench.types import Images

_Group: TypeAlias = tuple[Copy, ...]
_Placed: TypeAlias = tuple[float, int, Copy, bool]

_INK, _ORANGE = "#1f2933", "#c2410c"
_COLUMNS, _LINES, _GAP = 14, 9, 0.5
_MOST_SHOWN = 7


def audit_tables(audit: Audit) -> tuple[Table, Table]:
    """What was found in all, and split by split."""
    return _findings(audit), _by_split(audit)


def _findings(audit: Audit) -> Table:
    n_test = sum(audit.balance["test"].counts.values())
    table = Table(
        title=f"Audit of {audit.dataset}, {audit.image_size[0]} x {audit.image_size[1]} pixels",
        caption=(
            f"clean test split: {audit.n_clean_test:,} of {n_test:,} faces (one row an image, no twin in another "
            f"split); {audit.n_clean_test_near:,} without near duplicates\n"
            f"near: correlation of {audit.min_correlation:g} or more once aligned, or mirrored · "
            f"blank: standard deviation under {audit.min_contrast:g} gray levels: {len(audit.blank):,} images\n"
            f"fingerprint {audit.fingerprint}"
        ),
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("")
    for column in ("groups", "images", "groups across splits", "groups with conflicting labels"):
        table.add_column(column, justify="right")
    for name, found in (("identical", audit.exact), ("nearly identical", audit.near)):
        numbers = (found.n_groups, found.n_images, found.n_across_splits, found.n_conflicting)
        table.add_row(name, *(f"{number:,}" for number in numbers))
    return table


def _by_split(audit: Audit) -> Table:
    table = Table(title="Images by split", title_justify="left")
    table.add_column("")
    for name in audit.balance:
        table.add_column(name, justify="right")

    def row(title: str, counts: dict[str, int]) -> None:
        table.add_row(title, *(f"{counts[name]:,}" for name in audit.balance))

    row("all", {name: sum(balance.counts.values()) for name, balance in audit.balance.items()})
    row("with an identical one", audit.exact.images_by_split)
    row("in a near group", audit.near.images_by_split)
    row("blank", {name: sum(copy.split == name for copy in audit.blank) for name in audit.balance})
    table.add_section()
    for emotion in next(iter(audit.balance.values())).counts:
        row(emotion, {name: balance.counts[emotion] for name, balance in audit.balance.items()})
    ratios = (balance.imbalance for balance in audit.balance.values())
    table.add_row("largest / smallest", *("a class is empty" if r is None else f"{r:.1f}" for r in ratios))
    return table


def contact_sheet(dataset: Dataset, audit: Audit, directory: Path, *, max_pages: int = 3) -> list[Path]:
    """Draw the pictures that an audit of `dataset` found, as PNG pages to look at.

    Pages of one kind replace those of an earlier audit.

    Args:
        dataset: What was audited.
        audit: What was found.
        directory: Where to write; made if missing. Not a place under version control.
        max_pages: At most so many pages of each kind: identical across splits, near across splits, identical with
            conflicting labels, blank.

    Returns:
        The files written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    faces = _Faces(dataset)
    kinds: dict[str, tuple[str, Sequence[_Group]]] = {
        "identical_across_splits": ("identical pictures across splits", audit.exact.across_splits()),
        "near_across_splits": ("nearly identical pictures across splits", audit.near.across_splits()),
        "conflicting_labels": ("identical pictures with conflicting labels", audit.exact.conflicting()),
        "blank": ("pictures without contrast", tuple((copy,) for copy in audit.blank)),
    }
    written = []
    for kind, (title, groups) in kinds.items():
        for old in directory.glob(f"{kind}_*.png"):
            old.unlink()
        shown = 0
        for number, (n_groups, page) in enumerate(_pages(groups), start=1):
            if number > max_pages:
                break
            heading = f"{dataset.name}: {title}, {shown + 1:,} to {shown + n_groups:,} of {len(groups):,}"
            shown += n_groups
            written.append(_draw(page, heading, faces, directory / f"{kind}_{number}.png"))
    return written


class _Faces:
    """Where in its split the picture with a row number is."""

    def __init__(self, dataset: Dataset) -> None:
        self._splits = dict(dataset.splits())
        self._order = {name: np.argsort(split.rows, kind="stable") for name, split in self._splits.items()}

    def __getitem__(self, copy: Copy) -> Images:
        split, order = self._splits[copy.split], self._order[copy.split]
        face: Images = split.images[order[np.searchsorted(split.rows, copy.row, sorter=order)]]
        return face


def _pages(groups: Sequence[_Group]) -> Iterator[tuple[int, list[_Placed]]]:
    """(groups on it, pictures and where they go) of each page: groups side by side, none broken over two lines."""
    page: list[_Placed] = []
    n_groups, x, line = 0, 0.0, 0
    for group in groups:
        shown = _varied(group)
        if x + len(shown) > _COLUMNS:
            x, line = 0.0, line + 1
        if line == _LINES:
            yield n_groups, page
            page, n_groups, line = [], 0, 0
        is_conflicting = len({copy.label for copy in group}) > 1
        page += [(x + place, line, copy, is_conflicting) for place, copy in enumerate(shown)]
        x, n_groups = x + len(shown) + _GAP, n_groups + 1
    if page:
        yield n_groups, page


def _varied(group: _Group) -> _Group:
    """As many pictures of a group as there is room for, those first that add a split or a label."""
    new: list[Copy] = []
    rest: list[Copy] = []
    seen: set[str] = set()
    for copy in group:
        (rest if {copy.split, copy.label} <= seen else new).append(copy)
        seen |= {copy.split, copy.label}
    return tuple((new + rest)[:_MOST_SHOWN])


def _draw(page: list[_Placed], heading: str, faces: _Faces, path: Path) -> Path:
    n_lines = max(line for _, line, _, _ in page) + 1
    figure = Figure(figsize=(_COLUMNS, 1.42 * n_lines + 0.4), layout="constrained")
    axes: Axes = figure.add_subplot()
    for x, line, copy, is_conflicting in page:
        y = 1.42 * line
        axes.imshow(faces[copy], cmap="gray", vmin=0, vmax=255, extent=(x, x + 0.97, y + 0.97, y))
        color = _ORANGE if is_conflicting else _INK
        axes.text(x, y + 1.0, f"{copy.split} {copy.row}\n{copy.label}", color=color, fontsize=8, va="top")
    axes.set(xlim=(0, _COLUMNS), ylim=(1.42 * n_lines, -0.05))
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_title(heading, loc="left", fontsize=12, color=_INK)
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=100, metadata={"Software": None})
    return path
