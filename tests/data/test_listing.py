from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from ferbench.data.cache import write_cache
from ferbench.data.dataset import Dataset, data_home
from ferbench.data.extras import read_extra
from ferbench.data.listing import TEST, TRAIN, VALIDATION, Listing, load_prepared, prepare_listing
from ferbench.data.synthetic import render_faces
from ferbench.errors import DataError, DatasetMissingError
from ferbench.types import EMOTIONS, FrameImage, Images


@pytest.fixture
def listing(tmp_path: Path) -> Listing:
    """Thirty faces; the last repeats the first."""
    labels = np.arange(30, dtype=np.int64) % 7
    paths = [tmp_path / f"{number:02}.png" for number in range(30)]
    for path, face in zip(paths, render_faces(labels, rng=np.random.default_rng(0)), strict=True):
        cv2.imwrite(str(path), face)
    shutil.copy(paths[0], paths[-1])
    parts = np.repeat([TRAIN, VALIDATION, TEST], [20, 4, 6]).astype(np.int64)
    return Listing(paths, labels, parts)


def test_parts_become_splits_and_identical_pictures_one_group(listing: Listing) -> None:
    prepare_listing("made", EMOTIONS, listing)
    dataset = load_prepared("made", EMOTIONS, "")
    assert [split.rows.tolist() for _, split in dataset.splits()] == [
        list(range(20)),
        list(range(20, 24)),
        list(range(24, 30)),
    ]
    assert dataset.test.groups[-1] == dataset.train.groups[0]
    assert dataset.clean_test().tolist() == [True] * 5 + [False]


def test_carving_divides_training_only(listing: Listing) -> None:
    prepare_listing("made", EMOTIONS, listing, carve=(3, 1, 0))
    dataset = load_prepared("made", EMOTIONS, "")
    assert [len(split) for _, split in dataset.splits()] == [15, 9, 6]
    assert set(range(20, 24)) < set(dataset.validation.rows.tolist())


def test_an_interrupted_preparation_goes_on_where_it_stopped(listing: Listing) -> None:
    seen: list[FrameImage] = []

    def crop(picture: FrameImage) -> Images:
        seen.append(picture)
        if len(seen) == 21:
            raise KeyboardInterrupt
        return picture[:, :, 0]

    with pytest.raises(KeyboardInterrupt):
        prepare_listing("made", EMOTIONS, listing, crop=crop)
    assert not (data_home() / "datasets" / "made").exists()
    prepare_listing("made", EMOTIONS, listing, crop=crop)
    assert len(seen) == 21 + 10
    again = load_prepared("made", EMOTIONS, "").fingerprint()
    prepare_listing("made", EMOTIONS, listing)
    assert load_prepared("made", EMOTIONS, "").fingerprint() == again


def test_pictures_of_which_none_can_be_used_are_refused(tmp_path: Path) -> None:
    nothing = Listing([tmp_path / "a.png", tmp_path / "b.png"], np.zeros(2, np.int64), np.zeros(2, np.int64))
    with pytest.raises(DataError, match=r"None of 2 pictures can be used: .*a\.png cannot be read"):
        prepare_listing("made", EMOTIONS, nothing)


def test_another_dataset_under_the_name_is_refused(tiny: Dataset) -> None:
    write_cache(tiny, data_home() / "datasets" / "made")
    with pytest.raises(DataError, match=r"holds 'synthetic'.*not made"):
        load_prepared("made", EMOTIONS, "")


def test_a_dataset_that_is_missing_gives_the_message_for_it() -> None:
    with pytest.raises(DatasetMissingError, match=r"^get it$"):
        load_prepared("made", EMOTIONS, "get it")


def test_extras_belong_to_one_dataset(listing: Listing, tiny: Dataset) -> None:
    directory = prepare_listing("made", EMOTIONS, listing, extras={"more": np.arange(30)})
    dataset = load_prepared("made", EMOTIONS, "")
    assert read_extra(directory, "more", dataset).tolist() == list(range(30))
    with pytest.raises(DataError, match="not as it was written"):
        read_extra(directory, "more", tiny)
