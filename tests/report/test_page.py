"""`python -m ferbench report`: what the page holds, and that hostile or broken inputs leave it whole."""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from ferbench.cli import main
from ferbench.conditions import Condition, ConditionsResult, Estimate, Level, TrainedRun
from ferbench.data.audit import audit
from ferbench.data.dataset import Dataset
from ferbench.environment import Environment
from ferbench.evaluation import Origin
from ferbench.report.elements import Grid
from ferbench.report.page import json_for_script, page_html, write_report
from ferbench.report.robustness import write_robustness
from ferbench.report.story import tell
from ferbench.report.summary import summary_markdown
from ferbench.results import now
from ferbench.robustness import CorruptedRun, RobustnessResult
from ferbench.statistics.intervals import Interval
from ferbench.types import EMOTIONS

ENVIRONMENT = Environment.capture()
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>|`*[x](javascript:alert(3))"


class Outline(HTMLParser):
    """Elements of a page, and whether each that is opened is closed."""

    EMPTY = ("meta", "link", "br", "img", "input", "hr")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} closes nothing"

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def count(self, tag: str) -> int:
        return sum(one == tag for one, _ in self.elements)


def page_of(reports: Path) -> str:
    return page_html(tell(reports), "/* plotly */")


def interval_of(value: float) -> Interval:
    return Interval(value, value - 0.02, value + 0.02)


def robustness_of(accuracies: dict[str, float], *, is_synthetic: bool = False) -> RobustnessResult:
    """Two corruptions in two severities; three quarters of the accuracy are kept."""
    runs = []
    for name, accuracy in accuracies.items():
        kept = interval_of(0.75 * accuracy)
        runs.append(
            CorruptedRun(
                recognizer=Origin(experiment=name, seed=0, weights="0", fitted_on=None),
                family="deep",
                accuracy=interval_of(accuracy),
                mean_corrupted=kept,
                relative_drop=interval_of(0.25),
                by_severity=(kept, kept),
                corrupted={"noise": (kept, kept), "motion_blur": (kept, kept)},
            )
        )
    return RobustnessResult(
        dataset="synthetic" if is_synthetic else "fer2013",
        classes=EMOTIONS,
        fingerprint="f" * 64,
        is_synthetic=is_synthetic,
        n_faces=140,
        n_groups=140,
        n_split=140,
        seed=0,
        strengths={"noise": (0.1, 0.2), "motion_blur": (0.1, 0.2)},
        pixels_sha256="0",
        runs=tuple(runs),
        environment=ENVIRONMENT,
        created_at=now(),
    )


def drawn_of(name: str) -> ConditionsResult:
    """One recognizer as heads turn, at two levels."""
    share = Estimate(value=0.6, low=0.58, high=0.62)
    run = TrainedRun(
        experiment=name,
        seed=0,
        config_hash="0",
        fingerprint="0",
        n_train=1,
        n_validation=1,
        n_test=1,
        commit=None,
        validation=share,
        test=None,
        unset=share,
    )
    levels = tuple(
        Level(at=at, setting={"yaw": at}, accuracy={name: Estimate(value=value, low=value, high=value)})
        for at, value in ((0.0, 0.6), (30.0, 0.4))
    )
    return ConditionsResult(
        seed=0,
        n_faces=70,
        n_unset=70,
        faces_a_person=3,
        image_size=(48, 48),
        unset_sha256="0",
        runs=(run,),
        leads=(),
        conditions=(Condition(name="yaw", unit="degrees", usual=5.0, levels=levels),),
        environment=ENVIRONMENT,
        created_at=now(),
    )


def test_page_is_whole_and_has_every_section(three_runs: Path) -> None:
    outline = Outline(page_of(three_runs))
    assert outline.open == []
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    names = ("tests", "confusion", "recall", "calibration", "leakage", "cost", "curves")
    assert {f"board0-section-{name}" for name in names} <= set(ids)
    assert {f"all-section-{name}" for name in ("protocol", "provenance", "ledger")} <= set(ids)
    links = {attributes["href"] for tag, attributes in outline.elements if tag == "a"}
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_page_asks_for_nothing_from_elsewhere(three_runs: Path) -> None:
    for tag, attributes in Outline(page_of(three_runs)).elements:
        for name in ("src", "href", "action", "srcset", "data"):
            assert not re.match(r"(?:[a-z]+:)?//|https?:", attributes.get(name) or ""), (tag, attributes)


def test_figures_in_the_page_are_json_and_have_their_places(three_runs: Path) -> None:
    text = page_of(three_runs)
    figures = json.loads(re.search(r'id="figures">(.*?)</script>', text, re.DOTALL)[1])
    assert {"board0-pareto", "board0-reliability", "board0-curves"} <= figures.keys()
    for name, figure in figures.items():
        assert f'id="{name}"' in text
        assert all("role" in trace["meta"] for trace in figure["data"])


def test_summary_has_a_row_an_experiment_and_the_recommendations(three_runs: Path) -> None:
    text = summary_markdown(tell(three_runs))
    assert re.search(r"^\| 1 \| cnn9 \| .* \| deep \|$", text, re.MULTILINE)
    assert "- 1 ms a face: **hog_svm**" in text
    widths = [line.count("|") for line in text.splitlines() if line.startswith("|")]
    assert min(widths) >= 3


def test_hostile_texts_are_shown_as_text(make_run, reports: Path) -> None:
    directory = make_run("hog_svm")
    make_run("cnn9", family="deep")
    path = directory / "result.json"
    content = json.loads(path.read_text())
    content["recognizer"]["name"] = HOSTILE
    content["environment"]["processor"] = HOSTILE
    content["environment"]["libraries"][HOSTILE] = HOSTILE
    content["environment"]["commit"] = HOSTILE
    content["protocol"]["choices"] = {HOSTILE: HOSTILE}
    path.write_text(json.dumps(content))
    (reports / "test_ledger.jsonl").write_text(json.dumps({"when": HOSTILE, "experiment": HOSTILE, "n": HOSTILE}))
    bad = reports / "bad" / "<b>x" / "seed0"
    bad.mkdir(parents=True)
    (bad / "result.json").write_text(json.dumps({HOSTILE: HOSTILE}))
    text = page_of(reports)
    outline = Outline(text)
    assert outline.open == [] and outline.count("img") == 0 and outline.count("script") == 3
    assert HOSTILE in "".join(outline.text)
    markdown = summary_markdown(tell(reports))
    assert "<script" not in markdown and "<img" not in markdown and "](javascript" not in markdown


def test_hostile_classes_are_shown_as_text(make_run, reports: Path) -> None:
    for name in ("a", "b"):
        make_run(name, classes=("anger", HOSTILE, "neutral"))
    outline = Outline(page_of(reports))
    assert outline.open == [] and outline.count("img") == 0 and outline.count("script") == 3


def test_json_in_a_script_cannot_end_it() -> None:
    text = str(json_for_script({"x": "</script><!--\u2028&"}))
    assert not set(text) & set("<>&\u2028")
    assert json.loads(text) == {"x": "</script><!--\u2028&"}


def test_broken_runs_are_told_and_the_rest_is_shown(three_runs: Path, make_run, capsys) -> None:
    (make_run("half") / "result.json").write_text('{"schema')
    text = page_of(three_runs)
    assert "1 thing was set apart" in text and "half/fer2013/seed0" in text
    assert main(["report", "--reports", str(three_runs)]) == 0
    printed = capsys.readouterr()
    assert "Not ranked: half/fer2013/seed0:" in printed.err and "half written" in printed.err
    assert "index.html" in printed.out and "summary.md" in printed.out


@pytest.mark.parametrize(
    "name", ["realtime/x/realtime.json", "audit/x.json", "robustness/x.json", "conditions.json", "evaluations/x.json"]
)
@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema_version": 1}', "NaN"])
def test_other_records_that_are_broken_are_told(three_runs: Path, name: str, content: str) -> None:
    path = three_runs / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    assert [one.place for one in tell(three_runs).set_apart] == [name]


def test_damaged_ledger_is_told(three_runs: Path) -> None:
    with (three_runs / "test_ledger.jsonl").open("a") as stream:
        stream.write("{half\n")
    assert "is damaged" in page_of(three_runs)


def test_scorings_of_one_experiment_under_several_configurations_are_told(three_runs: Path) -> None:
    assert "configurations were scored on test" not in page_of(three_runs)
    line = json.loads((three_runs / "test_ledger.jsonl").read_text().splitlines()[0])
    with (three_runs / "test_ledger.jsonl").open("a") as stream:
        stream.write(json.dumps({**line, "config_hash": "another"}) + "\n")
    assert "2 configurations were scored on test" in page_of(three_runs)


def test_ledger_that_does_not_fit_the_results_is_told(three_runs: Path) -> None:
    (three_runs / "test_ledger.jsonl").unlink()
    assert "its result says 1 test scorings, the ledger has 0" in page_of(three_runs)


def test_ledger_of_many_lines_is_cut(three_runs: Path) -> None:
    line = (three_runs / "test_ledger.jsonl").read_text().splitlines()[0]
    (three_runs / "test_ledger.jsonl").write_text(f"{line}\n" * 20_000)
    text = page_of(three_runs)
    assert len(text) < 400_000 and "the newest 200 of 20,000" in text


def test_curve_of_many_epochs_is_thinned(make_run, reports: Path) -> None:
    make_run("long", family="deep", n_epochs=20_000)
    make_run("other")
    assert len(page_of(reports)) < 300_000


def test_robustness_is_shown_where_it_was_measured(three_runs: Path) -> None:
    write_robustness(robustness_of({"cnn9": 0.6, "hog_svm": 0.5}), three_runs / "robustness")
    write_robustness(robustness_of({"cnn9": 0.9}, is_synthetic=True), three_runs / "robustness")
    (section,) = [one for one in tell(three_runs).sections if one.name == "robustness"]
    grids = [one for one in section.elements if isinstance(one, Grid)]
    assert [cell.text for cell in grids[0].rows[0]] == [
        "cnn9 seed0",
        "60.0 [58.0, 62.0]",
        "45.0 [43.0, 47.0]",
        "25.0 [23.0, 27.0]",
    ]
    assert [cell.text for cell in grids[1].rows[0]] == ["cnn9 seed0", "45.0", "45.0"]
    assert "synthetic faces" in grids[2].caption and "synthetic" not in grids[0].caption
    text = page_of(three_runs)
    outline = Outline(text)
    assert outline.open == []
    figures = json.loads(re.search(r'id="figures">(.*?)</script>', text, re.DOTALL)[1])
    ids = [attributes.get("id") for _, attributes in outline.elements]
    names = ("robustness0", "robustness0-0", "robustness0-1", "robustness1", "robustness1-0", "robustness1-1")
    assert all(ids.count(f"all-{name}") == 1 and f"all-{name}" in figures for name in names)
    assert "mean corrupted" in summary_markdown(tell(three_runs))


def test_robustness_of_many_recognizers_draws_the_best_alone(three_runs: Path) -> None:
    found = robustness_of({f"run{place}": 0.5 for place in range(1500)})
    write_robustness(found, three_runs / "robustness")
    text = page_of(three_runs)
    assert len(text) < 1_500_000 and "500 more rows are not shown" in text


def test_hostile_texts_in_other_records_are_shown_as_text(three_runs: Path) -> None:
    found = robustness_of({HOSTILE: 0.5}).model_copy(update={"dataset": HOSTILE})
    text = found.model_dump_json()
    (three_runs / "robustness").mkdir()
    (three_runs / "robustness" / "x.json").write_text(text)
    (three_runs / "conditions.json").write_text(drawn_of(HOSTILE).model_dump_json())
    outline = Outline(page_of(three_runs))
    assert outline.open == [] and outline.count("img") == 0 and outline.count("script") == 3
    story = tell(three_runs)
    assert story.set_apart == () and "<script" not in summary_markdown(story)


def test_drawn_faces_are_shown_and_called_synthetic(three_runs: Path) -> None:
    (three_runs / "conditions.json").write_text(drawn_of("cnn9").model_dump_json())
    (section,) = [one for one in tell(three_runs).sections if one.name == "conditions"]
    intro, note, panels, levels, grid = section.elements
    assert intro.text.startswith("Synthetic:") and panels.title.startswith("Synthetic") and "Synthetic" in grid.caption
    assert "does not say which weights" in note.text
    (plot,) = panels.plots
    assert [row[1].text for row in levels.rows] == ["0.0°", "30.0°"] and "Synthetic" in levels.caption
    assert plot.title == "Head turned" and plot.traces[1]["y"] == [60.0, 40.0]
    assert grid.rows[0][2].text == "60.0 [58.0, 62.0]"


@pytest.mark.parametrize("change", [{"runs": ()}, {"conditions": ()}, {"is_synthetic": False}, {"seed": float("nan")}])
def test_drawn_faces_that_do_not_fit_are_told(three_runs: Path, change: dict[str, object]) -> None:
    content = drawn_of("cnn9").model_dump(mode="json") | change
    (three_runs / "conditions.json").write_text(json.dumps(content))
    assert [one.place for one in tell(three_runs).set_apart] == ["conditions.json"]


def test_deeply_nested_json_is_told(three_runs: Path) -> None:
    (three_runs / "conditions.json").write_text("[" * 700 + "]" * 700)
    assert [one.place for one in tell(three_runs).set_apart] == ["conditions.json"]


def test_records_of_enormous_size_are_told(three_runs: Path) -> None:
    (three_runs / "robustness").mkdir()
    (three_runs / "robustness" / "x.json").write_text(" " * 17_000_000)
    (one,) = tell(three_runs).set_apart
    assert one.place == "robustness/x.json" and "17 MB" in one.reason


def test_audit_tells_what_near_twins_are_worth(tiny: Dataset, make_run, reports: Path) -> None:
    found = audit(tiny)
    (reports / "audit").mkdir()
    (reports / "audit" / "x.json").write_text(json.dumps({**found.model_dump(mode="json"), "sheets": []}))
    make_run("a")
    (section,) = [one for one in tell(reports).sections if one.name == "audit"]
    assert section.elements[1].rows[0][0].text == found.dataset


def test_votes_give_the_ceiling_of_human_agreement(make_run, reports: Path, monkeypatch, tmp_path: Path) -> None:
    make_run("a")
    make_run("b")
    labels = np.zeros(10_140, np.int64)
    labels[10_000:] = np.arange(140) % 7
    votes = np.zeros((10_140, 10), np.uint8)
    votes[np.arange(10_140), labels] = 4
    votes[np.arange(10_140), (labels + 1) % 7] = 1
    votes[:, 8] = 5
    folder = tmp_path / "data" / "datasets" / "ferplus"
    folder.mkdir(parents=True)
    np.savez(folder / "votes.npz", votes=votes)
    monkeypatch.setenv("FERBENCH_DATA", str(tmp_path / "data"))
    (sections,) = tell(reports).board_sections
    (section,) = [one for one in sections if one.name == "taggers"]
    text, table = section.elements
    assert "left out: contempt, “unknown”, “not a face”." in text.text
    assert "can agree with 80.0 % of votes at most" in text.text
    assert [row[0].text for row in table.rows][2:] == ["who knew the votes"]
    assert table.rows[2][1].text == "80.0" and all(row[1].order < 80.1 for row in table.rows)


def test_votes_on_other_faces_are_not_used(make_run, reports: Path, monkeypatch, tmp_path: Path) -> None:
    make_run("a")
    folder = tmp_path / "data" / "datasets" / "ferplus"
    folder.mkdir(parents=True)
    votes = np.zeros((10_140, 10), np.uint8)
    votes[:, 7] = 10
    np.savez(folder / "votes.npz", votes=votes)
    monkeypatch.setenv("FERBENCH_DATA", str(tmp_path / "data"))
    (sections,) = tell(reports).board_sections
    assert "taggers" not in {section.name for section in sections}


def test_report_without_runs_says_what_to_do(reports: Path, capsys) -> None:
    assert main(["report", "--reports", str(reports)]) == 2
    assert "run an experiment first" in " ".join(capsys.readouterr().err.split())
    assert not (reports / "index.html").exists()


@pytest.mark.parametrize("library", ["plotly", "jinja2"])
def test_report_without_its_library_names_the_command(three_runs: Path, monkeypatch, capsys, library: str) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    assert main(["report", "--reports", str(three_runs)]) == 2
    assert 'pip install "ferbench[report]"' in capsys.readouterr().err


def test_report_over_thirty_runs_stays_small(make_run, reports: Path, tmp_path: Path) -> None:
    pytest.importorskip("plotly")
    for place in range(30):
        make_run(f"run{place}", family="deep", skill=0.02 * place, n_epochs=60)
    written = write_report(reports, tmp_path / "page")
    assert written.files[0].stat().st_size < 4_000_000
