from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from ferbench import registry
from ferbench.data.dataset import Dataset, duplicate_groups
from ferbench.data.synthetic import draw_faces, draw_splits, load_synthetic, render_faces
from ferbench.errors import ConfigError
from ferbench.types import EMOTIONS


def test_synthetic_has_the_size_that_was_asked_for(tiny: Dataset) -> None:
    assert tiny.is_synthetic and tiny.name == "synthetic" and tiny.classes == EMOTIONS
    assert [split.images.shape for _, split in tiny.splits()] == [(42, 48, 48), (21, 48, 48), (21, 48, 48)]
    assert [split.counts(7).tolist() for _, split in tiny.splits()] == [[6] * 7, [3] * 7, [3] * 7]


def test_synthetic_is_the_same_for_the_same_seed(tiny: Dataset) -> None:
    again = load_synthetic(n_train=42, n_validation=21, n_test=21, seed=0)
    other = load_synthetic(n_train=42, n_validation=21, n_test=21, seed=1)
    assert again.fingerprint() == tiny.fingerprint()
    assert other.fingerprint() != tiny.fingerprint()


def test_a_split_does_not_depend_on_the_size_of_another(tiny: Dataset) -> None:
    larger = load_synthetic(n_train=70, n_validation=21, n_test=21, seed=0)
    np.testing.assert_array_equal(larger.test.images, tiny.test.images)


def test_no_face_is_drawn_twice(tiny: Dataset) -> None:
    images = np.concatenate([split.images for _, split in tiny.splits()])
    assert duplicate_groups(images).tolist() == list(range(84))
    assert tiny.clean_test().all()


def test_rows_count_up_and_groups_are_the_persons(tiny: Dataset) -> None:
    rows = np.concatenate([split.rows for _, split in tiny.splits()])
    groups = np.concatenate([split.groups for _, split in tiny.splits()])
    assert rows.tolist() == list(range(84))
    assert groups.tolist() == np.repeat(np.arange(28), 3).tolist()


def test_synthetic_refuses_a_split_without_a_face_of_each_emotion() -> None:
    with pytest.raises(ConfigError, match=r"n_test must be at least 7.*got 6"):
        load_synthetic(n_train=7, n_validation=7, n_test=6)


def test_synthetic_is_registered_with_its_parameters() -> None:
    params = {"n_train": "14", "n_validation": 7, "n_test": 7}
    assert len(registry.create("datasets", "synthetic", params, seed=3).train) == 14


@pytest.mark.parametrize("size", [32, 48, 96])
def test_render_faces_draws_any_size(size: int) -> None:
    faces = render_faces(np.arange(7), rng=np.random.default_rng(0), size=size)
    assert faces.dtype == np.uint8 and faces.shape == (7, size, size)
    assert (faces.reshape(7, -1).std(axis=1) > 10).all()


def test_render_faces_of_nobody_is_empty() -> None:
    assert render_faces(np.empty(0, np.int64), rng=np.random.default_rng(0)).shape == (0, 48, 48)


def test_each_emotion_changes_the_face_of_the_same_person() -> None:
    faces = [render_faces(np.full(50, label), rng=np.random.default_rng(0)).astype(np.int64) for label in range(7)]
    for first, second in itertools.combinations(faces, 2):
        assert (np.abs(first - second).reshape(50, -1).max(axis=1) > 10).all()


def test_persons_show_several_faces_and_look_the_same_on_each() -> None:
    drawn = draw_faces(np.arange(14) % 7, rng=np.random.default_rng(0), faces_a_person=5)
    assert drawn.persons.tolist() == [0] * 5 + [1] * 5 + [2] * 4
    assert [len(set(drawn.identity.skin[drawn.persons == person])) for person in range(3)] == [1, 1, 1]
    assert len(set(drawn.identity.skin)) == 3


def test_nobody_appears_in_two_splits() -> None:
    splits = draw_splits((140, 35, 35))
    assert [len(set(split.persons)) for split in splits] == [47, 12, 12]
    for first, second in itertools.combinations(splits, 2):
        assert not set(first.persons) & set(second.persons)
        assert not set(first.identity.skin) & set(second.identity.skin)


def test_the_dataset_is_what_draw_splits_draws(tiny: Dataset) -> None:
    for (_, split), drawn in zip(tiny.splits(), draw_splits((42, 21, 21)), strict=True):
        np.testing.assert_array_equal(split.images, drawn.images)
        np.testing.assert_array_equal(split.labels, drawn.labels)


@pytest.mark.parametrize(
    ("set_by_caller", "column", "value"),
    [({"yaw": 30}, "yaw", 30), ({"light_yaw": -60}, "light_yaw", -60), ({"occlusion": 2}, "occlusion", 2)],
)
def test_the_view_is_exactly_what_was_set(set_by_caller: dict[str, float], column: str, value: float) -> None:
    drawn = draw_faces(np.arange(7), rng=np.random.default_rng(0), **set_by_caller)
    assert (getattr(drawn.scene, column) == value).all()


@pytest.mark.parametrize("view", [{"yaw": 30}, {"light": -60}, {"occlusion": "hand"}])
def test_setting_the_view_keeps_labels_and_changes_pictures(tiny: Dataset, view: dict[str, Any]) -> None:
    other = load_synthetic(n_train=42, n_validation=21, n_test=21, **view)
    np.testing.assert_array_equal(other.test.labels, tiny.test.labels)
    assert (other.test.images != tiny.test.images).any()


@pytest.mark.parametrize(
    ("view", "message"),
    [
        ({"yaw": 60}, "yaw must be -45 to 45 degrees, got 60"),
        ({"light": -91}, "light must be -90 to 90 degrees"),
        ({"occlusion": "scarf"}, "occlusion must be one of none, hand, eyes, mouth"),
    ],
)
def test_a_view_that_cannot_be_drawn_is_refused(view: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_synthetic(**view)


def test_a_view_is_set_from_text_as_in_a_yaml_file() -> None:
    params = {"n_train": 7, "n_validation": 7, "n_test": 7, "yaw": "20", "occlusion": "eyes"}
    assert len(registry.create("datasets", "synthetic", params).test) == 7
    with pytest.raises(ConfigError, match="occlusion"):
        registry.create("datasets", "synthetic", {"occlusion": "scarf"})


@pytest.mark.slow
def test_recognizers_come_in_the_order_of_their_strength() -> None:
    dataset = load_synthetic()
    scores = []
    for name in ("prior", "lbp_svm", "hog_svm"):
        recognizer = registry.create("recognizers", name)
        validation = (dataset.validation.images, dataset.validation.labels)
        recognizer.fit(dataset.train.images, dataset.train.labels, validation=validation)
        scores.append(float((recognizer.predict(dataset.test.images).label_ids == dataset.test.labels).mean()))
    assert scores == sorted(scores) and scores[-1] < 0.95
