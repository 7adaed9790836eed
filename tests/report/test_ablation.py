from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ferbench import registry
from ferbench.config import load_experiment
from ferbench.errors import DataError
from ferbench.report.ablation import ablation_markdown

FILES = sorted((Path(__file__).parents[2] / "experiments" / "ablation_classical").glob("*.yaml"))


def test_rows_are_sorted_by_validation_and_named_by_their_parts(make_run: Any, reports: Path) -> None:
    make_run("hog.grid.linear_svm", skill=0.2, with_test=False)
    make_run("sift.fisher.linear_svm", skill=0.9, with_test=False)
    make_run("hog_svm")
    head, rule, *rows = ablation_markdown(reports).splitlines()
    assert head.count("|") == rule.count("|") == rows[0].count("|")
    assert [row.split(" | ")[:3] for row in rows] == [
        ["| sift", "fisher", "linear svm"],
        ["| hog", "grid", "linear svm"],
    ]
    assert "| 1.00 | 140 kB | 10 |" in rows[0]


def test_runs_on_different_data_make_no_table(make_run: Any, reports: Path) -> None:
    make_run("hog.grid.linear_svm", with_test=False)
    make_run("lbp.grid.linear_svm", with_test=False, fingerprint="e" * 64)
    with pytest.raises(DataError, match="share their data"):
        ablation_markdown(reports)


def test_no_run_is_no_table(make_run: Any, reports: Path) -> None:
    make_run("hog_svm")
    with pytest.raises(DataError, match="run the ablation's files first"):
        ablation_markdown(reports)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_row_is_named_by_its_parts_and_resolves(path: Path) -> None:
    config = load_experiment(path)
    assert config.name == path.stem and len(config.name.split(".")) == 3
    assert registry.resolve("recognizers", config.recognizer.name, config.recognizer.params)
    assert path.read_text(encoding="utf-8").startswith("# ")


def test_there_are_a_dozen_rows() -> None:
    assert len(FILES) == 12
