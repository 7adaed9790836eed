import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import ferbench
from ferbench.cli import main
from ferbench.recognizers.deep.half_weights import HalvingCost

YAML = """
name: quick
dataset: {name: synthetic, params: {n_train: 70, n_validation: 35, n_test: 35}}
recognizer: {name: cnn9, params: {widths: [2, 2, 4], dense: [128]}}
training: {epochs: 1, batch_size: 14}
timing: {batch_sizes: [1], warmup: 1, min_seconds: 0, min_queries: 3}
tracking: {name: none}
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    (folder / "quick.yaml").write_text(YAML)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("FERBENCH_DATA", str(folder / "data"))
        assert main(["run", "quick.yaml"]) == 0
    return folder / "reports/quick/synthetic/seed0"


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """The finished run, whose network says one class so surely that float16 does not change it."""
    shutil.copytree(finished, tmp_path / "run")
    _set_last_bias(tmp_path / "run" / "model", [0, 0, 0, 9, 0, 0, 0])
    return tmp_path / "run"


def _set_last_bias(model: Path, bias: list[float]) -> None:
    recognizer = ferbench.load(model)
    *_, kernel, _ = weights = recognizer.network_.get_weights()
    recognizer.network_.set_weights([*weights[:-2], np.zeros_like(kernel), np.array(bias, np.float32)])
    recognizer.save(model)


def test_the_card_counts_what_a_network_costs(run: Path, tmp_path: Path) -> None:
    assert main(["publish", str(run), "--to", str(tmp_path / "shared")]) == 0
    card = (tmp_path / "shared/MODEL_CARD.md").read_text()
    info = ferbench.load(tmp_path / "shared").info()
    size = (tmp_path / "shared/network.weights.h5").stat().st_size
    assert f"- {info.n_parameters:,} parameters" in card and f"- {size:,} bytes on disk" in card
    assert f"- {info.multiply_adds:,} multiply-adds a face" in card
    assert f"- receptive field: {info.receptive_field} x {info.receptive_field} pixels" in card


def test_the_card_names_the_teacher_when_there_was_one(run: Path, tmp_path: Path) -> None:
    result = json.loads((run / "result.json").read_text())
    result["config"]["distill"] = {"teacher": "reports/ensemble/fer2013/seed0/model", "weight": 0.7, "temperature": 1.5}
    (run / "result.json").write_text(json.dumps(result))
    assert main(["publish", str(run), "--to", str(tmp_path / "shared")]) == 0
    card = (tmp_path / "shared/MODEL_CARD.md").read_text()
    assert "- Taught by `reports/ensemble/fer2013/seed0/model` as well as by the labels (0.7 of the loss," in card


@pytest.mark.parametrize("target", ["run", "run/model", "other"])
def test_a_folder_that_is_no_recognizer_s_or_the_run_s_own_is_left_alone(
    target: str, run: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").touch()
    before = sorted(tmp_path.rglob("*"))
    assert main(["publish", str(run), "--to", str(tmp_path / target)]) == 2
    assert sorted(tmp_path.rglob("*")) == before


def test_halved_weights_are_published_with_what_they_cost(run: Path, tmp_path: Path) -> None:
    assert main(["publish", str(run), "--to", str(tmp_path / "shared"), "--half"]) == 0
    whole, halved = run / "model/network.weights.h5", tmp_path / "shared/network.weights.h5"
    assert halved.stat().st_size < whole.stat().st_size
    assert "float16 on disk" in (tmp_path / "shared/MODEL_CARD.md").read_text()
    assert "0 of 35 labels change" in (tmp_path / "shared/MODEL_CARD.md").read_text()
    card = json.loads((tmp_path / "shared/card.json").read_text())
    assert card["sha256"] == json.loads((tmp_path / "shared/recognizer.json").read_text())["files"]
    assert {weight.dtype.name for weight in ferbench.load(tmp_path / "shared").network_.get_weights()} == {"float32"}


def test_halving_that_changes_answers_is_refused_and_nothing_is_written(run: Path, tmp_path: Path, capsys) -> None:
    _set_last_bias(run / "model", [0, 0, 1, 1.0001, 0, 0, 0])  # float16 takes both for 1
    assert main(["publish", str(run), "--to", str(tmp_path / "shared"), "--half"]) == 2
    assert "35 of 35 labels change, where 0.1 points and 0.5 % of labels are allowed" in capsys.readouterr().err
    assert not (tmp_path / "shared").exists()


def test_halving_without_the_dataset_is_a_sentence(run: Path, tmp_path: Path, capsys) -> None:
    result = json.loads((run / "result.json").read_text())
    result["config"]["dataset"] = {"name": "fer2013"}
    (run / "result.json").write_text(json.dumps(result))
    assert main(["publish", str(run), "--to", str(tmp_path / "shared"), "--half"]) == 2
    assert "data prepare fer2013" in capsys.readouterr().err
    assert not (tmp_path / "shared").exists()


@pytest.mark.parametrize(
    ("n_changed", "n_right_halved", "is_small"),
    [(0, 600, True), (5, 601, True), (5, 599, True), (6, 600, False), (2, 602, False), (2, 598, False)],
)
def test_the_gate_is_a_tenth_of_a_point_and_half_a_percent_of_labels(n_changed, n_right_halved, is_small) -> None:
    assert HalvingCost(1000, n_changed, 600, n_right_halved).is_small is is_small
