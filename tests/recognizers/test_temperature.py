"""`fit(calibration="temperature")`: answers are as sure as they are right, and otherwise the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ferbench import registry
from ferbench.data.dataset import Dataset
from ferbench.errors import DataError
from ferbench.metrics import log_loss
from ferbench.recognizers.base import Recognizer
from ferbench.recognizers.header import read_header
from ferbench.types import Images, Probabilities


class TooSure(Recognizer):
    """Right two times in three on any face whose first pixel tells its class, and as good as certain."""

    name = "too_sure"
    family = "baseline"

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

    def _fit(self, images: Images, labels: Any, **others: Any) -> None:
        self.asked_ = 0

    def _predict_proba(self, images: Images) -> Probabilities:
        answers = np.full((len(images), len(self.classes)), 0.001, np.float32)
        answers[np.arange(len(images)), images[:, 0, 0]] = 1 - 0.001 * (len(self.classes) - 1)
        return answers

    def _save(self, directory: Path) -> None:
        (directory / "nothing.txt").write_text("")

    def _load(self, directory: Path) -> None:
        pass

    def _size(self) -> tuple[int, int]:
        return 0, 0


@pytest.fixture
def faces() -> tuple[Images, np.ndarray]:
    """Ninety pictures whose first pixel is the class of two in three."""
    labels = np.arange(90) % 3
    images = np.zeros((90, 4, 4), np.uint8)
    images[:, 0, 0] = np.where(np.arange(90) // 3 % 3 == 0, (labels + 1) % 3, labels)
    return images, labels.astype(np.int64)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._added, "recognizers", {"too_sure": TooSure})


CLASSES = ("anger", "fear", "neutral")


def fitted(faces: tuple[Images, np.ndarray], **more: Any) -> Recognizer:
    return TooSure().fit(*faces, classes=CLASSES, validation=faces, **more)


def test_who_is_too_sure_becomes_as_sure_as_right(faces) -> None:
    recognizer = fitted(faces, calibration="temperature")
    answers = recognizer.predict_proba(faces[0])
    assert recognizer.temperature_ > 2 and answers.dtype == np.float32
    assert answers.max(axis=1) == pytest.approx(np.full(90, 2 / 3), abs=0.01)
    assert answers.sum(axis=1) == pytest.approx(np.ones(90), abs=1e-5)
    plain = fitted(faces).predict_proba(faces[0])
    assert np.array_equal(answers.argmax(axis=1), plain.argmax(axis=1))
    assert log_loss(faces[1], answers) < log_loss(faces[1], plain)


def test_without_it_nothing_is_scaled(faces) -> None:
    assert fitted(faces).temperature_ is None


def test_the_next_fit_forgets_it(faces) -> None:
    recognizer = fitted(faces, calibration="temperature")
    recognizer.fit(*faces, classes=CLASSES)
    assert recognizer.temperature_ is None


def test_the_next_fit_finds_the_same(faces) -> None:
    recognizer = fitted(faces, calibration="temperature")
    first = recognizer.temperature_
    recognizer.fit(*faces, classes=CLASSES, validation=faces, calibration="temperature")
    assert recognizer.temperature_ == first


@pytest.mark.parametrize("n", [None, 0])
def test_without_validation_faces_it_is_refused(faces, n: int | None) -> None:
    validation = None if n is None else (faces[0][:n], faces[1][:n])
    with pytest.raises(DataError, match="needs validation faces"):
        TooSure().fit(*faces, classes=CLASSES, validation=validation, calibration="temperature")


def test_it_is_saved_and_read_back(faces, registered, tmp_path: Path) -> None:
    recognizer = fitted(faces, calibration="temperature")
    recognizer.save(tmp_path / "saved")
    loaded = registry.load(tmp_path / "saved")
    assert read_header(tmp_path / "saved").temperature == loaded.temperature_ == recognizer.temperature_
    assert np.array_equal(loaded.predict_proba(faces[0]), recognizer.predict_proba(faces[0]))


@pytest.mark.parametrize("text", ["0", "-1", "NaN", '"hot"'])
def test_saved_temperatures_that_are_none_are_refused(faces, registered, tmp_path: Path, text: str) -> None:
    recognizer = fitted(faces, calibration="temperature")
    recognizer.save(tmp_path / "saved")
    path = tmp_path / "saved" / "recognizer.json"
    path.write_text(path.read_text().replace(f'"temperature": {recognizer.temperature_}', f'"temperature": {text}'))
    with pytest.raises(DataError, match="temperature"):
        registry.load(tmp_path / "saved")


def test_recognizers_saved_before_there_was_one_are_read(tiny: Dataset) -> None:
    assert registry.load("hog_svm").temperature_ is None


def test_one_face_and_none_are_answered(faces) -> None:
    recognizer = fitted(faces, calibration="temperature")
    assert recognizer.predict_proba(faces[0][:0]).shape == (0, 3)
    assert np.allclose(recognizer.predict_proba(faces[0][:1]), recognizer.predict_proba(faces[0])[:1])
