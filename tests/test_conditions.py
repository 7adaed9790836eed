from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ferbench import experiment
from ferbench.conditions import ConditionsResult, measure_conditions
from ferbench.config import ExperimentConfig
from ferbench.data.conditions import SETTINGS
from ferbench.errors import ConfigError, DataError
from ferbench.evaluation import origin_of
from ferbench.report.conditions import order_markdown, write_conditions

ROOT = Path(__file__).parent.parent
N_LEVELS = sum(map(len, SETTINGS.values()))
RECORD = ROOT / "reports" / "conditions.json"


@pytest.fixture
def committed() -> ConditionsResult:
    if not RECORD.is_file():
        pytest.skip("reports/conditions.json is not measured yet: python -m ferbench conditions")
    return ConditionsResult.model_validate_json(RECORD.read_text())


def run(reports: Path, name: str, seed: int, recognizer: dict[str, Any] | None = None) -> Path:
    content = {
        "name": name,
        "seed": seed,
        "dataset": {"name": "synthetic", "params": {"n_train": 42, "n_validation": 14, "n_test": 14}},
        "recognizer": recognizer or {"name": name},
        "timing": {"batch_sizes": [1], "warmup": 1, "min_seconds": 0, "min_queries": 3},
        "tracking": {"name": "none"},
    }
    experiment.run(ExperimentConfig.model_validate(content), reports=reports, validation_only=True)
    return reports / name / "synthetic" / f"seed{seed}"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """`prior` with two seeds, and `hog_svm` with the second of them."""
    reports = tmp_path_factory.mktemp("reports")
    return [run(reports, "prior", 0), run(reports, "prior", 1), run(reports, "hog_svm", 1)]


@pytest.fixture(scope="module")
def found(folders: list[Path]) -> ConditionsResult:
    return measure_conditions(folders, n_faces=21, n_unset=70)


def altered(folder: Path, target: Path, **dataset: Any) -> Path:
    shutil.copytree(folder, target)
    content = json.loads((target / "result.json").read_text())
    content["dataset"] |= dataset
    (target / "result.json").write_text(json.dumps(content))
    return target


def test_every_level_of_every_condition_is_scored(found: ConditionsResult) -> None:
    assert {condition.name: len(condition.levels) for condition in found.conditions} == {
        name: len(settings) for name, settings in SETTINGS.items()
    }
    for condition in found.conditions:
        at = [level.at for level in condition.levels]
        assert at[0] == 0 and at == sorted(set(at))
        for level in condition.levels:
            assert set(level.accuracy) == {"prior", "hog_svm"}
            assert all(0 <= e.low <= e.value <= e.high <= 1 for e in level.accuracy.values())


def test_what_does_not_look_is_right_once_in_seven_at_every_level(found: ConditionsResult) -> None:
    values = [level.accuracy["prior"].value for condition in found.conditions for level in condition.levels]
    assert values == pytest.approx([1 / 7] * N_LEVELS)


def test_angles_say_how_far_unset_faces_go(found: ConditionsResult) -> None:
    usual = {condition.name: condition.usual for condition in found.conditions}
    assert 4 < usual["yaw"] <= 5 and 50 < usual["light"] <= 60
    assert usual["hand"] is usual["eyes"] is usual["mouth"] is None


def test_runs_say_what_fitted_them(found: ConditionsResult, folders: list[Path]) -> None:
    assert [(run.experiment, run.seed) for run in found.runs] == [("prior", 0), ("prior", 1), ("hog_svm", 1)]
    for run, folder in zip(found.runs, folders, strict=True):
        result = json.loads((folder / "result.json").read_text())
        assert run.config_hash == result["config_hash"] and run.fingerprint == result["dataset"]["fingerprint"]
        assert run.validation.value == result["validation"]["accuracy"] and run.test is None
        assert run.recognizer == origin_of(folder) and run.recognizer.fitted_on == "synthetic"


def test_leads_compare_runs_of_one_seed(found: ConditionsResult) -> None:
    (lead,) = found.leads
    unset = {(run.experiment, run.seed): run.unset.value for run in found.runs}
    assert (lead.better, lead.worse, set(lead.by_seed)) == ("hog_svm", "prior", {1})
    assert lead.by_seed[1].value == pytest.approx(unset["hog_svm", 1] - unset["prior", 1])
    assert lead.mean == lead.by_seed[1]


