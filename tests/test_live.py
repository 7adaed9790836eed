"""The camera loop from the command line to its rows and its reports, on rendered faces."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ferbench.cli import main
from ferbench.realtime.record import read_record
from ferbench.realtime.tables import read_rows
from ferbench.results import read_ledger

FAST = ["--recognizers", "hog_svm,prior", "--detector", "whole_frame", "--headless"]
SMALL = [
    *("--set", "comparison.n_frames=14", "--set", "comparison.n_paced=7", "--set", "comparison.block=5"),
    *("--set", "comparison.fps=200", "--set", "tracking.name=none"),
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def session(here: Path) -> Path:
    (directory,) = (here / "reports/realtime").glob("*/session-*")
    return directory


def test_replay_runs_out_of_the_box_and_says_that_faces_are_rendered(here: Path, capsys) -> None:
    assert main(["realtime", "--source", "replay", *FAST, "--frames", "30"]) == 0
    said = capsys.readouterr()
    assert "RENDERED FACES ARE REPLAYED" in said.err
    assert "hog_svm" in said.out and "labelled" in said.out
    rows = read_rows(session(here))
    assert len(rows.frames) >= 30 and rows.frames["n_truths"].notna().all()
    assert json.loads((session(here) / "summary.json").read_text())["pairs"][0]["recognizer"] == "hog_svm"


def test_recognizers_are_swapped_as_time_passes(here: Path, capsys) -> None:
    code = main(["realtime", "--source", "replay", *FAST, "--seconds", "2.5", "--swap-every", "0.5"])
    assert code == 0
    assert "swaps: longest gap" in capsys.readouterr().out
    assert set(read_rows(session(here)).frames["recognizer"]) == {"hog_svm", "prior"}


def test_a_video_without_labels_yields_no_word_of_accuracy(here: Path, capsys) -> None:
    import cv2

    writer = cv2.VideoWriter("clip.avi", cv2.VideoWriter_fourcc(*"MJPG"), 30, (64, 48))
    for value in range(10):
        writer.write(np.full((48, 64, 3), 20 * value, np.uint8))
    writer.release()
    assert main(["realtime", "--source", "clip.avi", *FAST]) == 0
    said = capsys.readouterr()
    assert "accuracy" not in said.out + said.err and "right" not in said.out
    assert read_rows(session(here)).frames["outcome"].tolist() == ["done"] * 10


def test_the_camera_is_not_opened_where_nobody_agreed(here: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert main(["realtime", *FAST]) == 2
    said = capsys.readouterr().err
    assert "stays on this machine" in said and "--yes" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--source", "repaly"], "Did you mean 'replay'"),
        (["--source", "replay", "--recognizers", "hog_svn"], "hog_svm"),
        (["--source", "replay", "--detector", "har"], "Did you mean 'haar'"),
        (["--source", "replay", "--set", "certanty=1"], "Did you mean 'certainty'"),
        (["none.yaml"], "none.yaml cannot be read"),
    ],
)
def test_bad_input_is_one_sentence_and_code_2(arguments: list[str], message: str, capsys) -> None:
    assert main(["realtime", "--headless", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said


def test_a_comparison_writes_record_table_and_figure(here: Path, capsys) -> None:
    detectors = ["--detector", "haar,true_boxes"]
    assert main(["realtime", "--compare", "--recognizers", "hog_svm,prior", *detectors, *SMALL]) == 0
    directory = here / "reports/realtime/realtime"
    result = read_record(directory / "realtime.json")
    assert len(result.pairs) == 4 and result.n_faces == 14
    assert result.dataset.is_synthetic and "synthetic" in capsys.readouterr().out
    assert {pair.waiting.detector for pair in result.pairs if pair.crop_cost is None} == {"true_boxes"}
    assert all(pair.paced is not None for pair in result.pairs)
    assert (directory / "realtime.png").stat().st_size > 10_000
    assert (directory / "table.md").read_text().count("\n") == 6
    assert not read_ledger(here / "reports")


def test_a_comparison_on_the_test_split_leaves_lines_in_the_ledger(here: Path) -> None:
    arguments = ["--recognizers", "prior", "--detector", "true_boxes,whole_frame", "--set", "comparison.split=test"]
    assert main(["realtime", "--compare", *arguments, *SMALL]) == 0
    lines = read_ledger(here / "reports")
    assert [line["reason"] for line in lines] == ["realtime", "realtime"]
    assert {line["experiment"] for line in lines} == {"realtime.true_boxes", "realtime.whole_frame"}


def test_a_comparison_is_tracked_a_run_a_pair(here: Path) -> None:
    import mlflow

    arguments = ["--recognizers", "prior", "--detector", "true_boxes", *SMALL[:-2]]
    assert main(["realtime", "--compare", *arguments]) == 0
    client = mlflow.MlflowClient("sqlite:///mlflow.db")
    (experiment,) = [one for one in client.search_experiments() if one.name == "realtime synthetic"]
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.params["detector"] == "true_boxes" and 0 <= run.data.metrics["accuracy"] <= 1


def test_faces_on_a_photograph_are_found_named_and_drawn(here: Path, capsys) -> None:
    import cv2
    from skimage.data import astronaut

    cv2.imwrite("astronaut.jpg", cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR))
    arguments = [
        "predict",
        "astronaut.jpg",
        "--recognizer",
        "hog_svm",
        "--detector",
        "haar",
        "--draw",
        "drawn",
        "--json",
    ]
    assert main(arguments) == 0
    (row, *_) = json.loads(capsys.readouterr().out)
    x1, y1, x2, y2 = row["box"]
    assert x1 < 225 < x2 and y1 < 110 < y2
    assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert cv2.imread("drawn/astronaut.png").shape == (512, 512, 3)


def test_a_picture_without_a_face_is_no_error(here: Path, capsys) -> None:
    import cv2

    cv2.imwrite("wall.png", np.full((200, 200, 3), 128, np.uint8))
    assert main(["predict", "wall.png", "--recognizer", "hog_svm", "--detector", "haar"]) == 0
    assert "finds no face" in capsys.readouterr().err


def test_own_pictures_are_cut_to_the_face_that_a_detector_finds(here: Path, capsys) -> None:
    import cv2
    from skimage.data import astronaut

    picture = cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR)
    for number, emotion in enumerate(("happy", "sad") * 10):
        folder = here / "mine" / emotion
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{number}.png"), np.roll(picture, number, axis=1))
    cv2.imwrite(str(here / "mine/sad/wall.png"), np.full((200, 200, 3), 128, np.uint8))
    assert main(["data", "prepare", "folder", "mine", "--detector", "haar"]) == 0
    said = capsys.readouterr()
    assert "Pictures left out" in said.err and "1" in said.err


def test_a_dataset_of_crops_takes_no_detector(here: Path, capsys) -> None:
    assert main(["data", "prepare", "rafdb", "nowhere", "--detector", "haar"]) == 2
    assert "face crops already" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_rows_so_far_survive_a_kill_and_ctrl_c(here: Path, number: int, code: int) -> None:
    command = [sys.executable, "-m", "ferbench", "realtime", "--source", "replay", *FAST]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=here,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    assert process.stdout is not None
    assert "whole_frame" in process.stdout.readline()
    process.stdout.readline()
    process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == code
    rows = read_rows(session(here))
    assert len(rows.frames) >= 10
    assert len(rows.faces) == (rows.frames["outcome"] == "done").sum()
    assert ("Rows and summary" in said) == (number == signal.SIGINT)
