from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferbench.data.dataset import data_home
from ferbench.data.emotions import classes_of
from ferbench.data.pictures import read_problems
from ferbench.data.rafdb import load_rafdb, load_rafdb_compound, prepare_rafdb
from ferbench.data.synthetic import render_faces
from ferbench.errors import ConfigError, DataError, DatasetMissingError, FerbenchError
from ferbench.types import EMOTIONS

COUNTS = {"train": 70, "test": 14}
WORDS = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")


def rafdb(root: Path, *, n_classes: int = 7, counts: dict[str, int] = COUNTS) -> Path:
    """Rendered faces in the published layout; the codes go round."""
    (root / "EmoLabel").mkdir(parents=True)
    (root / "Image" / "aligned").mkdir(parents=True)
    faces = render_faces(np.arange(sum(counts.values())) % 7, rng=np.random.default_rng(0), size=100)
    names = [
        f"{split}_{number + 1:0{5 if split == 'train' else 4}}" for split, n in counts.items() for number in range(n)
    ]
    lines = [f"{name}.jpg {row % n_classes + 1}" for row, name in enumerate(names)]
    for name, face in zip(names, faces, strict=True):
        cv2.imwrite(str(root / "Image" / "aligned" / f"{name}_aligned.jpg"), face)
    (root / "EmoLabel" / "list_patition_label.txt").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture(scope="module")
def basic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rafdb(tmp_path_factory.mktemp("rafdb") / "basic")


def test_the_official_test_is_the_test_and_a_tenth_of_training_is_validation(basic: Path) -> None:
    assert prepare_rafdb(basic.parent, counts=COUNTS) == data_home() / "datasets" / "rafdb"
    dataset = load_rafdb()
    assert dataset.name == "rafdb" and dataset.classes == EMOTIONS
    assert [len(split) for _, split in dataset.splits()] == [63, 7, 14]
    assert dataset.validation.counts(7).tolist() == [1] * 7
    assert dataset.test.rows.tolist() == list(range(70, 84))
    assert dataset.train.images.shape[1:] == (48, 48)


def test_codes_become_our_classes(basic: Path) -> None:
    prepare_rafdb(basic, counts=None)
    for _, split in load_rafdb().splits():
        assert [EMOTIONS[label] for label in split.labels] == [WORDS[row % 7] for row in split.rows]


def test_the_division_follows_the_seed(basic: Path) -> None:
    rows = []
    for seed in (0, 0, 1):
        prepare_rafdb(basic, counts=None, seed=seed, validation_share=0.3)
        rows.append(load_rafdb().validation.rows.tolist())
    assert rows[0] == rows[1] != rows[2] and len(rows[0]) == 21


def test_compound_emotions_have_eleven_classes_that_map_to_four(tmp_path: Path) -> None:
    rafdb(tmp_path / "compound", n_classes=11, counts={"train": 110, "test": 22})
    prepare_rafdb(tmp_path, kind="compound", counts=None)
    dataset = load_rafdb_compound()
    assert dataset.classes == classes_of("rafdb11")
    assert dataset.classes[0] == "happily_surprised" and dataset.classes[-1] == "disgustedly_surprised"
    assert dataset.test.labels.tolist() == [row % 11 for row in range(110, 132)]
    heads = dataset.with_classes(classes_of("heads4"))
    assert len(heads.test) == 20  # the two happily disgusted are dropped
    with pytest.raises(ConfigError, match="happiness: no face has it"):
        dataset.with_classes(EMOTIONS)


def test_a_missing_picture_is_named_and_the_rest_prepared(tmp_path: Path) -> None:
    root = rafdb(tmp_path / "basic")
    (root / "Image" / "aligned" / "train_00003_aligned.jpg").unlink()
    place = prepare_rafdb(root, counts=COUNTS)
    assert [Path(problem.path).name for problem in read_problems(place)] == ["train_00003_aligned.jpg"]
    assert len(load_rafdb().train) + len(load_rafdb().validation) == 69


def test_a_list_that_is_not_the_whole_official_one_is_refused(basic: Path) -> None:
    with pytest.raises(DataError, match="must list 12,271 training and 3,068 test pictures, got 70 and 14"):
        prepare_rafdb(basic)


@pytest.mark.parametrize(
    "line", ["train_00001.jpg", "train_00001.png 1", "train_00001.jpg 0", "train_00001.jpg 8", "val_00001.jpg 1", "x"]
)
def test_a_malformed_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "EmoLabel").mkdir()
    (tmp_path / "EmoLabel" / "list_patition_label.txt").write_text(f"train_00009.jpg 1\n{line}\n")
    with pytest.raises(DataError, match=r"line 2: expected 'train_00001.jpg 5'"):
        prepare_rafdb(tmp_path, counts=None)


def test_a_picture_listed_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "EmoLabel").mkdir()
    (tmp_path / "EmoLabel" / "list_patition_label.txt").write_text("train_00009.jpg 1\ntrain_00009.jpg 2\n")
    with pytest.raises(DataError, match=r"line 2.*each picture once"):
        prepare_rafdb(tmp_path, counts=None)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=80) | st.text("train_es0123456789.jpg \n", max_size=80).map(str.encode))
def test_any_list_gives_one_of_our_errors(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "EmoLabel").mkdir(exist_ok=True)
    (tmp_path / "EmoLabel" / "list_patition_label.txt").write_bytes(data)
    with pytest.raises(FerbenchError):
        prepare_rafdb(tmp_path, counts=None)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="give the folder of RAF-DB that holds compound/EmoLabel"):
        prepare_rafdb(tmp_path, kind="compound")


def test_a_share_that_is_none_is_refused(basic: Path) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        prepare_rafdb(basic, validation_share=1.0)


@pytest.mark.parametrize("load", [load_rafdb, load_rafdb_compound])
def test_what_is_not_prepared_says_how_to_get_it(load: object) -> None:
    with pytest.raises(DatasetMissingError, match="ask its authors"):
        load()  # type: ignore[operator]
