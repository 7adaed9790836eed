from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferbench.data.dataset import Dataset, data_home
from ferbench.data.folder import load_folder, prepare_folder
from ferbench.data.images import read_gray
from ferbench.data.pictures import NO_FACE, read_problems
from ferbench.data.synthetic import render_faces
from ferbench.errors import ConfigError, DataError, DatasetMissingError, FerbenchError
from ferbench.types import EMOTIONS

FACES = render_faces(np.arange(140, dtype=np.int64) % 7, rng=np.random.default_rng(0))


def write(path: Path, number: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), FACES[number])
    return path


def by_class(folder: Path, *, words: tuple[str, ...] = EMOTIONS, n: int = 10) -> Path:
    for number in range(n * len(words)):
        write(folder / words[number % len(words)] / f"{number:03}.png", number)
    return folder


def table(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def prepared(path: Path, **options: object) -> Dataset:
    prepare_folder(path, **options)  # type: ignore[arg-type]
    return load_folder()


def test_a_folder_of_classes_is_divided_by_class(tmp_path: Path) -> None:
    dataset = prepared(by_class(tmp_path / "faces", n=20))
    assert dataset.name == "own" and dataset.classes == EMOTIONS and not dataset.is_synthetic
    assert [len(split) for _, split in dataset.splits()] == [98, 21, 21]
    assert dataset.train.counts(7).tolist() == [14] * 7
    assert dataset.test.counts(7).tolist() == [3] * 7


def test_every_face_has_the_label_of_its_folder(tmp_path: Path) -> None:
    dataset = prepared(by_class(tmp_path / "faces"))
    labels = {read_gray(path).tobytes(): path.parent.name for path in tmp_path.glob("faces/*/*.png")}
    for _, split in dataset.splits():
        for image, label in zip(split.images, split.labels, strict=True):
            assert labels[image.tobytes()] == EMOTIONS[label]


def test_the_division_follows_the_seed_and_the_shares(tmp_path: Path) -> None:
    folder = by_class(tmp_path / "faces")
    first = prepared(folder)
    assert prepared(folder).fingerprint() == first.fingerprint()
    assert prepared(folder, seed=1).fingerprint() != first.fingerprint()
    assert [len(split) for _, split in prepared(folder, shares=(5, 3, 2)).splits()] == [35, 21, 14]


def test_words_for_emotions_are_understood_and_contempt_adds_a_class(tmp_path: Path) -> None:
    dataset = prepared(by_class(tmp_path / "faces", words=("Happy", "SAD", "contempt")))
    assert dataset.classes == (*EMOTIONS, "contempt")
    assert set(dataset.train.labels.tolist()) == {3, 4, 7}


def test_unknown_words_are_all_listed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="got 'bored', 'tired'") as caught:
        prepare_folder(by_class(tmp_path / "faces", words=("happy", "tired", "bored")))
    assert "name your own classes" in str(caught.value)


def test_own_classes_are_kept_in_their_order(tmp_path: Path) -> None:
    folder = by_class(tmp_path / "faces", words=("tired", "happy", "bored"))
    dataset = prepared(folder, classes=("tired", "bored", "happiness"))
    assert dataset.classes == ("tired", "bored", "happiness")
    assert dataset.train.counts(3).tolist() == [7, 7, 7]
    with pytest.raises(DataError, match="among tired, bored, got 'happy'"):
        prepare_folder(folder, classes=("tired", "bored"))


def test_named_splits_are_kept_and_validation_is_divided_off_training(tmp_path: Path) -> None:
    by_class(tmp_path / "faces" / "Train", n=17)
    write(tmp_path / "faces" / "test" / "fear" / "1.png", 130)
    dataset = prepared(tmp_path / "faces")
    assert len(dataset.test) == 1 and dataset.test.labels.tolist() == [2]
    assert len(dataset.train) == 98 and len(dataset.validation) == 21
    write(tmp_path / "faces" / "val" / "fear" / "2.png", 131)
    assert [len(split) for _, split in prepared(tmp_path / "faces").splits()] == [119, 1, 1]


def test_splits_beside_classes_are_refused(tmp_path: Path) -> None:
    by_class(tmp_path / "faces")
    (tmp_path / "faces" / "train").mkdir()
    with pytest.raises(DataError, match=r"splits \(train\) and other folders \(anger\)"):
        prepare_folder(tmp_path / "faces")


@pytest.mark.parametrize("split", ["train", "test"])
def test_one_named_split_is_refused(tmp_path: Path, split: str) -> None:
    by_class(tmp_path / "faces" / split)
    with pytest.raises(DataError, match="must include train and test"):
        prepare_folder(tmp_path / "faces")


def test_hidden_files_are_passed_over_and_others_named(tmp_path: Path) -> None:
    folder = by_class(tmp_path / "faces")
    for name in (".DS_Store", "Thumbs.db", "notes.txt"):
        (folder / "fear" / name).write_text("")
    (folder / "__MACOSX" / "fear").mkdir(parents=True)
    problems = read_problems(prepare_folder(folder))
    assert [problem.path for problem in problems] == [str(folder / "fear" / "notes.txt")]
    assert "notes.txt" in (data_home() / "datasets" / "own" / "unreadable.txt").read_text()


def test_identical_pictures_share_a_group_and_never_cross(tmp_path: Path) -> None:
    folder = by_class(tmp_path / "faces")
    for number in range(10):
        shutil.copy(folder / EMOTIONS[number % 7] / f"{number:03}.png", folder / "neutral" / f"again{number}.png")
    dataset = prepared(folder)
    groups = [set(split.groups.tolist()) for _, split in dataset.splits()]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 70
    assert sum(len(split) for _, split in dataset.splits()) == 80


