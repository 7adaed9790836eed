import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from ferbench.cli import main
from ferbench.data.images import write_picture
from ferbench.recognizers.classical.hog_svm import HogSvm
from ferbench.recognizers.deep.cnn9 import Cnn9
from ferbench.recognizers.deep.recipe import Training
from ferbench.report.explain import draw_explanation

FACE = np.tile(np.arange(48, dtype=np.uint8) * 5, (48, 1))
PROBABILITIES = {"happiness": 0.75, "neutral": 0.25}
HEAT = np.linspace(0, 1, 48 * 48, dtype=np.float32).reshape(48, 48)
STAGES = {"pooling": np.ones((24, 24, 3), np.float32), "last": np.zeros((6, 6, 64), np.float32)}


@pytest.mark.parametrize(
    "maps",
    [
        {},
        {"occlusion": HEAT - 0.5},
        {"occlusion": np.zeros_like(HEAT), "grad_cam": np.zeros_like(HEAT)},
        {"grad_cam": HEAT, "features": STAGES},
        {"grad_cam": HEAT, "occlusion": HEAT, "features": STAGES},
    ],
    ids=lambda maps: "+".join(maps) or "nothing",
)
def test_whatever_was_asked_for_is_drawn(tmp_path, maps) -> None:
    path = draw_explanation(tmp_path / "face.png", FACE, PROBABILITIES, title="cnn9", asked="happiness", **maps)
    picture = cv2.imread(str(path))
    assert picture is not None and picture.std() > 10


@pytest.fixture(scope="module")
def saved(tiny, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    training = Training(epochs=1, batch_size=14)
    for recognizer in (Cnn9(widths=(2, 2, 2), dense=(8,), training=training), HogSvm(c=(0.1,))):
        recognizer.fit(tiny.train.images, tiny.train.labels).save(folder / recognizer.name)
    return folder


@pytest.fixture
def here(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    for place in ("face.png", "other/face.png"):
        write_picture(tmp_path / place, tiny.validation.images[0])
    return tmp_path


def test_explain_draws_a_picture_a_face_and_prints_numbers(saved, here, capsys) -> None:
    arguments = ["explain", "face.png", "--recognizer", str(saved / "cnn9"), "--class", "fear", "--to", "out", "--json"]
    assert main(arguments) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["class"] == "fear" and Path(row["picture"]) == Path("out/face_cnn9.png")
    assert (here / row["picture"]).stat().st_size > 10_000
    assert np.shape(row["grad_cam"]) == np.shape(row["occlusion"]) == (48, 48)
    assert [stage["shape"] for stage in row["features"].values()] == [[24, 24, 2], [12, 12, 2], [6, 6, 2]]
    assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-3)


def test_pictures_of_one_name_do_not_replace_each_other(saved, here, capsys) -> None:
    assert main(["explain", "face.png", "other/face.png", "--recognizer", str(saved / "hog_svm")]) == 0
    assert sorted(path.name for path in (here / "explanations").iterdir()) == [
        "face_hog_svm-2.png",
        "face_hog_svm.png",
    ]


def test_a_detector_finds_the_faces_first(saved, here, capsys) -> None:
    arguments = ["explain", "face.png", "--recognizer", str(saved / "hog_svm"), "--detector", "whole_frame", "--json"]
    assert main(arguments) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["picture"].endswith("face_hog_svm_face1.png")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "grad_cam"], "hog_svm has none: ask for occlusion"),
        (["--method", "shap"], "No way to explain named 'shap'"),
        (["--class", "joy"], "hog_svm knows no class 'joy'"),
        (["--detector", "har"], "Did you mean 'haar'?"),
        (["--to", "face.png"], "face.png"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_sentence_and_exit_code_2(saved, here, capsys, arguments, message) -> None:
    assert main(["explain", "face.png", "--recognizer", str(saved / "hog_svm"), *arguments]) == 2
    printed = capsys.readouterr()
    assert message in printed.err.replace("\n", " ")
    assert "Traceback" not in printed.err + printed.out


def test_an_unreadable_picture_does_not_stop_the_others(saved, here, capsys) -> None:
    (here / "text.png").write_text("no picture")
    assert main(["explain", "text.png", "none.png", "face.png", "--recognizer", str(saved / "hog_svm")]) == 2
    printed = capsys.readouterr()
    assert "text.png is not a picture" in printed.err and "none.png cannot be read" in printed.err
    assert "face_hog_svm.png" in printed.out