def test_a_lead_without_a_common_seed_is_not_told(folders: list[Path]) -> None:
    (lead,) = measure_conditions([folders[0], folders[2]], n_faces=7, n_unset=7).leads
    assert lead.by_seed == {} and lead.mean is None


def test_the_same_seed_gives_the_same_figures(found: ConditionsResult, folders: list[Path]) -> None:
    again = measure_conditions(folders[:1], n_faces=7, n_unset=70)
    other = measure_conditions(folders[:1], seed=1, n_faces=7, n_unset=70)
    assert again.runs == found.runs[:1]
    assert again.unset_sha256 == found.unset_sha256 != other.unset_sha256


def test_progress_counts_levels(folders: list[Path]) -> None:
    seen: list[tuple[int, int]] = []
    measure_conditions(folders[:1], n_faces=7, n_unset=7, on_progress=lambda stage, i, n: seen.append((i, n)))
    assert seen == [(index, N_LEVELS) for index in range(N_LEVELS)]


def test_no_folder_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one run"):
        measure_conditions([])


def test_a_folder_without_a_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"result\.json cannot be read"):
        measure_conditions([tmp_path])


@pytest.mark.parametrize(("n_faces", "n_unset"), [(6, 70), (70, 0)])
def test_fewer_faces_than_emotions_are_refused(folders: list[Path], n_faces: int, n_unset: int) -> None:
    with pytest.raises(ConfigError, match="at least 7"):
        measure_conditions(folders, n_faces=n_faces, n_unset=n_unset)


def test_a_run_given_twice_is_refused(folders: list[Path]) -> None:
    with pytest.raises(ConfigError, match="once, got prior seed 0, prior seed 0"):
        measure_conditions([folders[0], folders[0]])


def test_a_run_on_photographs_is_refused(folders: list[Path], tmp_path: Path) -> None:
    run = altered(folders[0], tmp_path / "run", name="fer2013", is_synthetic=False)
    with pytest.raises(ConfigError, match=r"must be a run on 'synthetic'.*dataset\.name=synthetic"):
        measure_conditions([run])


def test_record_and_figure_are_written(found: ConditionsResult, tmp_path: Path) -> None:
    record, picture = write_conditions(found, tmp_path / "new" / "conditions")
    assert ConditionsResult.model_validate_json(record.read_text()) == found
    assert record.name == "conditions.json" and picture.name == "conditions.png"
    pixels = cv2.imread(str(picture))
    assert pixels.shape[1] == 1320 and pixels.std() > 10


def test_order_is_told_from_the_weakest_up(found: ConditionsResult) -> None:
    lines = order_markdown(found).splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert [row[:2] for row in rows[2:]] == [
        *(["prior", "0"], ["prior", "1"], ["prior", "mean"], ["hog_svm", "1"], ["hog_svm", "mean"])
    ]
    assert {len(row) for row in rows} == {6}
    assert rows[2][3] == "not scored" and rows[2][5] == "" and rows[5][5].startswith("+")


def test_committed_table_is_that_of_the_committed_record(committed: ConditionsResult) -> None:
    assert order_markdown(committed) in (ROOT / "reports" / "data.md").read_text()


def test_recognizers_come_in_the_order_of_their_strength(committed: ConditionsResult) -> None:
    assert [(lead.worse, lead.better) for lead in committed.leads] == [
        *(("prior", "lbp_svm"), ("lbp_svm", "hog_svm"), ("hog_svm", "cnn9"))
    ]
    assert all(lead.mean is not None and lead.mean.low > 0 for lead in committed.leads)
    assert max(run.unset.high for run in committed.runs) < 0.99


def test_every_condition_makes_faces_harder_for_who_looks(committed: ConditionsResult) -> None:
    for condition in committed.conditions:
        first, last = condition.levels[0], condition.levels[-1]
        for name in ("lbp_svm", "hog_svm", "cnn9"):
            assert last.accuracy[name].high < first.accuracy[name].low, (condition.name, name)
        assert np.isclose(first.accuracy["prior"].value, 1 / 7)
