from dataclasses import replace

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from ferbench.data.dataset import Dataset, Split
from ferbench.errors import ConfigError, DataError
from ferbench.realtime.scenes import Scenes, SceneSettings
from ferbench.types import EMOTIONS


@pytest.fixture
def faces(tiny: Dataset) -> Split:
    """As many groups as faces, so that a group tells which face is shown."""
    split = tiny.validation
    return replace(split, groups=np.arange(100, 100 + len(split)))


def scenes(faces: Split, *, seed: int = 0, **settings) -> Scenes:
    return Scenes(faces, EMOTIONS, SceneSettings(**settings), seed=seed)


def shown(made: Scenes) -> list[list[int]]:
    """The groups of the faces in each frame."""
    return [made.truth(index).groups.tolist() for index in range(len(made))]


def test_same_seed_gives_the_same_bytes_in_any_order(faces: Split) -> None:
    one, other = (scenes(faces, faces_per_frame=2, frames_per_face=5, face_sizes=(60, 90)) for _ in range(2))
    forward = [one[index].image for index in range(20)]
    for index in np.random.default_rng(0).permutation(20).tolist():
        assert np.array_equal(other[index].image, forward[index])


def test_held_frames_are_drawn_once_and_are_the_same(faces: Split) -> None:
    held, fresh = scenes(faces), scenes(faces)
    held.hold(range(3, 6))
    first = held[4]
    assert held[4] is first and not first.image.flags.writeable
    assert np.array_equal(first.image, fresh[4].image) and np.array_equal(first.truth.boxes, fresh[4].truth.boxes)
    assert held[2] is not held[2] and np.array_equal(held[2].image, fresh[2].image)
    held.hold(range(0))
    assert held[4] is not first


def test_another_seed_gives_other_frames(faces: Split) -> None:
    one, other = scenes(faces, seed=0), scenes(faces, seed=1)
    assert not np.array_equal(one[0].image, other[0].image)
    assert shown(one) != shown(other)


def test_frames_are_pictures_of_the_size_asked_for(faces: Split) -> None:
    image = scenes(faces, width=320, height=240)[3].image
    assert image.shape == (240, 320, 3) and image.dtype == np.uint8


def test_every_face_is_shown_once_when_each_stays_a_frame(faces: Split) -> None:
    made = scenes(faces, frames_per_face=1)
    assert len(made) == len(faces)
    groups = shown(made)
    assert sorted(np.concatenate(groups)) == sorted(faces.groups)
    assert groups != [[group] for group in faces.groups]


def test_labels_belong_to_the_faces_that_are_shown(faces: Split) -> None:
    made = scenes(faces, frames_per_face=1)
    for index in range(len(made)):
        truth = made.truth(index)
        assert truth.labels == faces.labels[truth.groups - 100]


def test_faces_come_again_when_more_frames_are_asked_for(faces: Split) -> None:
    groups = shown(scenes(faces, frames_per_face=1, n_frames=50))
    assert len(groups) == 50
    assert groups[:21] == groups[21:42]


def test_truth_alone_is_that_of_the_scene(faces: Split) -> None:
    made = scenes(faces, faces_per_frame=3, frames_per_face=4)
    for index in (0, 7, 11):
        truth, scene = made.truth(index), made[index]
        assert np.array_equal(truth.boxes, scene.truth.boxes) and np.array_equal(truth.labels, scene.truth.labels)


