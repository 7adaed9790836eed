import numpy as np
import pytest

from ferbench.errors import ConfigError
from ferbench.faces.smoothing import FaceTracks
from ferbench.types import Boxes, Probabilities

LEFT, RIGHT = (0, 0, 100, 100), (300, 0, 400, 100)


def at(*corners: tuple[int, int, int, int]) -> Boxes:
    return np.array(corners, np.int32).reshape(-1, 4)


def saying(*rows: tuple[float, ...], n_classes: int = 2) -> Probabilities:
    return np.array(rows, np.float32).reshape(-1, n_classes)


def test_a_new_face_is_not_smoothed() -> None:
    said = saying((0.9, 0.1))
    np.testing.assert_array_equal(FaceTracks().update(at(LEFT), said), said)


def test_a_face_seen_before_is_smoothed_exponentially() -> None:
    tracks = FaceTracks(weight=0.25)
    for said, expected in [((1, 0), (1, 0)), ((0, 1), (0.75, 0.25)), ((0, 1), (0.5625, 0.4375))]:
        np.testing.assert_allclose(tracks.update(at(LEFT), saying(said)), saying(expected))


def test_weight_one_smooths_nothing() -> None:
    tracks = FaceTracks(weight=1)
    tracks.update(at(LEFT), saying((1, 0)))
    np.testing.assert_array_equal(tracks.update(at(LEFT), saying((0.2, 0.8))), saying((0.2, 0.8)))


def test_faces_keep_their_own_past_when_their_order_changes() -> None:
    tracks = FaceTracks(weight=0.5)
    tracks.update(at(LEFT, RIGHT), saying((1, 0), (0, 1)))
    moved = at((310, 5, 410, 105), (5, 0, 105, 100))
    np.testing.assert_allclose(tracks.update(moved, saying((0.5, 0.5), (0.5, 0.5))), saying((0.25, 0.75), (0.75, 0.25)))


def test_a_face_far_from_all_before_starts_afresh() -> None:
    tracks = FaceTracks(weight=0.5)
    tracks.update(at(LEFT), saying((1, 0)))
    np.testing.assert_array_equal(tracks.update(at(RIGHT), saying((0, 1))), saying((0, 1)))


@pytest.mark.parametrize(("n_missed", "is_remembered"), [(0, True), (2, True), (3, False)])
def test_a_face_is_remembered_for_so_many_frames(n_missed: int, is_remembered: bool) -> None:
    tracks = FaceTracks(weight=0.5, patience=2)
    tracks.update(at(LEFT), saying((1, 0)))
    for _ in range(n_missed):
        assert tracks.update(at(), saying()).shape == (0, 2)
    expected = (0.5, 0.5) if is_remembered else (0, 1)
    np.testing.assert_array_equal(tracks.update(at(LEFT), saying((0, 1))), saying(expected))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_clear_and_other_classes_forget_the_past(n_classes: int) -> None:
    tracks = FaceTracks(weight=0.5)
    tracks.update(at(LEFT), saying((1, 0)))
    if n_classes == 2:
        tracks.clear()
    said = np.eye(n_classes, dtype=np.float32)[-1:]
    np.testing.assert_array_equal(tracks.update(at(LEFT), said), said)


def test_smoothed_rows_sum_to_one_and_the_input_is_left_alone() -> None:
    rng = np.random.default_rng(0)
    tracks = FaceTracks(weight=0.3)
    for _ in range(50):
        said = rng.dirichlet(np.ones(7), 2).astype(np.float32)
        before = said.copy()
        smoothed = tracks.update(at(LEFT, RIGHT), said)
        np.testing.assert_array_equal(said, before)
        assert smoothed.dtype == np.float32 and np.allclose(smoothed.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("wrong", [{"weight": 0}, {"weight": 1.5}, {"min_overlap": 0}, {"patience": -1}])
def test_a_value_out_of_range_is_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        FaceTracks(**wrong)
