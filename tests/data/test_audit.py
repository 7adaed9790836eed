from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ferbench.data.audit import Audit, audit, near_groups
from ferbench.data.dataset import Dataset, Split, duplicate_groups
from ferbench.data.fer2013 import load_fer2013, prepare_fer2013
from ferbench.data.near_duplicates import MIN_CORRELATION_DRAWN
from ferbench.data.synthetic import render_faces
from ferbench.types import EMOTIONS, Images

PLANTED = {"exact": 0, "near": 1, "mirrored": 2, "conflict": 3}


def dataset_of(images: Images, labels: list[int], *, n_train: int, n_validation: int) -> Dataset:
    ends = [n_train, n_train + n_validation]
    columns = (
        images,
        np.array(labels, np.int64),
        np.arange(100, 100 + len(images), dtype=np.int64),
        duplicate_groups(images),
    )
    parts = zip(*(np.split(column, ends) for column in columns), strict=True)
    splits = dict(zip(("train", "validation", "test"), (Split(*part) for part in parts), strict=True))
    return Dataset(name="planted", classes=EMOTIONS, **splits)


@pytest.fixture(scope="module")
def planted() -> Dataset:
    """Ten faces to fit on, three to choose with, seven to test on: four of them copies, and two blank ones."""
    rng = np.random.default_rng(0)
    faces = render_faces(np.arange(14) % 7, rng=rng)
    darker = (faces[1] * 0.8).astype(np.uint8)
    blank = np.full((2, 48, 48), 7, np.uint8)
    blank[1, 0, 0] = 9
    test = np.stack([faces[0], darker, faces[2, :, ::-1], faces[3], faces[13], faces[13], blank[0]])
    images = np.concatenate([faces[:10], faces[10:12], blank[1:], test])
    labels = [*(np.arange(13) % 7), 0, 1, 2, 6, 6, 6, 0]
    return dataset_of(images, labels, n_train=10, n_validation=3)


@pytest.fixture(scope="module")
def found(planted: Dataset) -> Audit:
    return audit(planted)


def rows_of(groups) -> list[list[tuple[str, int]]]:  # type: ignore[no-untyped-def]
    return [[(copy.split, copy.row) for copy in group] for group in groups]


def test_audit_finds_identical_pictures(found: Audit) -> None:
    expected = [
        [("train", 100), ("test", 113)],
        [("train", 103), ("test", 116)],
        [("test", 117), ("test", 118)],
    ]
    assert rows_of(found.exact.groups) == expected
    assert (found.exact.n_groups, found.exact.n_images, found.exact.n_across_splits) == (3, 6, 2)
    assert found.exact.images_by_split == {"train": 2, "validation": 0, "test": 4}


def test_audit_finds_conflicting_labels(found: Audit) -> None:
    assert found.exact.n_conflicting == 1
    assert rows_of(found.exact.conflicting()) == [[("train", 103), ("test", 116)]]
    assert {copy.label for copy in found.exact.conflicting()[0]} == {EMOTIONS[3], EMOTIONS[6]}


def test_audit_counts_near_groups_only_where_pictures_differ(found: Audit) -> None:
    expected = [[("train", 101), ("test", 114)], [("train", 102), ("test", 115)]]
    assert rows_of(found.near.groups) == expected
    assert rows_of(found.near.across_splits()) == expected
    assert found.near.n_conflicting == 0


def test_audit_lists_blank_pictures(found: Audit) -> None:
    assert [(copy.split, copy.row) for copy in found.blank] == [("validation", 112), ("test", 119)]


def test_audit_counts_the_clean_test_split_with_and_without_near_duplicates(planted: Dataset, found: Audit) -> None:
    assert found.n_clean_test == planted.clean_test().sum() == 4
    assert found.n_clean_test_near == 2


def test_audit_tells_the_balance_of_classes(found: Audit) -> None:
    assert found.balance["train"].counts == dict(zip(EMOTIONS, [2, 2, 2, 1, 1, 1, 1], strict=True))
    assert found.balance["train"].imbalance == 2
    assert found.balance["test"].imbalance is None


def test_audit_survives_json(found: Audit) -> None:
    assert Audit.model_validate_json(found.model_dump_json()) == found


def test_audit_looks_at_pixels_whatever_the_groups_of_the_dataset_mean(planted: Dataset, found: Audit) -> None:
    persons = replace(planted, test=replace(planted.test, groups=np.arange(7, dtype=np.int64)))
    assert audit(persons).exact == found.exact


def test_audit_of_larger_pictures_finds_the_same_near_groups(planted: Dataset, found: Audit) -> None:
    def enlarged(split: Split) -> Split:
        return replace(split, images=split.images.repeat(2, axis=1).repeat(2, axis=2))

    large = replace(planted, **{name: enlarged(split) for name, split in planted.splits()})
    assert audit(large).image_size == (96, 96)
    assert audit(large).near == found.near


def test_audit_of_an_empty_test_split_has_none_clean(planted: Dataset) -> None:
    empty = replace(planted, test=planted.test.take(np.zeros(0, np.int64)))
    assert audit(empty).n_clean_test == audit(empty).n_clean_test_near == 0


def test_near_groups_are_passed_on_and_cover_identical_pictures() -> None:
    face = render_faces(np.array([3]), rng=np.random.default_rng(0))[0]
    steps = np.stack([np.roll(face, shift, axis=1) for shift in range(5)])
    other = render_faces(np.array([4]), rng=np.random.default_rng(9))
    dataset = dataset_of(np.concatenate([steps, steps[:1], other]), [3] * 6 + [4], n_train=2, n_validation=1)
    groups = near_groups(dataset)
    assert [array.dtype for array in groups.values()] == [np.int64] * 3
    assert [len(array) for array in groups.values()] == [2, 1, 4]
    ids = np.concatenate(list(groups.values()))
    assert len(set(ids[:6])) == 1 and ids[6] != ids[0]


def test_audit_of_a_drawn_dataset_finds_no_identical_faces_and_few_near_ones(tiny: Dataset) -> None:
    found = audit(tiny)
    assert found.exact.n_groups == 0 and not found.blank
    assert found.near.n_images <= 2
    assert found.min_correlation == MIN_CORRELATION_DRAWN


@pytest.fixture(scope="session")
def fer2013(fer2013_csv_gz: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERBENCH_DATA", str(tmp_path_factory.mktemp("fer2013")))
        prepare_fer2013(fer2013_csv_gz)
        return load_fer2013()


def test_fer2013_has_the_published_duplicates(fer2013: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ferbench.data.near_duplicates._MAX_DISTANCE", -1)  # identical ones only: seconds
    found = audit(fer2013)
    exact = found.exact
    assert (exact.n_groups, exact.n_images, exact.n_across_splits, exact.n_conflicting) == (1503, 3343, 546, 56)
    assert len(found.blank) == 13
    assert found.n_clean_test == found.n_clean_test_near == 3273


@pytest.mark.slow
def test_fer2013_has_near_duplicates_in_small_groups(fer2013: Dataset) -> None:
    found = audit(fer2013)
    assert found.n_clean_test == 3273
    assert 2850 < found.n_clean_test_near < 2970
    assert 1400 < found.near.n_groups < 1700 and 600 < found.near.n_across_splits < 800
    assert max(len(group) for group in found.near.groups) < 40
