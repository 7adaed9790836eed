"""What is written about the results is what the results say."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from ferbench.realtime.record import read_record
from ferbench.report.realtime import realtime_markdown
from ferbench.report.tables import results_markdown
from ferbench.results import read_ledger, read_result

ROOT = Path(__file__).parent.parent
REPORTS = ROOT / "reports"
FOUNDATION = ("prior", "hog_svm", "lbp_svm", "cnn3", "cnn9")
RESULTS = [read_result(path) for path in sorted(REPORTS.glob("*/fer*/seed*/result.json"))]
ON_FER2013 = [result for result in RESULTS if result.dataset.name == "fer2013"]


def test_tables_in_readme_are_those_of_the_summary() -> None:
    summary = (REPORTS / "summary.md").read_text()
    readme = (ROOT / "README.md").read_text()
    blocks = re.findall(r"<!-- (\w+), from reports/summary.md -->\n\n(.+?)\n\n<!-- end -->", readme, re.DOTALL)
    assert [name for name, _ in blocks] == ["recommended", "leaderboard", "ensembles"]
    assert all(block in summary for _, block in blocks)


def test_table_of_the_foundation_is_that_of_the_results() -> None:
    first = [result for result in ON_FER2013 if result.config.name in FOUNDATION and result.config.seed == 0]
    assert results_markdown(first) in (REPORTS / "foundation.md").read_text()


def test_table_of_ferplus_is_that_of_the_results() -> None:
    paths = sorted(REPORTS.glob("hog_svm_ferplus_*/*/seed0/result.json"))
    assert len(paths) == 3
    assert results_markdown([read_result(path) for path in paths]) in (REPORTS / "data.md").read_text()


def test_validation_thresholds_are_met() -> None:
    accuracy = {result.config.name: 100 * result.validation.accuracy for result in ON_FER2013}
    assert accuracy["lbp_svm"] >= 43 and accuracy["hog_svm"] >= 51 and accuracy["cnn9"] >= 62
    assert accuracy["fisher_svm"] >= 62 and accuracy["mini_xception"] >= 63 and accuracy["ferbench_net"] >= 66


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.title)
def test_every_committed_test_score_is_in_the_ledger(result) -> None:
    lines = [line for line in read_ledger(REPORTS) if line["config_hash"] == result.config_hash]
    assert len(lines) == result.protocol.test_scorings
    if result.test:
        assert lines[-1]["accuracy"] == result.test.accuracy
        assert lines[-1]["clean_accuracy"] == result.clean_test.accuracy


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.title)
def test_committed_predictions_give_the_committed_scores(result) -> None:
    path = REPORTS / result.config.name / result.dataset.name / f"seed{result.config.seed}" / "predictions.npz"
    with np.load(path, allow_pickle=False) as stored:
        for split, scores in (("validation", result.validation), ("test", result.test)):
            if scores is None:
                assert f"{split}_labels" not in stored
                continue
            right = stored[f"{split}_probabilities"].argmax(axis=1) == stored[f"{split}_labels"]
            assert right.mean() == pytest.approx(scores.accuracy)


def test_summary_names_every_finished_experiment_and_the_recommendations() -> None:
    text = (REPORTS / "summary.md").read_text().replace("\\", "")
    missing = {result.config.name for result in RESULTS if f" {result.config.name} |" not in text}
    assert not missing, "python -m ferbench report"
    assert all(f"- {budget} ms a face: **" in text for budget in (1, 5, 33))


def test_committed_results_name_no_place_on_a_machine() -> None:
    for path in REPORTS.rglob("*.json*"):
        text = path.read_text()
        assert not any(word in text for word in ("/home/", "/root/", "/tmp/", "/work/", "C:\\\\"))
        for line in text.splitlines() if path.suffix == ".jsonl" else [text]:
            json.loads(line)


LOOPS = [read_record(path) for path in sorted(REPORTS.glob("realtime/*/realtime.json"))]


@pytest.mark.parametrize("result", LOOPS, ids=lambda result: result.config.name)
def test_tables_of_the_loop_are_those_of_its_results(result) -> None:
    assert realtime_markdown(result) in (REPORTS / "realtime.md").read_text()
    assert not result.dataset.is_synthetic


@pytest.mark.parametrize("result", [one for one in LOOPS if one.split == "test"], ids=lambda result: result.config.name)
def test_every_test_scoring_in_the_loop_is_in_the_ledger(result) -> None:
    noted = {
        (line["recognizer"], line["experiment"], line["accuracy"])
        for line in read_ledger(REPORTS)
        if line["reason"] == "realtime"
    }
    for pair in result.pairs:
        seen = pair.waiting
        entry = (seen.recognizer, f"{result.config.name}.{seen.detector}", seen.labelled.accuracy.value)
        assert entry in noted
