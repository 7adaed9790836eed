"""The report's section on engines, over the survey that is committed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ferbench.engines.record import Survey, read_survey
from ferbench.report.elements import Grid, Plot, Text
from ferbench.report.engine_costs import engines_section
from ferbench.report.story import tell
from ferbench.report.summary import summary_markdown

COMMITTED = Path(__file__).parents[2] / "reports" / "engines" / "engines.json"


@pytest.fixture
def survey() -> Survey:
    return read_survey(COMMITTED)


def grid_of(survey: Survey) -> Grid:
    (grid,) = (one for one in engines_section([survey]).elements if isinstance(one, Grid))
    return grid


def test_every_form_has_a_row_for_each_number_of_threads(survey: Survey) -> None:
    grid = grid_of(survey)
    assert len(grid.rows) == sum(len(form.timings) for form in survey.forms)
    assert {len(row) for row in grid.rows} == {len(grid.columns)}
    assert grid.rows[0][6].text == str(survey.threads[0])


def test_a_failed_gate_is_marked(survey: Survey) -> None:
    marks = {row[3].text: row[3].mark for row in grid_of(survey).rows}
    assert marks == {"passed": "", "failed": "weak", "reference": ""}


def test_the_figure_has_a_trace_a_recognizer_and_a_point_a_form(survey: Survey) -> None:
    (plot,) = (one for one in engines_section([survey]).elements if isinstance(one, Plot))
    assert len(plot.traces) == len({form.recognizer for form in survey.forms})
    assert sum(len(trace["x"]) for trace in plot.traces) == len(survey.forms)


def test_names_are_escaped_where_plotly_would_read_markup(survey: Survey) -> None:
    hostile = survey.forms[0].model_copy(update={"recognizer": "<b>x<i>"})
    (plot,) = (
        one
        for one in engines_section([survey.model_copy(update={"forms": (hostile,)})]).elements
        if isinstance(one, Plot)
    )
    assert plot.traces[0]["name"] == "&lt;b&gt;x&lt;i&gt;" and "<b>x" not in plot.traces[0]["text"][0]


def test_what_was_left_out_and_drawn_faces_are_said(survey: Survey) -> None:
    changed = survey.model_copy(update={"left_out": {"cnn9 tensorrt": "no such engine"}, "is_synthetic": True})
    texts = [one.text for one in engines_section([changed]).elements if isinstance(one, Text)]
    assert "synthetic faces" in texts[0] and texts[1] == "Left out: cnn9 tensorrt: no such engine"


def test_the_report_shows_the_survey_and_tells_of_a_broken_one(three_runs: Path) -> None:
    (three_runs / "engines").mkdir(exist_ok=True)
    shutil.copyfile(COMMITTED, three_runs / "engines" / "engines.json")
    (three_runs / "engines" / "other.json").write_text("{}")
    story = tell(three_runs)
    assert "engines" in [section.name for section in story.sections]
    assert [one.place for one in story.set_apart] == ["engines/other.json"]
    assert "Benchmark summary" in summary_markdown(story)