def test_the_pixels_of_a_box_are_the_face(faces: Split) -> None:
    made = scenes(faces, frames_per_face=1, light=0)
    for index in range(5):
        image, truth = made[index]
        x1, y1, x2, y2 = truth.boxes[0]
        face = faces.images[truth.groups[0] - 100]
        enlarged = cv2.resize(face, (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
        for channel in range(3):
            assert np.array_equal(image[y1 + 1 : y2 - 1, x1 + 1 : x2 - 1, channel], enlarged[1:-1, 1:-1])


def edges(image: np.ndarray, box: np.ndarray) -> float:
    """Mean step in gray from the outermost column of a box on its right to the column beside it."""
    _, y1, x2, y2 = box
    return float(np.abs(image[y1:y2, x2 - 1].astype(int) - image[y1:y2, x2]).mean())


def test_a_face_fades_into_what_is_behind_it(faces: Split) -> None:
    soft, hard = (scenes(faces, frames_per_face=1, light=0, surroundings=share) for share in (0.2, 0))
    steps = np.array(
        [[edges(*(made[index].image, made.truth(index).boxes[0])) for made in (soft, hard)] for index in range(9)]
    )
    assert steps[:, 0].mean() < 0.4 * steps[:, 1].mean()


def test_far_from_the_faces_nothing_changes(faces: Split) -> None:
    soft, hard = (scenes(faces, frames_per_face=1, surroundings=share) for share in (0.2, 0))
    for index in range(5):
        x1, y1, x2, y2 = soft.truth(index).boxes[0]
        margin = round(0.2 * (x2 - x1))
        outside = np.ones((480, 640), bool)
        outside[max(y1 - margin, 0) : y2 + margin, max(x1 - margin, 0) : x2 + margin] = False
        assert np.array_equal(soft[index].image[outside], hard[index].image[outside])


def test_surroundings_never_cover_another_face(faces: Split) -> None:
    made = scenes(faces, faces_per_frame=12, frames_per_face=1, face_sizes=(120, 150), light=0, surroundings=0.5)
    image, truth = made[0]
    for (x1, y1, x2, y2), group in zip(truth.boxes, truth.groups, strict=True):
        enlarged = cv2.resize(faces.images[group - 100], (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
        assert np.array_equal(image[y1:y2, x1:x2, 0], enlarged)


@pytest.mark.parametrize("n_faces", [1, 4, 30])
def test_faces_lie_inside_the_frame_apart_from_each_other(faces: Split, n_faces: int) -> None:
    made = scenes(faces, faces_per_frame=n_faces, frames_per_face=10, n_frames=40, face_sizes=(60, 200), motion=20)
    for index in range(40):
        boxes = made.truth(index).boxes
        assert boxes.shape == (n_faces, 4)
        assert (boxes[:, :2] >= 0).all() and (boxes[:, 2] <= 640).all() and (boxes[:, 3] <= 480).all()
        covered = np.zeros((480, 640), int)
        for x1, y1, x2, y2 in boxes:
            covered[y1:y2, x1:x2] += 1
        assert covered.max() == 1


def test_sizes_span_the_range_asked_for(faces: Split) -> None:
    made = scenes(faces, frames_per_face=1, n_frames=400)
    boxes = np.concatenate([made.truth(index).boxes for index in range(400)])
    sides = boxes[:, 2] - boxes[:, 0]
    assert np.array_equal(sides, boxes[:, 3] - boxes[:, 1])
    assert 144 <= sides.min() < 150 and 214 < sides.max() <= 220


def test_a_face_stays_and_moves_smoothly(faces: Split) -> None:
    made = scenes(faces, frames_per_face=10, n_frames=100, motion=4)
    boxes = np.concatenate([made.truth(index).boxes for index in range(100)]).astype(int)
    groups = np.array(shown(made))[:, 0].reshape(10, 10)
    assert (groups == groups[:, :1]).all()
    steps = np.abs(np.diff(boxes.reshape(10, 10, 4), axis=1))
    assert steps.max() > 0
    assert steps[..., :2].max() <= 4 + 1


def test_a_share_of_the_stretches_is_empty(faces: Split) -> None:
    made = scenes(faces, frames_per_face=2, empty_share=0.25)
    counts = np.array([len(made.truth(index)) for index in range(len(made))]).reshape(-1, 2)
    assert (counts[:, 0] == counts[:, 1]).all()
    assert len(counts) == 28 and (counts[:, 0] == 0).sum() == 7
    assert made[int(np.flatnonzero(counts[:, 0] == 0)[0]) * 2].image.shape == (480, 640, 3)


def test_frames_without_any_face(faces: Split) -> None:
    made = scenes(faces, faces_per_frame=0, n_frames=3)
    assert [len(made[index].truth) for index in range(3)] == [0, 0, 0]


def test_light_changes_and_can_be_left_alone(faces: Split) -> None:
    def brightness(light: float) -> list[float]:
        made = scenes(faces, faces_per_frame=0, n_frames=100, light=light)
        return [float(made[index].image.mean()) for index in (0, 48)]

    start, dimmed = brightness(0.5)
    assert dimmed < 0.7 * start
    start, same = brightness(0.0)
    assert same == pytest.approx(start, rel=0.1)


def test_frames_differ_though_nothing_is_in_them(faces: Split) -> None:
    made = scenes(faces, faces_per_frame=0, n_frames=30, light=0)
    assert not np.array_equal(made[0].image, made[10].image)


@pytest.mark.parametrize("sizes", [(300, 200), (144, 481), (4, 100)])
def test_faces_that_do_not_fit_are_refused(faces: Split, sizes: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="face_sizes must be 8 to the frame's 480 pixels"):
        scenes(faces, face_sizes=sizes)


def test_no_faces_are_refused(faces: Split) -> None:
    with pytest.raises(DataError, match="nothing to replay"):
        Scenes(faces.take(np.empty(0, np.int64)), EMOTIONS)


@pytest.mark.parametrize(
    "settings", [{"empty_share": 1}, {"frames_per_face": 0}, {"n_frames": 0}, {"faces": 2}, {"surroundings": 1}]
)
def test_senseless_settings_are_refused(settings: dict) -> None:
    with pytest.raises(ValidationError):
        SceneSettings(**settings)
