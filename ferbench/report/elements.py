"""What a report is made of: tables, figures and sections, which the page writes as HTML and the summary as Markdown.

Texts are plain here; whoever writes them out escapes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ferbench.statistics.intervals import Interval


@dataclass(frozen=True, slots=True)
class Cell:
    """One entry of a table.

    Attributes:
        text: As it is read.
        order: As it is sorted; None: by the text.
        note: Said on hover and to screen readers.
        heat: 0 to 1, the strength of the background; None: none.
        mark: A word for the style: "classical", "deep", "baseline", "apart", "weak".
    """

    text: str
    order: float | None = None
    note: str = ""
    heat: float | None = None
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `is_text` puts it to the left and lets it wrap, `note` explains its title."""

    title: str
    note: str = ""
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. The first cell of a row names it. `is_sortable` is for tables whose order means nothing else."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    is_sortable: bool = True
    is_folded: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """A Plotly figure; `text` is what it shows in words, for who does not see it."""

    name: str
    title: str
    text: str
    traces: list[dict[str, Any]]
    layout: dict[str, Any]
    height: int = 420


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str
    kind: Literal["plain", "warning"] = "plain"


@dataclass(frozen=True, slots=True)
class Panels:
    """Small figures side by side; `title` says what they are together, `key` names their lines by place."""

    title: str
    plots: tuple[Plot, ...]
    key: tuple[str, ...] = ()
    is_folded: bool = False


_MARKDOWN = {"\\": "\\\\", "`": "\\`", "*": "\\*", "|": "\\|", "](": "]\\(", "://": ":&#8203;//"}

Element: TypeAlias = Grid | Plot | Panels | Text


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with a heading."""

    name: str
    title: str
    elements: list[Element] = field(default_factory=list)


def percent(value: float | None, digits: int = 1) -> Cell:
    """A share in percent; a dash where there is none."""
    return number(None if value is None else 100 * value, digits)


def number(value: float | None, digits: int = 1, unit: str = "") -> Cell:
    """A figure with so many digits behind the point."""
    if value is None:
        return Cell("-", float("-inf"))
    return Cell(f"{value:,.{digits}f}{unit}", value)


def percent_interval(found: Interval) -> Cell:
    """A share with its interval, both in percent."""
    return Cell(f"{100 * found.value:.1f} [{100 * found.low:.1f}, {100 * found.high:.1f}]", found.value)


def points_interval(found: Interval) -> Cell:
    """A difference of shares with its interval, in percentage points."""
    return Cell(f"{100 * found.value:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]", found.value)


def p_value_text(p: float) -> str:
    """A p-value as one writes it."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def table_markdown(grid: Grid) -> str:
    """A table in Markdown, as GitHub shows it."""
    head = f"| {' | '.join(markdown_text(column.title) for column in grid.columns)} |"
    rule = f"|{'|'.join('---' if column.is_text else '---:' for column in grid.columns)}|"
    rows = [f"| {' | '.join(_markdown_cell(cell) for cell in row)} |" for row in grid.rows]
    return "\n".join([head, rule, *rows])


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    escaped = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for found, shown in _MARKDOWN.items():
        escaped = escaped.replace(found, shown)
    return escaped


def _markdown_cell(cell: Cell) -> str:
    return f"**{markdown_text(cell.text)}**" if cell.mark == "apart" else markdown_text(cell.text)
