from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ferbench.data.dataset import Dataset
from ferbench.data.emotions import classes_of
from ferbench.data.export import export_csv, export_folder
from ferbench.data.fer2013 import load_fer2013, prepare_fer2013
from ferbench.data.images import read_gray
from ferbench.errors import DataError


@pytest.fixture(scope="module")
def mixed(tiny: Dataset) -> Dataset:
    """Drawn faces whose rows are mixed between the splits, as FER2013's may be."""
    rows = [np.arange(start, 3 * len(split), 3)[: len(split)] for start, (_, split) in enumerate(tiny.splits())]
    splits = {name: replace(split, rows=own) for (name, split), own in zip(tiny.splits(), rows, strict=True)}
    return replace(tiny, **splits)


def back(path: Path) -> Dataset:
    prepare_fer2013(path, counts=None)
    return load_fer2013()


def test_a_folder_comes_back_as_it_was(mixed: Dataset, tmp_path: Path) -> None:
    export_folder(mixed, tmp_path / "out")
    again = back(tmp_path / "out")
    assert again.fingerprint() == mixed.fingerprint()
    for (_, before), (_, after) in zip(mixed.splits(), again.splits(), strict=True):
        assert after.rows.tolist() == before.rows.tolist()


def test_a_folder_is_laid_out_by_split_class_and_row(mixed: Dataset, tmp_path: Path) -> None:
    export_folder(mixed, tmp_path / "out")
    row, name = mixed.test.rows[0], mixed.classes[mixed.test.labels[0]]
    path = tmp_path / "out" / "test" / name / f"PrivateTest_{row}.png"
    np.testing.assert_array_equal(read_gray(path), mixed.test.images[0])
    assert len(list((tmp_path / "out").rglob("*.png"))) == 84


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz"])
def test_a_csv_file_comes_back_as_it_was(mixed: Dataset, tmp_path: Path, name: str) -> None:
    in_row_order = replace(mixed, **{key: split.take(np.argsort(split.rows)) for key, split in mixed.splits()})
    export_csv(mixed, tmp_path / name)
    assert back(tmp_path / name).fingerprint() == in_row_order.fingerprint()


def test_a_csv_file_is_in_the_order_of_the_rows(tiny: Dataset, tmp_path: Path) -> None:
    swapped = replace(tiny, train=tiny.test, test=tiny.train)
    export_csv(swapped, tmp_path / "out.csv")
    usages = [line.rsplit(",", 1)[1] for line in (tmp_path / "out.csv").read_text().splitlines()]
    assert usages == ["Usage", *["PrivateTest"] * 42, *["PublicTest"] * 21, *["Training"] * 21]


def test_fewer_classes_keep_the_numbers_of_fer2013(tiny: Dataset, tmp_path: Path) -> None:
    export_csv(tiny.with_classes(classes_of("fer6")), tmp_path / "out.csv")
    assert back(tmp_path / "out.csv").train.counts(7).tolist() == [12, 0, 6, 6, 6, 6, 6]


def test_other_classes_are_written_by_name_and_not_taken_for_fer2013(tiny: Dataset, tmp_path: Path) -> None:
    export_csv(replace(tiny, classes=(*tiny.classes[:6], "contempt")), tmp_path / "out.csv.gz")
    lines = gzip.decompress((tmp_path / "out.csv.gz").read_bytes()).decode().splitlines()
    assert {line.split(",")[0] for line in lines[1:]} == {*tiny.classes[:6], "contempt"}
    with pytest.raises(DataError, match="emotion must be 0 to 6"):
        back(tmp_path / "out.csv.gz")


def test_progress_ends_with_every_face(tiny: Dataset, tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    export_folder(tiny, tmp_path / "out", on_progress=lambda *call: calls.append(call))
    export_csv(tiny, tmp_path / "out.csv", on_progress=lambda *call: calls.append(call))
    assert calls == [("writing out", 84, 84), ("writing out.csv", 84, 84)]


def test_a_folder_in_use_is_left_alone(tiny: Dataset, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("kept")
    with pytest.raises(DataError, match="not an empty folder: give another"):
        export_folder(tiny, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_an_empty_folder_is_filled(tiny: Dataset, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    export_folder(tiny, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["test", "train", "validation"]


def test_two_faces_of_one_row_are_refused_and_leave_nothing(tiny: Dataset, tmp_path: Path) -> None:
    labels = np.zeros_like(tiny.test.labels)
    twice = replace(tiny, test=replace(tiny.test, rows=np.zeros_like(tiny.test.rows), labels=labels))
    with pytest.raises(DataError, match="Two faces of test have the row 0"):
        export_folder(twice, tmp_path / "out")
    assert not any(tmp_path.iterdir())


def test_a_csv_file_of_another_size_is_refused(tiny: Dataset, tmp_path: Path) -> None:
    splits = {name: replace(split, images=split.images[:, :32, :32]) for name, split in tiny.splits()}
    with pytest.raises(DataError, match="48 x 48 pixels, got 32 x 32: export a folder"):
        export_csv(replace(tiny, **splits), tmp_path / "out.csv")


@pytest.mark.parametrize("export", [export_csv, export_folder])
def test_a_place_that_cannot_be_written_is_refused(tiny: Dataset, tmp_path: Path, export) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        export(tiny, tmp_path / "file" / "out.csv")
