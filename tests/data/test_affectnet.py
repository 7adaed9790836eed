from __future__ import annotations

import itertools
import tracemalloc
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferbench.data.affectnet import (
    load_affectnet7,
    load_affectnet8,
    load_affectnet_regression,
    prepare_affectnet,
)
from ferbench.data.affectnet_annotations import Annotation, read_arrays, read_csv
from ferbench.data.dataset import data_home
from ferbench.data.images import read_gray, resize
from ferbench.data.pictures import read_problems
from ferbench.data.synthetic import render_faces
from ferbench.errors import ConfigError, DataError, DatasetMissingError, FerbenchError
from ferbench.types import EMOTIONS

HEADER = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
WORDS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
CLASSES = (*EMOTIONS, "contempt")
LANDMARKS = ";".join(["12.5"] * 136)


def row(name: str, code: object, valence: object = 0.25, arousal: object = -0.5, box: str = "10,12,40,40") -> str:
    return f"{name},{box},{LANDMARKS},{code},{valence},{arousal}"


def save_faces(folder: Path, names: list[str], *, seed: int) -> None:
    faces = render_faces(np.arange(len(names)) % 7, rng=np.random.default_rng(seed), size=60)
    for name, face in zip(names, faces, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), face)


def release(root: Path) -> Path:
    """The first release: the codes 0 to 10 go round, 110 rows for training and 22 for validation."""
    for file, n, folder in (("training.csv", 110, "689"), ("validation.csv", 22, "7")):
        names = [f"{folder}/{number:05}.jpg" for number in range(n)]
        save_faces(root / "Manually_Annotated_Images", names, seed=n)
        rows = [row(name, k % 11, *((k / 200, -k / 200) if k % 11 < 8 else (-2, -2))) for k, name in enumerate(names)]
        (root / file).write_text("\n".join([HEADER, *rows]) + "\n")
    return root


def arrays(root: Path, *, n: int = 44) -> Path:
    """The later release: cut pictures, and every annotation as text in an array file."""
    for split, count in (("train_set", n), ("val_set", 11)):
        save_faces(root / split / "images", [f"{k}.jpg" for k in range(count)], seed=count)
        (root / split / "annotations").mkdir()
        for k in range(count):
            values = {"exp": str(k % 11), "val": str(k / 100), "aro": str(-k / 100)}
            for kind, value in values.items():
                np.save(root / split / "annotations" / f"{k}_{kind}.npy", np.array(value))
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release(tmp_path_factory.mktemp("affectnet"))


def test_the_official_validation_is_the_test_and_validation_comes_from_training(root: Path) -> None:
    assert prepare_affectnet(root) == data_home() / "datasets" / "affectnet"
    dataset = load_affectnet8()
    assert dataset.name == "affectnet8" and dataset.classes == CLASSES
    assert [split.counts(8).tolist() for _, split in dataset.splits()] == [[9] * 8, [1] * 8, [2] * 8]
    assert set(dataset.test.rows.tolist()) == {110 + k for k in range(22) if k % 11 < 8}


def test_codes_become_our_classes_and_rows_without_an_emotion_are_dropped(root: Path) -> None:
    prepare_affectnet(root)
    for _, split in load_affectnet8().splits():
        codes = [int(number) % 110 % 11 for number in split.rows]
        assert [CLASSES[label] for label in split.labels] == [WORDS[code] for code in codes]


def test_faces_are_cut_by_their_boxes(root: Path) -> None:
    prepare_affectnet(root)
    test = load_affectnet8().test
    picture = read_gray(root / "Manually_Annotated_Images" / "7" / "00001.jpg")
    expected = resize(picture[None, 12:52, 10:50], (48, 48))[0]
    np.testing.assert_array_equal(test.images[test.rows.tolist().index(111)], expected)


