from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ferbench.data.cache import read_cache, write_cache
from ferbench.data.dataset import Dataset
from ferbench.errors import DataError, DatasetMissingError


@pytest.fixture
def stored(tiny: Dataset, tmp_path: Path) -> Path:
    write_cache(tiny, tmp_path / "datasets" / "tiny")
    return tmp_path / "datasets" / "tiny"


def edit_header(directory: Path, **changes: object) -> None:
    path = directory / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_read_gives_back_what_was_written(tiny: Dataset, stored: Path) -> None:
    opened = read_cache(stored)
    assert opened.card() == tiny.card()
    for (_, before), (_, after) in zip(tiny.splits(), opened.splits(), strict=True):
        for name in ("images", "labels", "rows", "groups"):
            np.testing.assert_array_equal(getattr(before, name), getattr(after, name), strict=True)
        assert after.votes is None


def test_read_maps_images_and_does_not_let_them_be_changed(stored: Path) -> None:
    images = read_cache(stored).train.images
    assert not images.flags.writeable
    assert not images.flags.owndata


def test_votes_and_empty_splits_are_kept(tiny: Dataset, tmp_path: Path) -> None:
    votes = np.eye(7, dtype=np.float32)[tiny.train.labels]
    nothing = tiny.test.take(np.zeros(len(tiny.test), np.bool_))
    write_cache(replace(tiny, train=replace(tiny.train, votes=votes), test=nothing), tmp_path / "made")
    opened = read_cache(tmp_path / "made")
    assert opened.train.votes is not None
    np.testing.assert_array_equal(opened.train.votes, votes)
    assert len(opened.test) == 0


def test_write_replaces_an_older_dataset_and_leaves_nothing_else(tiny: Dataset, stored: Path) -> None:
    opened = read_cache(stored)
    newer = replace(tiny, name="newer")
    write_cache(newer, stored)
    assert read_cache(stored).name == "newer"
    assert opened.train.images[0].any()
    assert [path.name for path in stored.parent.iterdir()] == ["tiny"]


def test_a_failing_write_keeps_the_older_dataset(tiny: Dataset, stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(DataError, match=r"No space left on device.*set FERBENCH_DATA"):
        write_cache(replace(tiny, name="newer"), stored)
    assert read_cache(stored).name == "synthetic"
    assert [path.name for path in stored.parent.iterdir()] == ["tiny"]


def test_a_failing_last_step_puts_the_older_dataset_back(
    tiny: Dataset, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(DataError, match="Permission denied"):
        write_cache(replace(tiny, name="newer"), stored)
    assert read_cache(stored).name == "synthetic"


def test_write_where_a_file_stands_in_the_way_is_refused(tiny: Dataset, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_cache(tiny, tmp_path / "file" / "tiny")


def test_read_of_nothing_is_a_missing_dataset(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match="prepare it first"):
        read_cache(tmp_path / "nothing")


def test_read_of_a_folder_without_a_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"dataset\.json is missing\. Delete that folder") as caught:
        read_cache(tmp_path)
    assert not isinstance(caught.value, DatasetMissingError)


@pytest.mark.parametrize("name", ["train_images", "test_labels", "validation_rows", "train_groups"])
def test_an_altered_byte_is_found(stored: Path, name: str) -> None:
    path = stored / f"{name}.npy"
    data = bytearray(path.read_bytes())
    data[-8] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="prepare it again"):
        read_cache(stored)


@pytest.mark.parametrize("n_bytes", [0, 5, 200])
def test_a_truncated_array_is_found(stored: Path, n_bytes: int) -> None:
    path = stored / "train_images.npy"
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(DataError, match=rf"train_images\.npy has {n_bytes} bytes, expected.*prepare it again"):
        read_cache(stored)


def test_an_array_of_objects_is_never_unpickled(stored: Path) -> None:
    path = stored / "train_labels.npy"
    with path.open("wb") as file:
        np.lib.format.write_array(file, np.array([{}], dtype=object), allow_pickle=True)
    files = json.loads((stored / "dataset.json").read_text())["files"]
    files[path.name]["size_bytes"] = path.stat().st_size
    edit_header(stored, files=files)
    with pytest.raises(DataError, match="prepare it again"):
        read_cache(stored)


def test_a_missing_array_is_named(stored: Path) -> None:
    (stored / "test_groups.npy").unlink()
    with pytest.raises(DataError, match=r"test_groups\.npy is missing"):
        read_cache(stored)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}'])
def test_a_damaged_header_is_refused(stored: Path, text: str) -> None:
    (stored / "dataset.json").write_text(text)
    with pytest.raises(DataError, match=r"damaged or of another version.*prepare it again"):
        read_cache(stored)


def test_a_binary_header_is_refused(stored: Path) -> None:
    (stored / "dataset.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read"):
        read_cache(stored)


def test_another_format_is_refused(stored: Path) -> None:
    edit_header(stored, format=2)
    with pytest.raises(DataError, match="another version of ferbench"):
        read_cache(stored)


@pytest.mark.parametrize("change", [{"classes": ["a", "b", "c", "d", "e", "f", "g"]}, {"classes": ["a", "b"]}])
def test_other_classes_are_refused(stored: Path, change: dict[str, object]) -> None:
    edit_header(stored, **change)
    with pytest.raises(DataError, match="prepare it again"):
        read_cache(stored)
