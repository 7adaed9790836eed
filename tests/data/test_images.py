from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ferbench.data.images import import_cv2, read_gray, resize, to_gray
from ferbench.errors import DataError, MissingLibraryError

cv2 = pytest.importorskip("cv2")

# The smallest EXIF block that says "turn a quarter clockwise to be upright" (orientation 6).
EXIF_ORIENTATION_6 = (
    b"\xff\xe1\x00\x22Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"
    b"\x00\x00\x00\x00"
)


def test_to_gray_weighs_colors_by_bt601() -> None:
    blue_green_red = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    assert to_gray(blue_green_red).tolist() == [[29, 150, 76, 255]]


def test_resize_down_averages_areas() -> None:
    checkers = np.tile(np.array([[0, 200], [200, 0]], np.uint8), (1, 4, 4))
    assert resize(checkers, (4, 4)).tolist() == np.full((1, 4, 4), 100).tolist()


def test_resize_up_interpolates_between_pixels() -> None:
    resized = resize(np.array([[[0, 100]]], np.uint8), (1, 4))
    assert resized.tolist() == [[[0, 25, 75, 100]]]


def test_resize_to_the_same_size_changes_nothing() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 7), np.uint8)
    np.testing.assert_array_equal(resize(images, (5, 7)), images)


def test_resize_takes_views_and_empty_batches() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 16), np.uint8)
    np.testing.assert_array_equal(resize(images[:, :, ::2], (4, 4)), resize(images[:, :, ::2].copy(), (4, 4)))
    assert resize(images[:0], (4, 4)).shape == (0, 4, 4)


@pytest.mark.parametrize("mode", ["gray", "color", "transparent"])
def test_read_gray_reads_any_number_of_channels(tmp_path: Path, mode: str) -> None:
    gray = np.arange(48, dtype=np.uint8).reshape(6, 8)
    channels = {"gray": gray, "color": np.dstack([gray] * 3), "transparent": np.dstack([*[gray] * 3, gray * 0 + 255])}
    cv2.imwrite(str(tmp_path / "face.png"), channels[mode])
    np.testing.assert_array_equal(read_gray(tmp_path / "face.png"), gray)


def test_read_gray_reads_a_path_that_is_not_ascii(tmp_path: Path) -> None:
    path = tmp_path / "gesicht-ü-顔.png"
    path.write_bytes(cv2.imencode(".png", np.zeros((3, 5), np.uint8))[1].tobytes())
    assert read_gray(path).shape == (3, 5)


def test_read_gray_turns_a_photo_upright(tmp_path: Path) -> None:
    stored = np.zeros((32, 64), np.uint8)
    stored[:, :32] = 200  # bright at the left of the sensor, so at the top of the upright picture
    data = cv2.imencode(".jpg", stored)[1].tobytes()
    (tmp_path / "photo.jpg").write_bytes(data[:2] + EXIF_ORIENTATION_6 + data[2:])
    upright = read_gray(tmp_path / "photo.jpg")
    assert upright.shape == (64, 32)
    assert upright[:24].mean() > 190 and upright[40:].mean() < 10


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\x00" * 20])
def test_read_gray_refuses_what_is_not_a_picture(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "face.png").write_bytes(content)
    with pytest.raises(DataError, match=r"is not a picture.*give a PNG"):
        read_gray(tmp_path / "face.png")


def test_read_gray_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"face\.png cannot be read: No such file"):
        read_gray(tmp_path / "face.png")


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        ("libGL.so.1: cannot open shared object file", "apt-get install libgl1"),
        ("libgthread-2.0.so.0: cannot open shared object file", "apt-get install libglib2.0-0"),
        ("No module named 'cv2'", "pip install 'opencv-python"),
    ],
)
def test_import_cv2_names_the_missing_package(monkeypatch: pytest.MonkeyPatch, cause: str, message: str) -> None:
    real_import = builtins.__import__

    def broken(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "cv2":
            raise ImportError(cause)
        return real_import(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "cv2")
    monkeypatch.setattr(builtins, "__import__", broken)
    with pytest.raises(MissingLibraryError, match=message):
        import_cv2()