def test_seven_classes_are_the_eight_without_contempt(root: Path) -> None:
    prepare_affectnet(root)
    seven, eight = load_affectnet7(), load_affectnet8()
    assert seven.name == "affectnet7" and seven.classes == EMOTIONS
    assert seven.fingerprint() == eight.with_classes(EMOTIONS).fingerprint()
    assert np.shares_memory(seven.train.images, seven.train.images.base)
    assert [len(split) for _, split in seven.splits()] == [63, 7, 14]


@pytest.mark.parametrize("n_classes", [7, 8])
def test_valence_and_arousal_stand_beside_the_faces(root: Path, n_classes: int) -> None:
    prepare_affectnet(root)
    dataset = load_affectnet7() if n_classes == 7 else load_affectnet8()
    targets = load_affectnet_regression(n_classes=n_classes)  # type: ignore[arg-type]
    for name, split in dataset.splits():
        number = (split.rows % 110).astype(np.float32)
        assert targets[name].dtype == np.float32
        np.testing.assert_allclose(targets[name], np.stack([number / 200, -number / 200], axis=1), rtol=1e-6)


def test_damaged_regression_targets_are_refused(root: Path) -> None:
    path = prepare_affectnet(root) / "valence_arousal.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="is not as it was written"):
        load_affectnet_regression()
    path.unlink()
    with pytest.raises(DataError, match="prepare it again"):
        load_affectnet_regression()


def test_array_files_give_the_same_kind_of_dataset(tmp_path: Path) -> None:
    prepare_affectnet(arrays(tmp_path))
    dataset = load_affectnet8()
    assert [len(split) for _, split in dataset.splits()] == [29, 3, 8]
    assert set(dataset.test.rows.tolist()) == set(range(44, 52))
    picture = read_gray(tmp_path / "val_set" / "images" / "3.jpg")
    np.testing.assert_array_equal(
        dataset.test.images[dataset.test.rows.tolist().index(47)], resize(picture[None], (48, 48))[0]
    )
    np.testing.assert_allclose(load_affectnet_regression()["test"][:, 0], (dataset.test.rows - 44) / 100, rtol=1e-6)


def test_array_files_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    arrays(tmp_path, n=13)
    faces = list(read_arrays(tmp_path / "train_set"))
    assert [face and Path(face.path).name for face in faces] == [
        *(f"{number}.jpg" for number in range(8)),
        *[None] * 3,
        "11.jpg",
        "12.jpg",
    ]


def test_a_missing_picture_is_named_and_the_rest_prepared(tmp_path: Path) -> None:
    release(tmp_path)
    (tmp_path / "Manually_Annotated_Images" / "689" / "00003.jpg").unlink()
    problems = read_problems(prepare_affectnet(tmp_path))
    assert [Path(problem.path).name for problem in problems] == ["00003.jpg"]


def test_lists_may_lie_in_the_folder_of_their_archive(tmp_path: Path) -> None:
    release(tmp_path)
    folder = tmp_path / "Manually_Annotated_file_lists"
    folder.mkdir()
    for name in ("training.csv", "validation.csv"):
        (tmp_path / name).rename(folder / name)
    prepare_affectnet(tmp_path)
    assert len(load_affectnet8().test) == 16


