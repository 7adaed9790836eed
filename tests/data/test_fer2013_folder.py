from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferbench.data.dataset import Dataset
from ferbench.data.fer2013 import load_fer2013, prepare_fer2013
from ferbench.errors import DataError
from ferbench.types import EMOTIONS

WORDS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
NUMBERS = {"Training": (90412, 7, 3908, 10118481), "PublicTest": (5, 600, 41), "PrivateTest": (4, 88305)}


def face_of(number: int, size: int = 48) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (size, size), np.uint8)


def write_face(path: Path, number: int, size: int = 48) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), face_of(number, size))


def write_copy(root: Path, ending: str = "png") -> Path:
    """The common Kaggle copy: both tests in one folder, the number modulo 7 as the class."""
    for usage, numbers in NUMBERS.items():
        for number in numbers:
            folder = root / ("train" if usage == "Training" else "test") / WORDS[number % 7]
            write_face(folder / f"{usage}_{number}.{ending}", number)
    return root


def prepared(root: Path) -> Dataset:
    prepare_fer2013(root, counts=None)
    return load_fer2013()


def test_names_restore_the_official_splits_and_their_order(tmp_path: Path) -> None:
    dataset = prepared(write_copy(tmp_path / "fer2013"))
    assert dataset.name == "fer2013" and dataset.classes == EMOTIONS
    for (_, split), numbers in zip(dataset.splits(), NUMBERS.values(), strict=True):
        assert split.rows.tolist() == sorted(numbers)
        assert split.labels.tolist() == [number % 7 for number in sorted(numbers)]
        for image, number in zip(split.images, sorted(numbers), strict=True):
            np.testing.assert_array_equal(image, face_of(number))


def test_folders_above_the_class_do_not_matter(tmp_path: Path) -> None:
    merged = prepared(write_copy(tmp_path / "merged")).fingerprint()
    root = write_copy(tmp_path / "apart")
    for path in sorted(root.rglob("P*Test_*.png")):
        target = root / path.name.split("_")[0] / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    assert prepared(root).fingerprint() == merged


def test_class_folders_have_any_word_for_the_emotion(tmp_path: Path) -> None:
    usual = prepared(write_copy(tmp_path / "usual")).fingerprint()
    root = write_copy(tmp_path / "other")
    (root / "train" / "angry").rename(root / "train" / "Anger")
    assert prepared(root).fingerprint() == usual


def test_jpeg_copies_are_read_and_have_a_fingerprint_of_their_own(tmp_path: Path) -> None:
    exact = prepared(write_copy(tmp_path / "png"))
    lossy = prepared(write_copy(tmp_path / "jpg", "jpg"))
    assert lossy.train.rows.tolist() == exact.train.rows.tolist()
    assert lossy.fingerprint() != exact.fingerprint()


def test_identical_pictures_share_a_group(tmp_path: Path) -> None:
    root = write_copy(tmp_path / "fer2013")
    shutil.copy(root / "train" / "angry" / "Training_7.png", root / "test" / "angry" / "PrivateTest_70.png")
    dataset = prepared(root)
    assert dataset.test.groups[dataset.test.rows == 70] == dataset.train.groups[dataset.train.rows == 7]
    assert dataset.clean_test().tolist() == [True, False, True]


def test_other_files_and_hidden_ones_are_passed_over(tmp_path: Path) -> None:
    root = write_copy(tmp_path / "fer2013")
    usual = prepared(root).fingerprint()
    (root / "README.txt").write_text("faces")
    (root / "train" / "angry" / "._Training_7.png").write_bytes(b"\x00")
    (root / "train" / ".thumbs").mkdir()
    (root / "train" / ".thumbs" / "small.png").write_bytes(b"\x00")
    assert prepared(root).fingerprint() == usual


def test_counts_are_checked_as_for_the_csv(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train must have 28,709 faces .*got 4 "):
        prepare_fer2013(write_copy(tmp_path / "fer2013"))


def test_progress_counts_pictures(tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    prepare_fer2013(write_copy(tmp_path / "fer2013"), counts=None, on_progress=lambda *call: calls.append(call))
    assert calls[-1] == ("reading fer2013", 9, 9)


@pytest.mark.parametrize("name", ["im0.png", "35886.jpg", "Training_.png", "Training_1 (1).png", "train_1.png"])
def test_a_copy_that_has_lost_its_splits_is_refused_with_the_way_out(tmp_path: Path, name: str) -> None:
    root = write_copy(tmp_path / "fer2013")
    write_face(root / "train" / "sad" / name, 1)
    with pytest.raises(DataError, match=r"1 of 10 pictures .*official.*python -m ferbench data prepare folder PATH"):
        prepared(root)


def test_pictures_that_cannot_be_decoded_are_all_named(tmp_path: Path) -> None:
    root = write_copy(tmp_path / "fer2013")
    for name in ("Training_1.png", "Training_2.png"):
        (root / "train" / "angry" / name).write_bytes(b"\x89PNG")
    with pytest.raises(DataError, match=r"2 of 11 pictures.*Training_1\.png is not.*Training_2\.png is not"):
        prepared(root)


def test_another_size_is_refused(tmp_path: Path) -> None:
    root = write_copy(tmp_path / "fer2013")
    write_face(root / "test" / "sad" / "PublicTest_1.png", 1, size=64)
    with pytest.raises(DataError, match=r"PublicTest_1\.png has 64 x 64 pixels, expected 48 x 48"):
        prepared(root)


@pytest.mark.parametrize(
    ("folder", "message"),
    [("hapy", "is no class folder: no emotion named 'hapy'. Did you mean"), ("contempt", "is no class of FER2013")],
)
def test_a_folder_that_is_no_class_is_refused(tmp_path: Path, folder: str, message: str) -> None:
    root = write_copy(tmp_path / "fer2013")
    write_face(root / "train" / folder / "Training_1.png", 1)
    with pytest.raises(DataError, match=message):
        prepared(root)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"neither fer2013\.csv nor icml_face_data\.csv nor pictures"):
        prepared(tmp_path)


safe = st.characters(codec="utf-8", exclude_characters="/\\\x00", exclude_categories=("Cs",))
stems = st.text(safe, min_size=1, max_size=30) | st.from_regex(r"\A(Training|PublicTest|Private)_?[0-9]{0,25}x?\Z")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(folder=st.text(safe, min_size=1, max_size=30).filter(lambda name: name.strip(".")), stem=stems)
def test_any_name_is_read_or_refused_with_one_of_our_errors(tmp_path: Path, folder: str, stem: str) -> None:
    root = tmp_path / "made"
    shutil.rmtree(root, ignore_errors=True)
    write_face(root / "sad" / "Training_1.png", 1)
    path = root / folder / f"{stem}.png"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes((root / "sad" / "Training_1.png").read_bytes())
    try:
        n_faces = sum(len(split) for _, split in prepared(root).splits())
    except DataError:
        return
    assert n_faces in (1, 2)
