"""`summary.md`: the leaderboards for GitHub, without figures."""

from __future__ import annotations

from ferbench.report.elements import Grid, Section, Text, markdown_text, table_markdown
from ferbench.report.leaderboard import leaderboard, recommendations, verdict
from ferbench.report.standing import Standing
from ferbench.report.story import Story

_IN_SUMMARY = ("singles", "tests", "recall", "calibration", "leakage", "cost", "taggers")
_OF_ONE = ("singles",)
_LEFT_OUT = ("All pairs", "Synthetic faces: accuracy at each level, %")
_MOST_COLUMNS = 16
_COMMON = ("robustness", "conditions", "evaluations", "realtime", "audit", "protocol", "apart")


def summary_markdown(story: Story) -> str:
    """All boards and what concerns all runs; the page has the rest."""
    lines = [
        "# Benchmark summary",
        "",
        "Written by `python -m ferbench report`; `index.html` beside it has figures, confusion matrices, all pairs of "
        "tests, training curves and provenance.",
    ]
    for standing, sections in zip(story.standings, story.board_sections, strict=True):
        lines += _board(standing, sections)
    for section in story.sections:
        if section.name in _COMMON:
            lines += _section(section, "##")
    return "\n".join(lines) + "\n"


def _board(standing: Standing, sections: list[Section]) -> list[str]:
    board = standing.board
    lines = ["", f"## {markdown_text(board.title)}", "", markdown_text(verdict(board))]
    lines += [f"\n> {markdown_text(warning)}" for warning in board.warnings]
    lines += ["", table_markdown(leaderboard(standing)), "", _notes(leaderboard(standing))]
    lines += [f"\n{markdown_text(sentence)}" for sentence in (*standing.sentences, standing.elsewhere) if sentence]
    if len(standing.contenders) > 1:
        recommended = recommendations(standing)
        if recommended:
            lines += ["", "Recommended, by validation accuracy, where 95 % of faces keep the budget:", ""]
        for found in recommended:
            what = f"**{markdown_text(found.name)}**, {found.accuracy}, {found.cost}" if found.name else found.cost
            lines.append(f"- {found.budget}: {what}")
    for section in sections:
        if section.name in (_IN_SUMMARY if len(standing.contenders) > 1 else _OF_ONE):
            lines += _section(section, "###")
    return lines


def _section(section: Section, heading: str) -> list[str]:
    lines = ["", f"{heading} {section.title}"]
    for element in section.elements:
        if isinstance(element, Text):
            lines += ["", markdown_text(element.text)]
        elif isinstance(element, Grid) and element.caption not in _LEFT_OUT and len(element.columns) <= _MOST_COLUMNS:
            lines += ["", f"{markdown_text(element.caption)}:", "", table_markdown(element)]
    return lines


def _notes(grid: Grid) -> str:
    return "; ".join(
        f"{markdown_text(column.title)}: {markdown_text(column.note)}" for column in grid.columns if column.note
    )
