"""`index.html`: everything in one file that opens offline and asks for nothing. Templates escape every text."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ferbench import __version__
from ferbench.errors import DataError, MissingLibraryError
from ferbench.report.elements import Element, Grid, Panels, Plot, Section, Text
from ferbench.report.leaderboard import Recommendation, leaderboard, recommendations, verdict
from ferbench.report.pareto import pareto
from ferbench.report.runs import SetApart
from ferbench.report.standing import Standing
from ferbench.report.story import Story, tell
from ferbench.report.summary import summary_markdown
from ferbench.results import now, write_whole

_TEMPLATES = Path(__file__).parent / "templates"
_MOST_ROWS = 1000


class Written(NamedTuple):
    """What `write_report` left, and what it did not rank."""

    files: tuple[Path, ...]
    set_apart: tuple[SetApart, ...]


@dataclass(frozen=True, slots=True)
class BoardPart:
    """A leaderboard as the page shows it."""

    name: str
    title: str
    verdict: str
    recommendations: list[Recommendation]
    sentences: tuple[str, ...]
    elsewhere: str
    warnings: tuple[str, ...]
    grid: Grid
    plot: Plot | None
    sections: list[Section]


def write_report(reports: Path, target: Path, *, runs: Path | None = None) -> Written:
    """Write `index.html` and `summary.md` about all finished runs.

    Args:
        reports: Holds `<experiment>/<dataset>/seed<k>/`, and what else was measured.
        target: Where to write; made if missing.
        runs: Where runs lie, if not in `reports`.

    Raises:
        DataError: there is no folder of reports, or no run in it that can be shown.
        MissingLibraryError: Plotly or Jinja2 is not installed.
    """
    plotly = _plotly()
    story = tell(reports, runs)
    if not story.standings:
        reasons = "; ".join(f"{one.place}: {one.reason}" for one in story.set_apart[:3])
        raise DataError(
            f"There is no finished run to show under {runs or reports}{f' ({reasons})' if reasons else ''}: run an "
            "experiment first, python -m ferbench run experiments/hog_svm.yaml."
        )
    page, summary = target / "index.html", target / "summary.md"
    try:
        target.mkdir(parents=True, exist_ok=True)
        write_whole(page, page_html(story, plotly))
        write_whole(summary, summary_markdown(story))
    except OSError as error:
        raise DataError(f"{target} cannot be written ({error.strerror}): choose another folder with --to.") from error
    return Written((page, summary), story.set_apart)


def page_html(story: Story, plotly: str) -> str:
    """The page as text.

    Args:
        story: What it tells.
        plotly: The source of plotly.js, which is put into the page, packed: it would be most of it.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
        from markupsafe import Markup
    except ImportError as error:
        raise _missing("Jinja2") from error
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests |= {"grid": _is(Grid), "plot": _is(Plot), "panels": _is(Panels), "paragraph": _is(Text)}
    parts = [_part(standing, place, story) for place, standing in enumerate(story.standings)]
    text: str = environment.get_template("page.html").render(
        parts=parts,
        sections=story.sections,
        figures=json_for_script(_figures(parts, story.sections)),
        most_rows=_MOST_ROWS,
        version=__version__,
        created=f"{now():%Y-%m-%d %H:%M} UTC",
        n_apart=len(story.set_apart),
        style=Markup(_own("page.css")),
        script=Markup(_own("page.js")),
        plotly=b64encode(gzip.compress(plotly.encode(), mtime=0)).decode("ascii"),
    )
    return text


def json_for_script(value: Any) -> Any:
    """JSON that can stand inside a script element: no text in it can end the element or open a comment."""
    from markupsafe import Markup

    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _part(standing: Standing, place: int, story: Story) -> BoardPart:
    is_compared = len(standing.contenders) > 1
    return BoardPart(
        name=f"board{place}",
        title=standing.board.title,
        verdict=verdict(standing.board),
        recommendations=recommendations(standing) if is_compared else [],
        sentences=standing.sentences,
        elsewhere=standing.elsewhere,
        warnings=standing.board.warnings,
        grid=leaderboard(standing),
        plot=pareto(standing) if is_compared else None,
        sections=story.board_sections[place],
    )


def _figures(parts: Sequence[BoardPart], sections: Sequence[Section]) -> dict[str, Any]:
    """Traces and layout of every figure by the id of its place on the page."""
    found: dict[str, Any] = {}

    def take(prefix: str, elements: Sequence[Element]) -> None:
        for element in elements:
            plots = element.plots if isinstance(element, Panels) else (element,)
            for plot in plots:
                if isinstance(plot, Plot):
                    if f"{prefix}-{plot.name}" in found:
                        raise ValueError(f"two figures of one name: {prefix}-{plot.name}")
                    found[f"{prefix}-{plot.name}"] = {"data": plot.traces, "layout": plot.layout}

    for part in parts:
        take(part.name, [part.plot] if part.plot else [])
        for section in part.sections:
            take(part.name, section.elements)
    for section in sections:
        take("all", section.elements)
    return found


def _is(kind: type) -> Any:
    return lambda value: isinstance(value, kind)


def _own(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise _missing("Plotly") from error
    source: str = get_plotlyjs()
    return source


def _missing(library: str) -> MissingLibraryError:
    return MissingLibraryError(f'The report needs {library}, which is not installed: pip install "ferbench[report]".')