def test_a_table_names_pictures_relative_to_itself(tmp_path: Path) -> None:
    by_class(tmp_path / "data" / "faces")
    rows = [f"faces/{EMOTIONS[n % 7]}/{n:03}.png,{EMOTIONS[n % 7]}" for n in range(70)]
    dataset = prepared(table(tmp_path / "data" / "labels.csv", "\n".join(["path,label", *rows])))
    assert [len(split) for _, split in dataset.splits()] == [49, 11, 10]
    number = dataset.test.rows[0]
    np.testing.assert_array_equal(dataset.test.images[0], FACES[number])


def test_groups_of_a_table_never_cross(tmp_path: Path) -> None:
    rows = []
    for n in range(70):
        write(tmp_path / f"{n}.png", n)
        rows.append(f"person {n % 11},{EMOTIONS[n % 7]},{n}.png")
    dataset = prepared(table(tmp_path / "labels.csv", "\n".join(["Group,Label,Path", *rows])))
    people = [{int(row) % 11 for row in split.rows} for _, split in dataset.splits()]
    assert all(people) and sum(map(len, people)) == 11


def test_splits_of_a_table_are_kept(tmp_path: Path) -> None:
    for n in range(6):
        write(tmp_path / f"{n}.png", n)
    splits = ("train", "training", "valid", "val", "Test", "TEST")
    rows = [f"{n}.png,{EMOTIONS[n]},{split}" for n, split in enumerate(splits)]
    dataset = prepared(table(tmp_path / "labels.csv", "\n".join(["path,label,split", *rows])))
    assert [split.rows.tolist() for _, split in dataset.splits()] == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n", "line 1: expected the columns path,label,split,group"),
        ("path;label\n1.png;fear", "expected the columns"),
        ("path,label,person\n1.png,fear,2", "and no other"),
        ("path,label,label\n", "expected the columns"),
        ("path,label\n1.png\n", "line 2: expected 2 fields"),
        ("path,label\n1.png,fear\n,fear\n", "line 3: path and label must not be empty"),
        ("path,label,split\n1.png,fear,dev\n", "line 2: split must be train, validation or test, got 'dev'"),
        ("path,label,split\n1.png,fear,train\n2.png,fear,\n", "1 of 2 pictures have no split"),
        ("path,label\n", "holds no pictures"),
        ("path,label\n1.png,fear\n", "None of 1 pictures can be used.*1.png"),
    ],
)
def test_a_malformed_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        prepare_folder(table(tmp_path / "labels.csv", text))


cells = st.text(max_size=8) | st.sampled_from(["good.png", "fear", "train", "test", "happy", "..", "\0", '"'])


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(cells, max_size=5), max_size=6),
    header=st.sampled_from(["path,label", "path,label,split,group"]),
)
def test_any_table_is_prepared_or_refused(tmp_path: Path, rows: list[list[str]], header: str) -> None:
    write(tmp_path / "good.png", 0)
    text = io.StringIO()
    csv.writer(text, escapechar="\\").writerows(rows)
    path = tmp_path / "labels.csv"
    path.write_text(f"{header}\n{text.getvalue()}", encoding="utf-8", errors="surrogatepass")
    try:
        prepare_folder(path)
    except FerbenchError:
        return
    assert len(load_folder().train) > 0


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_any_bytes_as_a_table_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "labels.csv").write_bytes(data)
    with pytest.raises(FerbenchError):
        prepare_folder(tmp_path / "labels.csv")


def test_a_detector_in_front_leaves_out_pictures_without_a_face(tmp_path: Path) -> None:
    folder = by_class(tmp_path / "faces")
    cv2.imwrite(str(folder / "fear" / "dark.png"), np.zeros((48, 48), np.uint8))
    place = prepare_folder(folder, crop=lambda picture: picture[8:40, 8:40, 1] if picture.any() else None)
    assert [problem.reason for problem in read_problems(place)] == [NO_FACE]
    assert sum(len(split) for _, split in load_folder().splits()) == 70


def test_other_names_stand_beside_each_other(tmp_path: Path) -> None:
    place = prepare_folder(by_class(tmp_path / "faces"), name="team-2024")
    assert place == data_home() / "datasets" / "team-2024" and load_folder(name="team-2024").name == "team-2024"
    with pytest.raises(DatasetMissingError, match="under the name 'own'"):
        load_folder()


@pytest.mark.parametrize("name", ["", "../x", "fer2013", "A", "a b"])
def test_a_name_that_is_taken_or_no_name_is_refused(tmp_path: Path, name: str) -> None:
    for call in (lambda: prepare_folder(tmp_path, name=name), lambda: load_folder(name=name)):
        with pytest.raises(ConfigError, match="cannot name your own pictures"):
            call()


@pytest.mark.parametrize(
    "options", [{"shares": (1, 1)}, {"shares": (1, 0, 1)}, {"classes": ("one",)}, {"classes": ("A", "a")}]
)
def test_options_that_cannot_be_used_are_refused(tmp_path: Path, options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        prepare_folder(by_class(tmp_path / "faces", n=1), **options)  # type: ignore[arg-type]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere cannot be read \(No such file"):
        prepare_folder(tmp_path / "nowhere")


def test_a_disk_that_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FERBENCH_DATA", str(tmp_path / "file"))
    with pytest.raises(DataError, match="set FERBENCH_DATA to another folder"):
        prepare_folder(by_class(tmp_path / "faces", n=1))


def test_nothing_of_the_work_stays(tmp_path: Path) -> None:
    prepare_folder(by_class(tmp_path / "faces"))
    assert not list((data_home() / "partial").iterdir())
