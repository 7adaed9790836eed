from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ferbench import registry
from ferbench.cli import main
from ferbench.config import load_experiment
from ferbench.errors import DataError
from ferbench.report.ablation import ablation_markdown, recipe_markdown, write_ablation

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
FILES = sorted((EXPERIMENTS / "ablation_classical").glob("*.yaml"))
RECIPES = sorted((EXPERIMENTS / "ablation_recipe").glob("*.yaml"))


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


def test_cost_of_a_fit_that_was_resumed_is_said_to_be_a_part(make_run: Any, reports: Path) -> None:
    for name in ("hog.grid.linear_svm", "recipe.base"):
        path = make_run(name, with_test=False) / "result.json"
        path.write_text(path.read_text().replace('"resumed": false', '"resumed": true'))
    assert "| 10 since resumed |" in ablation_markdown(reports)
    assert "| 10 since resumed |" in recipe_markdown(reports, "recipe")


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


def test_changes_are_compared_with_the_base_of_their_seed(make_run: Any, reports: Path) -> None:
    for seed in (0, 1):
        make_run("recipe.base", skill=0.5, seed=seed, with_test=False)
    make_run("recipe.more_of_it", skill=0.95, with_test=False)
    make_run("recipe.none", skill=0.05, seed=1, with_test=False)
    make_run("hog.grid.linear_svm", with_test=False)
    head, rule, *rows = recipe_markdown(reports, "recipe").splitlines()
    assert head.count("|") == rule.count("|") == rows[0].count("|")
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [row[:2] for row in cells] == [["base", "0"], ["base", "1"], ["more of it", "0"], ["none", "1"]]
    assert [row[4][:1] for row in cells] == ["", "", "+", "-"]


def test_difference_is_over_the_faces_that_both_were_asked_about(make_run: Any, reports: Path) -> None:
    make_run("votes.base", dataset="ferplus_plurality", n_faces=70, with_test=False)
    make_run("votes.soft", dataset="ferplus_votes", n_faces=140, skill=1.0, with_test=False)
    assert recipe_markdown(reports, "votes").count("\n") == 4


@pytest.mark.parametrize("name", ["recipe.mixup", "hog_svm"])
def test_changes_without_their_base_make_no_table(make_run: Any, reports: Path, name: str) -> None:
    make_run(name, with_test=False)
    with pytest.raises(DataError, match=r"recipe\.base .* run that file first"):
        recipe_markdown(reports, "recipe")


def test_changes_on_other_faces_make_no_table(make_run: Any, reports: Path) -> None:
    make_run("recipe.base", with_test=False)
    make_run("recipe.mixup", with_test=False, first_row=5_000)
    with pytest.raises(DataError, match="share them"):
        recipe_markdown(reports, "recipe")


QUICK = """
name: {name}
dataset: {{name: synthetic, params: {{n_train: 70, n_validation: 35, n_test: 35}}}}
recognizer: {{name: prior}}
timing: {{batch_sizes: [1], warmup: 1, min_seconds: 0, min_queries: 3}}
tracking: {{name: none}}
"""


def test_from_files_to_tables_on_drawn_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("none.none.prior", "seeds.base", "seeds.same"):
        Path("one.yaml").write_text(QUICK.format(name=name))
        folder = f"runs/{name.count('.')}"
        assert main(["run", "one.yaml", "--validation-only", "--reports", folder]) == 0
    assert main(["ablation", "runs/2", "runs/1"]) == 0
    text = Path("reports/ablation.md").read_text()
    assert "## Feature, encoding, classifier, on synthetic" in text
    assert "## Changes of seeds.base, on synthetic" in text
    assert "| none | none | prior | 0 | 35 |" in text and "| same | 0 | 35 |" in text
    assert not list(tmp_path.rglob("test_ledger.jsonl"))


def test_folders_without_such_runs_are_refused_with_the_command(make_run: Any, reports: Path) -> None:
    make_run("hog_svm")
    with pytest.raises(DataError, match=r"ablation_classical/\*\.yaml --validation-only"):
        write_ablation([reports], reports / "ablation.md")
    assert not (reports / "ablation.md").exists()


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_change_is_named_by_its_file_and_resolves(path: Path) -> None:
    config = load_experiment(path)
    base = load_experiment(path.with_name(f"{config.name.split('.')[0]}.base.yaml"))
    assert config.name == path.stem and config.recognizer == base.recognizer
    assert registry.resolve("recognizers", config.recognizer.name, config.recognizer.params)
    assert config.training is not None and path.read_text(encoding="utf-8").startswith("# ")
    assert path.stem.endswith(".base") or (config.training, config.distill) != (base.training, base.distill)