def test_two_hundred_thousand_rows_are_read_in_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "training.csv"
    with path.open("w") as file:
        file.write(HEADER + "\n")
        file.writelines(f"{n % 999}/{n}.jpg,1,2,30,40,0;0,{n % 11},0.5,-0.5\n" for n in range(200_000))
    rows = read_csv(path, tmp_path)
    n_faces = sum(face is not None for face in itertools.islice(rows, 1000))
    tracemalloc.start()
    n_faces += sum(face is not None for face in itertools.islice(rows, 20_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    n_faces += sum(face is not None for face in rows)
    assert n_faces == sum(n % 11 < 8 for n in range(200_000))
    assert peak < 1_000_000


def test_unknown_valence_is_nan(tmp_path: Path) -> None:
    path = tmp_path / "training.csv"
    path.write_text("\n".join([HEADER, row("a.jpg", 3, -2, 1)]))
    (face,) = read_csv(path, Path("images"))
    assert isinstance(face, Annotation) and np.isnan(face.valence) and face.arousal == 1
    assert face.path == "images/a.jpg" and face.emotion == "surprise" and face.box == (10, 12, 50, 52)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (row("a.jpg", 11), "expression must be 0 to 10, got '11'"),
        (row("a.jpg", "0008"), "expression must be 0 to 10"),
        (row("a.jpg", ""), "expression must be 0 to 10"),
        ("a.jpg,1,2", "expression must be 0 to 10, got ''"),
        (row("a.jpg", 1, "x"), "could not convert string to float"),
        (row("a.jpg", 1, 1.5), "must be -1 to 1, got 1.5"),
        (row("a.jpg", 1, 0, "nan"), "must be -1 to 1, got nan"),
        (row("a.jpg", 1, box="1,2,3.5,4"), "must be whole pixels, got '3.5'"),
        (row("a.jpg", 1, box="1,2,0,4"), "not without extent"),
        (row("", 1), "path must not be empty"),
    ],
)
def test_a_malformed_row_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "training.csv"
    path.write_text("\n".join([HEADER, row("a.jpg", 1), line]))
    with pytest.raises(DataError, match=f"line 3: .*{message}"):
        list(read_csv(path, tmp_path))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.lists(st.text(max_size=6) | st.sampled_from(["0", "8", "-2", "0.5", "10", "a.jpg"]), max_size=10))
def test_any_row_is_read_or_gives_one_of_our_errors(tmp_path: Path, fields: list[str]) -> None:
    path = tmp_path / "training.csv"
    path.write_text(f"{HEADER}\n{','.join(fields)}", encoding="utf-8", errors="surrogatepass")
    with suppress(FerbenchError):
        list(read_csv(path, tmp_path))


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(["exp", "val", "aro"]), data=st.data())
def test_any_array_file_is_read_or_gives_one_of_our_errors(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    folder = tmp_path / "annotations"
    folder.mkdir(exist_ok=True)
    for name in ("exp", "val", "aro"):
        np.save(folder / f"0_{name}.npy", np.array("1"))
    content = bytearray((folder / f"0_{kind}.npy").read_bytes())
    start = data.draw(st.integers(0, len(content)))
    junk = data.draw(st.binary(max_size=20) | st.sampled_from([b"O", b"1_", b"'|O'", b"()", b"9e9999"]))
    content[start : start + len(junk)] = junk
    (folder / f"0_{kind}.npy").write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with suppress(FerbenchError):
        list(read_arrays(tmp_path))


@pytest.mark.parametrize(
    "value", [np.array("11"), np.array(2.5), np.array(["1", "2"]), np.array([{}], object), np.array("x")]
)
def test_an_array_that_is_no_expression_is_named(tmp_path: Path, value: np.ndarray) -> None:
    (tmp_path / "annotations").mkdir()
    np.save(tmp_path / "annotations" / "0_exp.npy", value, allow_pickle=True)
    with pytest.raises(DataError, match=r"0_exp\.npy"):
        list(read_arrays(tmp_path))


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"training\.csv does not exist"):
        prepare_affectnet(tmp_path)


def test_a_file_without_an_emotion_is_refused(tmp_path: Path) -> None:
    for name in ("training.csv", "validation.csv"):
        (tmp_path / name).write_text("\n".join([HEADER, row("a.jpg", 9, -2, -2)]))
    with pytest.raises(DataError, match="no row with an emotion"):
        prepare_affectnet(tmp_path)


def test_a_share_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        prepare_affectnet(tmp_path, validation_share=0)


@pytest.mark.parametrize("load", [load_affectnet7, load_affectnet8, load_affectnet_regression])
def test_what_is_not_prepared_says_how_to_get_it(load: object) -> None:
    with pytest.raises(DatasetMissingError, match="ask its authors"):
        load()  # type: ignore[operator]
