from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferbench.data.folder import load_folder, prepare_folder
from ferbench.data.images import resize, to_gray
from ferbench.data.pictures import NO_FACE
from ferbench.errors import ImagesError
from ferbench.faces.crops import LargestFace, crop_faces
from ferbench.faces.detectors import Faces, Haar, WholeFrame
from ferbench.faces.framing import Framing
from ferbench.types import FrameImage


def noise(height: int = 120, width: int = 160) -> FrameImage:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def at(*boxes: tuple[int, int, int, int], eyes: list | None = None) -> Faces:
    given_eyes = None if eyes is None else np.array(eyes, np.float32)
    return Faces(np.array(boxes, np.int32).reshape(-1, 4), np.ones(len(boxes), np.float32), given_eyes)


@pytest.mark.parametrize("side", [1, 20, 48, 49, 100])
def test_a_crop_is_gray_and_resized_as_data_is(side: int) -> None:
    image = noise()
    expected = resize(to_gray(image[10 : 10 + side, 20 : 20 + side])[None], (48, 48))
    np.testing.assert_array_equal(crop_faces(image, at((20, 10, 20 + side, 10 + side))), expected)


def test_the_whole_picture_as_a_face_is_the_picture() -> None:
    image = noise(96, 96)
    expected = resize(to_gray(image)[None], (48, 48))
    np.testing.assert_array_equal(crop_faces(image, WholeFrame().detect(image)), expected)


@pytest.mark.parametrize("size", [(48, 48), (24, 24), (96, 64)])
def test_crops_have_the_size_asked_for(size: tuple[int, int]) -> None:
    crops = crop_faces(noise(), at((0, 0, 50, 50), (30, 30, 90, 100)), size=size)
    assert crops.shape == (2, *size) and crops.dtype == np.uint8


def test_no_faces_give_no_crops() -> None:
    assert crop_faces(noise(), Faces.empty()).shape == (0, 48, 48)


def test_many_faces_are_cropped_each_by_itself() -> None:
    image = noise()
    boxes = [(3 * face, 2 * face, 3 * face + 40, 2 * face + 40) for face in range(30)]
    together = crop_faces(image, at(*boxes))
    alone = np.concatenate([crop_faces(image, at(box)) for box in boxes])
    np.testing.assert_array_equal(together, alone)


def test_a_square_over_the_edge_repeats_the_edge() -> None:
    image = noise()
    padded = np.pad(image, ((60, 60), (60, 60), (0, 0)), "edge")
    for box in [(0, 0, 40, 40), (130, 0, 160, 30), (0, 100, 20, 120), (140, 100, 160, 120)]:
        x1, y1, x2, y2 = box
        margin = (x2 - x1) // 2
        inner = padded[y1 - margin + 60 : y2 + margin + 60, x1 - margin + 60 : x2 + margin + 60]
        expected = resize(to_gray(inner)[None], (48, 48))
        np.testing.assert_array_equal(crop_faces(image, at(box), framing=Framing(scale=2)), expected)


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(st.integers(0, 158), st.integers(0, 118), st.integers(1, 160), st.integers(1, 120)),
    st.floats(0.1, 6),
    st.floats(-3, 3),
    st.floats(-3, 3),
)
def test_any_square_on_any_box_gives_a_crop(
    drawn: tuple[int, int, int, int], scale: float, right: float, down: float
) -> None:
    x1, y1, width, height = drawn
    box = (x1, y1, min(x1 + width, 160), min(y1 + height, 120))
    crops = crop_faces(noise(), at(box), framing=Framing(scale=scale, right=right, down=down))
    assert crops.shape == (1, 48, 48)


def test_a_shift_moves_the_square_by_shares_of_the_box() -> None:
    image = noise()
    shifted = crop_faces(image, at((20, 20, 60, 60)), framing=Framing(right=0.5, down=0.25))
    np.testing.assert_array_equal(shifted, crop_faces(image, at((40, 30, 80, 70))))


def test_a_box_that_is_no_square_becomes_one_of_equal_area() -> None:
    squares = Framing().squares(np.array([[10, 10, 26, 46], [10, 10, 46, 26]], np.int32))
    np.testing.assert_allclose(squares, [[18, 28, 24, 0], [28, 18, 24, 0]])


