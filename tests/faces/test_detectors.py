import inspect

import numpy as np
import pytest

from ferbench import registry
from ferbench.errors import ConfigError, DataError, ImagesError
from ferbench.faces.detectors import FaceDetector, Faces, Haar, WholeFrame, fit_within
from ferbench.faces.matching import match
from ferbench.types import Boxes, FrameImage


def blank(height: int, width: int) -> FrameImage:
    return np.full((height, width, 3), 128, np.uint8)


@pytest.fixture(scope="module")
def haar() -> Haar:
    return Haar()


def is_valid(faces: Faces, image: FrameImage) -> bool:
    height, width = image.shape[:2]
    x1, y1, x2, y2 = faces.boxes.T
    areas = (x2 - x1) * (y2 - y1)
    inside = (x1 >= 0).all() and (y1 >= 0).all() and (x2 <= width).all() and (y2 <= height).all()
    filled = (x2 > x1).all() and (y2 > y1).all()
    ordered = (np.diff(areas) <= 0).all()
    typed = faces.boxes.dtype == np.int32 and faces.scores.dtype == np.float32
    return bool(inside and filled and ordered and typed and ((faces.scores >= 0) & (faces.scores <= 1)).all())


def test_haar_finds_a_person(haar: Haar, astronaut: FrameImage) -> None:
    faces = haar.detect(astronaut)
    x1, y1, x2, y2 = faces.boxes[0]
    assert is_valid(faces, astronaut) and faces.eyes is None
    assert x1 < 200 and x2 > 247 and y1 < 100 and y2 > 145


def test_haar_finds_nine_drawn_faces_in_ten(haar: Haar, crowd: tuple[FrameImage, Boxes]) -> None:
    frame, true = crowd
    faces = Haar(input_size=(1260, 1060)).detect(frame)
    assert is_valid(faces, frame)
    assert np.count_nonzero(match(faces.boxes, true) >= 0) >= 27


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 900), (900, 1), (7, 13), (59, 61), (240, 320), (2160, 3840)])
def test_haar_finds_nothing_where_nothing_is(haar: Haar, height: int, width: int) -> None:
    image = blank(height, width)
    faces = haar.detect(image)
    assert len(faces) == 0 and is_valid(faces, image)


def test_haar_scales_boxes_back_to_a_large_picture(haar: Haar, astronaut: FrameImage) -> None:
    large = astronaut.repeat(4, axis=0).repeat(4, axis=1)
    small, big = haar.detect(astronaut).boxes[0], haar.detect(large).boxes[0]
    np.testing.assert_allclose(big / 4, small, atol=12)


def test_haar_leaves_out_faces_below_its_smallest(astronaut: FrameImage) -> None:
    assert len(Haar(min_size=400).detect(astronaut)) == 0


def test_haar_takes_a_mirrored_view_and_leaves_it_alone(haar: Haar, astronaut: FrameImage) -> None:
    mirrored = astronaut[:, ::-1]
    before = mirrored.copy()
    assert len(haar.detect(mirrored)) >= 1
    np.testing.assert_array_equal(mirrored, before)


@pytest.mark.parametrize("name", ["haar", "whole_frame", "yunet", "mtcnn"])
@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((48, 48), np.uint8),
        np.zeros((48, 48, 1), np.uint8),
        np.zeros((48, 48, 4), np.uint8),
        np.zeros((48, 48, 3), np.float32),
        np.zeros((0, 48, 3), np.uint8),
        [[1, 2, 3]],
    ],
    ids=["gray", "one channel", "alpha", "float", "no pixel", "list"],
)
def test_every_detector_refuses_what_is_no_color_picture(name: str, wrong: object) -> None:
    with pytest.raises(ImagesError, match="must"):
        registry.create("detectors", name).detect(wrong)


@pytest.mark.parametrize("name", ["haar", "whole_frame", "yunet", "mtcnn"])
def test_every_detector_has_keyword_only_parameters_and_a_repr_that_tells_them(name: str) -> None:
    detector: FaceDetector = registry.create("detectors", name)
    parameters = inspect.signature(type(detector)).parameters.values()
    assert detector.name == name
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters)
    shown = ", ".join(f"{parameter.name}={getattr(detector, parameter.name)!r}" for parameter in parameters)
    assert repr(detector) == f"{type(detector).__name__}({shown})"


