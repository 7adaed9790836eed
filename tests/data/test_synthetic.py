from __future__ import annotations

import itertools

import numpy as np
import pytest

from ferbench import registry
from ferbench.data.dataset import Dataset
from ferbench.data.synthetic import load_synthetic, render_faces
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
    groups = np.concatenate([split.groups for _, split in tiny.splits()])
    rows = np.concatenate([split.rows for _, split in tiny.splits()])
    assert groups.tolist() == rows.tolist() == list(range(84))
    assert tiny.clean_test().all()


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
        assert (np.abs(first - second).reshape(50, -1).max(axis=1) > 20).all()