@pytest.mark.parametrize("degrees", [-30, 12, 45])
def test_a_leveled_crop_undoes_a_turn_of_the_head(degrees: float) -> None:
    image = cv2.GaussianBlur(noise(400, 400), (0, 0), 6)
    image = cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX)
    turn = cv2.getRotationMatrix2D((199.5, 199.5), -degrees, 1)
    turned = cv2.warpAffine(image, turn, (400, 400))
    eyes = np.array([[180.0, 190.0], [220.0, 190.0]]) - 0.5
    turned_eyes = eyes @ turn[:, :2].T + turn[:, 2] + 0.5
    box, framing = (150, 150, 250, 250), Framing(level=True)
    upright = crop_faces(image, at(box, eyes=[eyes + 0.5]), framing=framing).astype(int)
    leveled = crop_faces(turned, at(box, eyes=[turned_eyes]), framing=framing).astype(int)
    assert np.abs(upright - leveled).mean() < 2
    assert np.abs(upright - crop_faces(turned, at(box)).astype(int)).mean() > 10


def test_a_leveled_crop_of_a_level_face_is_the_plain_one() -> None:
    image, box, eyes = noise(), (20, 20, 80, 80), [[[35, 40], [65, 40]]]
    leveled = crop_faces(image, at(box, eyes=eyes), framing=Framing(level=True, down=0.1))
    np.testing.assert_array_equal(leveled, crop_faces(image, at(box), framing=Framing(down=0.1)))


def test_a_turned_square_is_shifted_along_its_own_axes() -> None:
    eyes = np.array([[[50, 30], [50, 70]]], np.float32)
    squares = Framing(down=0.5, level=True).squares(np.array([[30, 30, 70, 70]], np.int32), eyes)
    np.testing.assert_allclose(squares, [[30, 50, 40, 90]], atol=1e-9)


def test_eyes_are_not_needed_to_level() -> None:
    image = noise()
    leveled = crop_faces(image, at((20, 20, 80, 80)), framing=Framing(level=True))
    np.testing.assert_array_equal(leveled, crop_faces(image, at((20, 20, 80, 80))))


def test_a_gray_picture_shown_as_color_keeps_its_gray() -> None:
    gray = np.random.default_rng(1).integers(0, 256, (48, 48), np.uint8)
    image = cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR)
    np.testing.assert_array_equal(crop_faces(image, at((0, 0, 48, 48)))[0], gray)


def test_views_are_cropped_as_copies_are_and_left_alone() -> None:
    image = noise()[:, ::-1]
    before = image.copy()
    for framing in (Framing(scale=1.5), Framing(level=True)):
        faces = at((100, 20, 150, 70), eyes=[[[110, 40], [140, 50]]])
        np.testing.assert_array_equal(
            crop_faces(image, faces, framing=framing), crop_faces(before, faces, framing=framing)
        )
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("wrong", [np.zeros((48, 48), np.uint8), np.zeros((48, 48, 3), np.float32)])
def test_what_is_no_color_picture_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ImagesError, match="must be uint8"):
        crop_faces(wrong, Faces.empty())


def test_the_largest_face_is_cut_out_of_a_picture(astronaut: FrameImage) -> None:
    cut = LargestFace(Haar(), size=(64, 64))
    face = cut(astronaut)
    assert face is not None and face.shape == (64, 64) and face.dtype == np.uint8
    assert cut(np.zeros((200, 200, 3), np.uint8)) is None


def test_a_crop_is_known_by_detector_framing_and_size(astronaut: FrameImage) -> None:
    cut = LargestFace(Haar())
    before = repr(cut)
    cut(astronaut)
    assert repr(cut) == before == repr(LargestFace(Haar()))
    others = {repr(LargestFace(Haar(scale=1.2))), repr(LargestFace(WholeFrame())), repr(LargestFace(Haar(), (64, 64)))}
    assert len(others | {before}) == 4


def test_a_folder_is_prepared_from_the_faces_in_its_pictures(tmp_path: Path, astronaut: FrameImage) -> None:
    for name in ("anger", "happy"):
        (tmp_path / "own" / name).mkdir(parents=True)
        for number in range(4):
            shifted = np.roll(astronaut, 3 * number + (40 if name == "happy" else 0), axis=1)
            cv2.imwrite(str(tmp_path / "own" / name / f"{number}.png"), shifted)
    cv2.imwrite(str(tmp_path / "own" / "anger" / "nobody.png"), np.zeros((100, 100, 3), np.uint8))
    place = prepare_folder(tmp_path / "own", crop=LargestFace(Haar()))
    dataset = load_folder()
    assert sum(len(split) for _, split in dataset.splits()) == 8
    assert NO_FACE in (place / "unreadable.txt").read_text()
    expected = LargestFace(Haar())(cv2.imread(str(tmp_path / "own" / "happy" / "0.png")))
    assert any((image == expected).all() for _, split in dataset.splits() for image in split.images)
