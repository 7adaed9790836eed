import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from ferbench import __version__
from ferbench.cli import main

YAML = """
name: quick
dataset: {name: synthetic, params: {n_train: 70, n_validation: 35, n_test: 35}}
recognizer: {name: prior}
timing: {batch_sizes: [1], warmup: 1, min_seconds: 0, min_queries: 3}
tracking: {name: none}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quick.yaml").write_text(YAML)
    return tmp_path


def test_version(capsys) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["--version"])
    assert raised.value.code == 0
    assert __version__ in capsys.readouterr().out


def test_run_prints_a_table_and_writes_a_result(here: Path, capsys) -> None:
    assert main(["run", "quick.yaml"]) == 0
    printed = capsys.readouterr().out
    assert "quick on synthetic, seed 0" in printed and "14.3" in printed
    assert (here / "reports/quick/synthetic/seed0/result.json").is_file()


def test_several_runs_go_into_processes_of_their_own(here: Path, capsys) -> None:
    assert main(["run", "quick.yaml", "--seeds", "0", "1", "--set", "timing.min_queries=4"]) == 0
    assert (here / "reports/quick/synthetic/seed1/result.json").is_file()
    printed = capsys.readouterr().out
    assert "quick seed0" in printed and "quick seed1" in printed


def test_one_failing_run_does_not_stop_the_others(here: Path, capsys) -> None:
    (here / "bad.yaml").write_text(YAML.replace("name: prior", "name: prio"))
    assert main(["run", "bad.yaml", "quick.yaml"]) == 1
    assert (here / "reports/quick/synthetic/seed0/result.json").is_file()
    assert "1 of 2 experiments did not finish: bad.yaml (exit code 2)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "none.yaml"], "none.yaml cannot be read: No such file"),
        (["run", "quick.yaml", "--set", "sede=1"], "Did you mean 'seed'?"),
        (["run", "quick.yaml", "--set", "timing.min_queries=few"], "'timing.min_queries'"),
        (["run", "quick.yaml", "--set", "recognizer.name=pior"], "Did you mean 'prior'?"),
        (["run", "quick.yaml", "--set", "tracking.name=mlfow"], "Did you mean 'mlflow'?"),
        (["evaluate", "nothing"], "No trained recognizer 'nothing'"),
        (["predict", "face.png", "--recognizer", "nothing"], "No trained recognizer"),
        (["check", "cnn8"], "Did you mean"),
        (["data", "prepare", "fer2013", "none.csv"], "none.csv"),
        (["data", "info"], "data prepare fer2013"),
        (["data", "info", "fer2014"], "Did you mean 'fer2013'?"),
        (["ui"], "no runs yet"),
        (["publish", "nowhere", "--to", "x"], "nowhere"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_sentence_and_exit_code_2(here: Path, capsys, arguments: list[str], message: str) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert message in printed.err.replace("\n", " ")
    assert "Traceback" not in printed.err + printed.out


def test_debug_shows_the_traceback(here: Path, capsys) -> None:
    assert main(["run", "none.yaml", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["runn"], ["run"], ["predict"], ["data"]])
def test_wrong_usage_exits_with_2(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2


def test_list_json_is_for_machines(capsys) -> None:
    assert main(["list", "--json"]) == 0
    listing = json.loads(capsys.readouterr().out)
    assert "prior" in listing["recognizers"] and "synthetic" in listing["datasets"]


def test_list_is_for_people(capsys) -> None:
    assert main(["list"]) == 0
    assert "recognizers" in capsys.readouterr().out


def test_check_reports_every_check(capsys) -> None:
    assert main(["check", "prior", "--json"]) == 0
    outcomes = json.loads(capsys.readouterr().out)
    assert len(outcomes) >= 15 and all(outcome["failure"] is None for outcome in outcomes)


@pytest.fixture
def trained(here: Path) -> Path:
    assert main(["run", "quick.yaml"]) == 0
    return here / "reports/quick/synthetic/seed0"


def test_evaluate_json_names_everything(trained: Path, capsys) -> None:
    capsys.readouterr()
    assert main(["evaluate", str(trained), "--dataset", "synthetic", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert (scores["dataset"], scores["split"], scores["n"]) == ("synthetic", "validation", 350)


def test_predict_takes_crops_of_any_size_and_color(trained: Path, here: Path, capsys) -> None:
    rng = np.random.default_rng(0)
    cv2.imwrite("gray.png", rng.integers(0, 256, (24, 24), np.uint8))
    cv2.imwrite("color.jpg", rng.integers(0, 256, (224, 180, 3), np.uint8))
    capsys.readouterr()
    assert main(["predict", "gray.png", "color.jpg", "--recognizer", str(trained), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["image"] for row in rows] == ["gray.png", "color.jpg"]
    assert rows[0]["emotion"] == "anger" and sum(rows[0]["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert main(["predict", "gray.png", "--recognizer", str(trained)]) == 0
    assert "anger" in capsys.readouterr().out


def test_predict_answers_for_the_good_and_names_the_bad(trained: Path, here: Path, capsys) -> None:
    cv2.imwrite("good.png", np.zeros((48, 48), np.uint8))
    Path("bad.png").write_text("no picture")
    capsys.readouterr()
    assert main(["predict", "bad.png", "good.png", "missing.png", "--recognizer", str(trained), "--json"]) == 2
    printed = capsys.readouterr()
    assert [row["image"] for row in json.loads(printed.out)] == ["good.png"]
    assert "bad.png is not a picture" in printed.err and "missing.png" in printed.err


def test_altered_weights_are_refused(trained: Path, capsys) -> None:
    (trained / "model" / "frequencies.json").write_text("[1, 0, 0, 0, 0, 0, 0]")
    assert main(["evaluate", str(trained), "--dataset", "synthetic"]) == 2
    assert "sha256" in capsys.readouterr().err


def test_data_info_prints_counts_and_fingerprint(capsys) -> None:
    assert main(["data", "info", "synthetic", "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["n_train"] == 2100 and len(card["fingerprint"]) == 64
    assert main(["data", "info", "synthetic"]) == 0
    assert "drawn by a program" in capsys.readouterr().out


def test_data_audit_of_drawn_faces_finds_nothing_wrong(capsys) -> None:
    assert main(["data", "audit", "synthetic", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["exact"]["n_groups"] == 0 and found["n_clean_test"] == 350
    assert main(["data", "audit", "synthetic"]) == 0
    assert "identical" in capsys.readouterr().out


def test_data_export_writes_a_csv_and_folders(here: Path, capsys) -> None:
    assert main(["data", "export", "synthetic", "drawn.csv"]) == 0
    assert (here / "drawn.csv").read_text().startswith("emotion,pixels,Usage")
    assert main(["data", "export", "synthetic", "drawn"]) == 0
    assert len(list((here / "drawn").rglob("*.png"))) == 2800


def test_publish_makes_a_folder_that_loads_and_explains_itself(trained: Path, here: Path, capsys) -> None:
    assert main(["publish", str(trained), "--to", "shared"]) == 0
    card = (here / "shared" / "MODEL_CARD.md").read_text()
    assert "Intended use" in card and "Limits" in card and "sha256" in card
    assert main(["evaluate", "shared", "--dataset", "synthetic"]) == 0


def test_publish_wants_a_finished_run(here: Path, capsys) -> None:
    assert main(["run", "quick.yaml", "--validation-only"]) == 0
    assert main(["publish", "reports/quick/synthetic/seed0", "--to", "shared"]) == 2
    assert "--validation-only" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["run", "data"])
def test_read_only_places_are_a_sentence(here: Path, capsys, monkeypatch, place: str) -> None:
    (here / "wall").write_text("")
    if place == "run":
        assert main(["run", "quick.yaml", "--reports", "wall/reports"]) == 2
    else:
        monkeypatch.setenv("FERBENCH_DATA", str(here / "wall"))
        (here / "f.csv").write_text("emotion,pixels,Usage\n")
        assert main(["data", "prepare", "fer2013", "f.csv"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_own_pictures_are_prepared_and_run_from_the_command_line(here: Path, capsys) -> None:
    assert main(["data", "export", "synthetic", "faces"]) == 0
    Path("faces/train/anger/broken.png").write_text("no picture")
    assert main(["data", "prepare", "folder", "faces"]) == 0
    printed = capsys.readouterr()
    assert "could not be used: 1, named in" in printed.err
    assert main(["data", "info", "folder", "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["n_train"] > 0 and card["classes"][0] == "anger"
    overrides = ["dataset.name=folder", "dataset.params={}"]
    assert main(["run", "quick.yaml", *(part for o in overrides for part in ("--set", o))]) == 0
    assert (here / "reports/quick/folder/seed0/result.json").is_file()


def test_preparing_an_unknown_set_or_with_an_unknown_parameter_is_refused(here: Path, capsys) -> None:
    assert main(["data", "prepare", "fer2014", "x"]) == 2
    assert "Did you mean 'fer2013'?" in capsys.readouterr().err
    assert main(["data", "prepare", "rafdb", "x", "--set", "knd=compound"]) == 2
    assert "Did you mean 'kind'?" in capsys.readouterr().err


def test_commands_without_their_libraries_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['rich'] = None")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    command = [sys.executable, "-m", "ferbench", "list"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path})
    assert done.returncode == 2 and done.stderr.startswith("error: the commands need rich")
    assert "Traceback" not in done.stderr