@pytest.mark.parametrize("name", ["yunet", "mtcnn"])
def test_detectors_that_see_eyes_turn_heads_upright_where_asked(name: str) -> None:
    plain, leveled = (registry.create("detectors", name, {"level": level}).framing for level in (False, True))
    assert not plain.level and leveled.level
    assert (leveled.scale, leveled.down) == (plain.scale, plain.down)


def test_a_detector_keeps_its_repr_in_use(astronaut: FrameImage) -> None:
    detector = Haar()
    before = repr(detector)
    detector.detect(astronaut)
    assert repr(detector) == before


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("haar", {"scale": 1.0}),
        ("haar", {"scale": float("nan")}),
        ("haar", {"neighbors": 0}),
        ("haar", {"min_size": 0}),
        ("haar", {"input_size": [16, 240]}),
        ("haar", {"scales": 1.1}),
        ("yunet", {"threshold": 0}),
        ("yunet", {"threshold": 1.5}),
        ("yunet", {"input_size": [320, 100_000]}),
        ("mtcnn", {"input_size": [5, 5]}),
        ("mtcnn", {"threshold": 1}),
    ],
)
def test_a_parameter_out_of_range_is_refused(name: str, wrong: dict) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        registry.create("detectors", name, wrong)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (48, 48), (480, 640)])
def test_whole_frame_is_one_face(height: int, width: int) -> None:
    faces = WholeFrame().detect(blank(height, width))
    assert faces.boxes.tolist() == [[0, 0, width, height]] and faces.scores.tolist() == [1]


def test_faces_are_cut_at_the_edges_and_ordered() -> None:
    image = blank(100, 200)
    corners = np.array(
        [[10, 10, 30, 30], [-50, -50, 60.4, 60.6], [300, 10, 400, 90], [190, 90, 260, 130], [20, 20, 20.3, 40]], float
    )
    faces = Faces.within(image, corners, np.linspace(0.1, 0.5, 5))
    assert faces.boxes.tolist() == [[0, 0, 60, 61], [10, 10, 30, 30], [190, 90, 200, 100]]
    assert faces.scores.tolist() == pytest.approx([0.2, 0.1, 0.4])


def test_eyes_go_with_their_face_the_left_one_first() -> None:
    corners = np.array([[0, 0, 10, 10], [20, 0, 60, 40]], float)
    eyes = np.array([[[7, 3], [3, 4]], [[30, 10], [50, 12]]], float)
    faces = Faces.within(blank(50, 80), corners, np.ones(2), eyes)
    assert faces.eyes is not None and faces.eyes.tolist() == [[[30, 10], [50, 12]], [[3, 4], [7, 3]]]


def test_a_box_that_is_no_number_is_left_out() -> None:
    corners = np.array([[np.nan, 0, 10, 10], [0, 0, np.inf, 10], [0, 0, 10, 10]])
    assert Faces.within(blank(50, 80), corners, np.ones(3)).boxes.tolist() == [[0, 0, 10, 10]]


def test_the_first_faces_are_the_largest() -> None:
    corners = np.array([[0, 0, 10, 10], [20, 0, 60, 40]], float)
    faces = Faces.within(blank(50, 80), corners, np.ones(2), np.zeros((2, 2, 2)))
    assert faces.first(1).boxes.tolist() == [[20, 0, 60, 40]] and len(faces.first(5)) == 2
    assert len(Faces.empty().first(1)) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"boxes": np.zeros((2, 3), np.int32)},
        {"scores": np.zeros(3, np.float32)},
        {"eyes": np.zeros((1, 2, 2), np.float32)},
    ],
)
def test_faces_of_different_lengths_are_refused(wrong: dict) -> None:
    with pytest.raises(DataError, match="Faces need"):
        Faces(**{"boxes": np.zeros((2, 4), np.int32), "scores": np.zeros(2, np.float32), **wrong})


@pytest.mark.parametrize(
    ("height", "width", "enlarge", "expected"),
    [
        (480, 640, False, (240, 320, 0.5)),
        (480, 640, True, (240, 320, 0.5)),
        (240, 320, True, (240, 320, 1.0)),
        (120, 100, False, (120, 100, 1.0)),
        (120, 100, True, (240, 200, 2.0)),
        (1000, 100, False, (240, 24, 0.24)),
        (1, 10_000, False, (1, 320, 0.032)),
    ],
)
def test_a_picture_keeps_its_shape_within_the_size(height: int, width: int, enlarge: bool, expected: tuple) -> None:
    fitted, scale = fit_within(blank(height, width), (320, 240), enlarge=enlarge)
    assert (*fitted.shape[:2], scale) == pytest.approx(expected)
