from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ferbench.data.dataset import Dataset, DatasetCard, Split, data_home, duplicate_groups
from ferbench.data.emotions import classes_of
from ferbench.errors import ConfigError, DataError
from ferbench.types import EMOTIONS


def split_of(labels: list[int], groups: list[int] | None = None, votes: Any = None, *, value: int = 0) -> Split:
    n = len(labels)
    return Split(
        images=np.full((n, 4, 4), value, np.uint8),
        labels=np.array(labels, np.int64),
        rows=np.arange(n, dtype=np.int64),
        groups=np.arange(n, dtype=np.int64) if groups is None else np.array(groups, np.int64),
        votes=votes,
    )


def painted(grays: list[int]) -> Split:
    """A split of plain images, one a gray level: equal levels are identical images."""
    images = np.zeros((len(grays), 4, 4), np.uint8) + np.array(grays, np.uint8).reshape(-1, 1, 1)
    return replace(split_of([0] * len(grays)), images=images)


def dataset_of(train: Split, validation: Split, test: Split) -> Dataset:
    return Dataset(name="made", classes=EMOTIONS, train=train, validation=validation, test=test)


@pytest.mark.parametrize(
    ("field", "array", "message"),
    [
        ("images", np.zeros((2, 4, 4), np.float32), "uint8"),
        ("images", np.zeros((2, 4, 4, 1), np.uint8), "make them gray"),
        ("labels", np.zeros(3, np.int64), r"labels must be int64 \(2,\)"),
        ("labels", np.zeros(2, np.int32), "labels must be int64"),
        ("rows", np.zeros((2, 1), np.int64), "rows must be int64"),
        ("groups", np.zeros(2), "groups must be int64"),
        ("votes", np.zeros((2, 7)), "votes must be float32"),
        ("votes", np.zeros((3, 7), np.float32), "votes must be float32"),
    ],
)
def test_split_refuses_arrays_that_do_not_fit(field: str, array: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        replace(split_of([0, 1]), **{field: array})


def test_split_counts_each_class() -> None:
    split = split_of([0, 2, 2])
    assert len(split) == 3
    assert split.counts(4).tolist() == [1, 0, 2, 0]
    assert split.counts(4).dtype == np.int64


def test_split_takes_rows_by_mask_and_by_index() -> None:
    split = split_of([0, 1, 2], votes=np.eye(3, 7, dtype=np.float32))
    for selection in (np.array([False, True, True]), np.array([1, 2])):
        taken = split.take(selection)
        assert taken.rows.tolist() == [1, 2]
        assert taken.votes is not None and taken.votes.argmax(axis=1).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test": split_of([7])}, "labels of test must lie in 0 to 6"),
        ({"validation": split_of([-1])}, "labels of validation"),
        ({"test": replace(split_of([0]), images=np.zeros((1, 5, 4), np.uint8))}, "resize them to one size"),
        ({"train": split_of([0], votes=np.zeros((1, 3), np.float32))}, "must have 7 columns"),
        ({"classes": ("anger",)}, "two or more different classes"),
        ({"classes": ("anger", "anger")}, "two or more different classes"),
    ],
)
def test_dataset_refuses_splits_that_do_not_fit(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        replace(dataset_of(split_of([0]), split_of([0]), split_of([0])), **change)


def test_duplicate_groups_number_images_by_first_appearance() -> None:
    images = np.zeros((5, 4, 4), np.uint8)
    images[1, 0, 0] = images[3, 0, 0] = 1
    images[4, 3, 3] = 1
    groups = duplicate_groups(images)
    assert groups.dtype == np.int64
    assert groups.tolist() == [0, 1, 0, 1, 2]
    assert duplicate_groups(images[:0]).tolist() == []


def test_clean_test_keeps_the_first_of_each_image_without_a_twin_elsewhere() -> None:
    dataset = dataset_of(painted([0, 1]), painted([2]), painted([3, 1, 4, 3, 2, 4]))
    assert dataset.clean_test().tolist() == [True, False, True, False, False, False]


def test_clean_test_goes_by_pixels_and_keeps_several_images_of_one_person() -> None:
    one_person = replace(painted([0, 1, 2]), groups=np.zeros(3, np.int64))
    assert dataset_of(painted([3]), painted([4]), one_person).clean_test().all()


def test_clean_test_of_an_empty_test_split_is_empty() -> None:
    assert dataset_of(painted([0]), painted([1]), painted([])).clean_test().shape == (0,)


def test_fingerprint_is_of_the_content_and_not_of_its_place() -> None:
    def make() -> Dataset:
        return dataset_of(split_of([0, 1]), split_of([2]), split_of([3]))

    assert make().fingerprint() == make().fingerprint()
    assert replace(make(), name="other").fingerprint() == make().fingerprint()
    spread = np.zeros((2, 8, 4), np.uint8)[:, ::2]
    assert replace(make(), train=replace(make().train, images=spread)).fingerprint() == make().fingerprint()


def test_fingerprint_changes_with_anything_that_a_score_depends_on() -> None:
    train, validation, test = split_of([0, 1]), split_of([2]), split_of([3])
    base = dataset_of(train, validation, test)
    others = [
        replace(base, classes=EMOTIONS[::-1]),
        replace(base, train=split_of([0, 1], value=1)),
        replace(base, train=split_of([1, 0])),
        replace(base, validation=test, test=validation),
        replace(base, train=replace(train, votes=np.zeros((2, 7), np.float32))),
    ]
    assert len({base.fingerprint(), *(other.fingerprint() for other in others)}) == 6


def test_fingerprint_is_computed_once() -> None:
    dataset = dataset_of(split_of([0]), split_of([0]), split_of([0]))
    first = dataset.fingerprint()
    dataset.train.images[:] = 9
    assert dataset.fingerprint() == first


def test_with_classes_merges_labels_and_votes() -> None:
    train = split_of([0, 1, 6], votes=np.eye(7, dtype=np.float32)[[0, 1, 6]])
    merged = dataset_of(train, split_of([5]), split_of([2])).with_classes(classes_of("fer6"))
    assert merged.classes == classes_of("fer6")
    assert merged.train.labels.tolist() == [0, 0, 5]
    assert merged.train.votes is not None and merged.train.votes.shape == (3, 6)
    assert merged.train.votes.argmax(axis=1).tolist() == [0, 0, 5]
    assert merged.train.images is train.images


def test_with_classes_leaves_out_dropped_faces() -> None:
    eight = Dataset("made", (*EMOTIONS, "contempt"), split_of([7, 0]), split_of([1]), split_of([7, 2, 7]))
    seven = eight.with_classes(EMOTIONS)
    assert seven.train.rows.tolist() == [1]
    assert seven.test.labels.tolist() == [2]
    assert seven.test.rows.tolist() == [1]


def test_with_classes_of_its_own_is_the_dataset_itself(tiny: Dataset) -> None:
    assert tiny.with_classes(EMOTIONS) is tiny


def test_with_classes_refuses_to_split_a_class(tiny: Dataset) -> None:
    with pytest.raises(ConfigError, match="cannot be split"):
        tiny.with_classes(classes_of("fer6")).with_classes(EMOTIONS)


def test_card_counts_faces_and_survives_json(tiny: Dataset) -> None:
    card = tiny.card()
    assert (card.n_train, card.n_validation, card.n_test, card.n_clean_test) == (42, 21, 21, 21)
    assert card.counts["train"] == dict.fromkeys(EMOTIONS, 6)
    assert card.is_synthetic and card.fingerprint == tiny.fingerprint()
    assert DatasetCard.model_validate_json(card.model_dump_json()) == card


def test_data_home_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FERBENCH_DATA", str(tmp_path))
    assert data_home() == tmp_path


@pytest.mark.parametrize(
    ("platform", "variable", "default"),
    [
        ("linux", "XDG_DATA_HOME", ".local/share/ferbench"),
        ("win32", "LOCALAPPDATA", "AppData/Local/ferbench"),
        ("darwin", None, "Library/Application Support/ferbench"),
    ],
)
def test_data_home_is_the_place_of_the_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str, variable: str | None, default: str
) -> None:
    monkeypatch.delenv("FERBENCH_DATA")
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    if variable:
        monkeypatch.delenv(variable, raising=False)
    assert data_home() == tmp_path / default
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "set"))
        assert data_home() == tmp_path / "set" / "ferbench"
