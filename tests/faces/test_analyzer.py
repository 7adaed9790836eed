import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import ferbench
from ferbench.errors import DataError, ImagesError, UnknownNameError
from ferbench.faces.analyzer import FaceAnalyzer
from ferbench.faces.crops import crop_faces
from ferbench.faces.detectors import Haar, WholeFrame
from ferbench.faces.smoothing import FaceTracks
from ferbench.recognizers.base import Recognizer
from ferbench.types import EMOTIONS, Boxes, FrameImage


@pytest.fixture(scope="module")
def hog_svm() -> Recognizer:
    return ferbench.load("hog_svm")


def test_an_analysis_tells_what_the_recognizer_says_of_each_crop(hog_svm: Recognizer, astronaut: FrameImage) -> None:
    detector = Haar()
    found = FaceAnalyzer(hog_svm, detector).analyze(astronaut)
    faces = detector.detect(astronaut)
    expected = hog_svm.predict(crop_faces(astronaut, faces, framing=detector.framing))
    assert len(found) >= 1 and found.classes == EMOTIONS
    np.testing.assert_array_equal(found.boxes, faces.boxes)
    np.testing.assert_array_equal(found.scores, faces.scores)
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)
    np.testing.assert_array_equal(found.confidence, expected.confidence)
    assert found.names == expected.names


def test_names_and_a_file_mean_the_same_as_objects(hog_svm: Recognizer, astronaut: FrameImage, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "astronaut.png"), astronaut)
    one = FaceAnalyzer(hog_svm, Haar()).analyze(astronaut)
    other = FaceAnalyzer("hog_svm", "haar").analyze(tmp_path / "astronaut.png")
    np.testing.assert_array_equal(one.boxes, other.boxes)
    np.testing.assert_array_equal(one.probabilities, other.probabilities)


def test_rows_are_json(hog_svm: Recognizer, astronaut: FrameImage) -> None:
    found = FaceAnalyzer(hog_svm).analyze(astronaut)
    rows = json.loads(json.dumps(found.rows()))
    assert len(rows) == len(found)
    assert rows[0]["box"] == found.boxes[0].tolist() and rows[0]["emotion"] == found.names[0]
    assert list(rows[0]["probabilities"]) == list(EMOTIONS)
    assert rows[0]["confidence"] == max(rows[0]["probabilities"].values())


def test_a_picture_without_faces_gives_an_empty_analysis(hog_svm: Recognizer) -> None:
    found = FaceAnalyzer(hog_svm).analyze(np.zeros((120, 160, 3), np.uint8))
    assert len(found) == 0 and found.rows() == [] and found.names == ()
    assert found.boxes.shape == (0, 4) and found.probabilities.shape == (0, 7) and found.confidence.shape == (0,)


def test_all_faces_of_a_picture_are_told(crowd: tuple[FrameImage, Boxes]) -> None:
    frame, _ = crowd
    found = FaceAnalyzer("prior", Haar(input_size=(1260, 1060))).analyze(frame)
    assert len(found) >= 27 and len(found.rows()) == len(found)


def test_crops_have_the_size_the_recognizer_learnt_on(astronaut: FrameImage) -> None:
    images = np.random.default_rng(0).integers(0, 256, (14, 32, 24), np.uint8)
    small = ferbench.create("recognizers", "prior").fit(images, np.arange(14) % 7)
    assert FaceAnalyzer(small, WholeFrame()).analyze(astronaut).probabilities.shape == (1, 7)


def test_tracks_smooth_what_is_said_over_frames(hog_svm: Recognizer, astronaut: FrameImage) -> None:
    analyzer = FaceAnalyzer(hog_svm, WholeFrame(), tracks=FaceTracks(weight=0.5))
    first = analyzer.analyze(astronaut).probabilities
    plain = FaceAnalyzer(hog_svm, WholeFrame()).analyze(astronaut[:, ::-1]).probabilities
    np.testing.assert_allclose(analyzer.analyze(astronaut[:, ::-1]).probabilities, (first + plain) / 2, atol=1e-6)


@pytest.mark.parametrize(("recognizer", "detector"), [("hog_smv", "haar"), ("prior", "harr")])
def test_an_unknown_name_is_refused_with_a_suggestion(recognizer: str, detector: str) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean"):
        FaceAnalyzer(recognizer, detector)


def test_a_gray_array_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    analyzer = FaceAnalyzer("prior")
    with pytest.raises(ImagesError, match="must be uint8"):
        analyzer.analyze(np.zeros((48, 48), np.uint8))
    with pytest.raises(DataError, match="cannot be read"):
        analyzer.analyze(tmp_path / "nothing.jpg")
