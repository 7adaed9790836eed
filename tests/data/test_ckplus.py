from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferbench.data.ckplus import load_ckplus, load_ckplus_csv, prepare_ckplus
from ferbench.data.dataset import data_home
from ferbench.data.images import read_gray, resize
from ferbench.data.pictures import read_problems
from ferbench.data.synthetic import render_faces
from ferbench.errors import ConfigError, DataError, DatasetMissingError, FerbenchError
from ferbench.types import EMOTIONS

CLASSES = (*EMOTIONS, "contempt")
FOLDERS = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
CODES = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
PEOPLE = [5, 10, 11, 14, 22, 26, 28, 29, 32, 34, 35, 37]


def draw(path: Path, seed: int, *, size: int = 48) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    face = render_faces(np.array([seed % 7]), rng=np.random.default_rng(seed), size=size)[0]
    cv2.imwrite(str(path), face)
    return path


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve people, each with three frames of two emotions, as in the copy with folders by class."""
    root = tmp_path_factory.mktemp("CK+48")
    for number, person in enumerate(PEOPLE):
        for sequence in (1, 2):
            for frame in (15, 16, 17):
                name = f"S{person:03}_{sequence:03}_{frame:08}.png"
                draw(root / FOLDERS[(number + sequence) % 7] / name, number * 100 + sequence * 10 + frame)
    return root


def sequences(root: Path, *, landmarks: bool = False) -> Path:
    """The original layout: eight people, six frames; the last person's sequence has no emotion."""
    for code, person in enumerate(PEOPLE[:9]):
        for frame in range(1, 7):
            stem = f"S{person:03}_001_{frame:08}"
            draw(root / "cohn-kanade-images" / f"S{person:03}" / "001" / f"{stem}.png", code * 10 + frame, size=64)
            if landmarks:
                points = root / "Landmarks" / f"S{person:03}" / "001" / f"{stem}_landmarks.txt"
                points.parent.mkdir(parents=True, exist_ok=True)
                corners = np.tile([[20.0, 20.0], [40.0, 40.0]], (34, 1))
                points.write_text("\n".join(f"   {x:.7e}   {y:.7e}" for x, y in corners))
        emotion = root / "Emotion" / f"S{person:03}" / "001" / f"S{person:03}_001_00000006_emotion.txt"
        emotion.parent.mkdir(parents=True)
        if code < 8:
            emotion.write_text(f"   {code:.7e}\n")
    (root / "cohn-kanade-images" / "S005" / "001" / ".DS_Store").write_text("")
    return root


def csv_row(emotion: object = 0, n: int = 48 * 48, value: object = 9, usage: str = "Training") -> str:
    return f"{emotion},{' '.join([str(value)] * n)},{usage}"


def written(path: Path, *rows: str, header: str = "emotion,pixels,Usage") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_folders_give_every_face_its_emotion_and_person(folders: Path) -> None:
    assert prepare_ckplus(folders) == data_home() / "datasets" / "ckplus"
    dataset = load_ckplus()
    assert dataset.name == "ckplus" and dataset.classes == CLASSES
    assert sum(len(split) for _, split in dataset.splits()) == 72
    assert len({tuple(split.images.shape[1:]) for _, split in dataset.splits()}) == 1
    person_of = {read_gray(path).tobytes(): int(path.name[1:4]) for path in folders.glob("*/*.png")}
    people: dict[int, set[int]] = {}
    for _, split in dataset.splits():
        for image, group in zip(split.images, split.groups, strict=True):
            people.setdefault(int(group), set()).add(person_of[image.tobytes()])
    assert sorted(people.values(), key=min) == [{person} for person in PEOPLE]


def test_folds_share_no_person_and_cover_everyone_once(folders: Path) -> None:
    prepare_ckplus(folders)
    tested: list[int] = []
    for fold in range(4):
        dataset = load_ckplus(fold=fold, n_folds=4)
        groups = [set(split.groups.tolist()) for _, split in dataset.splits()]
        assert [len(group) for group in groups] == [6, 3, 3] and len(set.union(*groups)) == 12
        tested += dataset.test.rows.tolist()
        validation = load_ckplus(fold=(fold + 1) % 4, n_folds=4).test
        assert validation.rows.tolist() == dataset.validation.rows.tolist()
    assert sorted(tested) == list(range(72))


def test_people_are_dealt_out_in_the_order_of_their_numbers(folders: Path) -> None:
    prepare_ckplus(folders)
    files = sorted(folders.glob("*/*.png"))
    test = load_ckplus(fold=1).test
    assert {int(files[row].name[1:4]) for row in test.rows} == {PEOPLE[1], PEOPLE[11]}


@pytest.mark.parametrize("options", [{"fold": 10}, {"fold": -1}, {"n_folds": 2}, {"n_folds": 13}])
def test_folds_that_there_are_not_are_refused(folders: Path, options: dict[str, int]) -> None:
    prepare_ckplus(folders)
    with pytest.raises(ConfigError, match="CK\\+ here has 12 people: n_folds must be 3 to 12"):
        load_ckplus(**options)


def test_a_sequence_gives_three_peak_frames_and_its_first_as_neutral(tmp_path: Path) -> None:
    prepare_ckplus(sequences(tmp_path))
    dataset = load_ckplus(n_folds=4)
    counts = sum(split.counts(8) for _, split in dataset.splits())
    assert dict(zip(CLASSES, counts.tolist(), strict=True)) == {**dict.fromkeys(CLASSES, 3), "neutral": 8 + 3}
    everything = {
        row: image for _, split in dataset.splits() for row, image in zip(split.rows, split.images, strict=True)
    }
    frames = [tmp_path / "cohn-kanade-images" / "S010" / "001" / f"S010_001_{n:08}.png" for n in (1, 4, 5, 6)]
    for row, frame in zip(range(4, 8), frames, strict=True):
        np.testing.assert_array_equal(everything[row], resize(read_gray(frame)[None], (48, 48))[0])


def test_landmarks_cut_the_face(tmp_path: Path) -> None:
    prepare_ckplus(sequences(tmp_path, landmarks=True))
    frame = tmp_path / "cohn-kanade-images" / "S005" / "001" / "S005_001_00000001.png"
    split = next(split for _, split in load_ckplus(n_folds=4).splits() if 0 in split.rows)
    cut = read_gray(frame)[None, 17:43, 17:43]  # 20 pixels wide, and 15 % on each side
    np.testing.assert_array_equal(split.images[split.rows.tolist().index(0)], resize(cut, (48, 48))[0])


def test_a_detector_cuts_frames_without_landmarks(tmp_path: Path) -> None:
    place = prepare_ckplus(
        sequences(tmp_path), crop=lambda picture: picture[:30, :30, 0] if picture.mean() > 0 else None
    )
    assert read_problems(place) == ()
    frame = tmp_path / "cohn-kanade-images" / "S005" / "001" / "S005_001_00000001.png"
    split = next(split for _, split in load_ckplus(n_folds=4).splits() if 0 in split.rows)
    expected = resize(read_gray(frame)[None, :30, :30], (48, 48))[0]
    np.testing.assert_array_equal(split.images[split.rows.tolist().index(0)], expected)


@pytest.mark.parametrize("text", ["", "8", "-1", "1.5", "nan", "1 2", "one", "\x00"])
def test_an_emotion_file_that_holds_no_emotion_is_refused(tmp_path: Path, text: str) -> None:
    sequences(tmp_path)
    (tmp_path / "Emotion" / "S010" / "001" / "S010_001_00000006_emotion.txt").write_text(text)
    with pytest.raises(DataError, match=r"S010_001_00000006_emotion\.txt"):
        prepare_ckplus(tmp_path)


def test_landmarks_that_are_damaged_are_refused(tmp_path: Path) -> None:
    sequences(tmp_path, landmarks=True)
    (tmp_path / "Landmarks" / "S010" / "001" / "S010_001_00000001_landmarks.txt").write_text("1 2 3")
    with pytest.raises(DataError, match="must hold 68 points x y in pixels, got 3 numbers"):
        prepare_ckplus(tmp_path)


def test_sequences_without_emotion_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "cohn-kanade-images").mkdir()
    with pytest.raises(DataError, match=r"unpack Emotion_labels\.zip"):
        prepare_ckplus(tmp_path)


def test_a_sequence_without_frames_is_refused(tmp_path: Path) -> None:
    sequences(tmp_path)
    for frame in (tmp_path / "cohn-kanade-images" / "S010" / "001").glob("*.png"):
        frame.unlink()
    with pytest.raises(DataError, match="S010/001 has 0 frames"):
        prepare_ckplus(tmp_path)


@pytest.mark.parametrize(("folder", "name"), [("boredom", "S010_001_00000001.png"), ("happy", "face1.png")])
def test_folders_and_names_that_are_not_of_ckplus_are_refused(tmp_path: Path, folder: str, name: str) -> None:
    draw(tmp_path / folder / name, 0)
    with pytest.raises(DataError, match=f"{folder}.* (is not a class|must be named)"):
        prepare_ckplus(tmp_path)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_any_other_file_name_gives_one_of_our_errors(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "happy"
    folder.mkdir(exist_ok=True)
    if name in (".", ".."):
        return
    (folder / name).touch()
    try:
        with pytest.raises(FerbenchError):
            prepare_ckplus(tmp_path)
    finally:
        (folder / name).unlink()


def test_the_csv_copy_keeps_its_splits_under_a_name_of_its_own(tmp_path: Path) -> None:
    rows = [csv_row(code, value=code) for code in range(8)] + [
        csv_row(7, usage="PublicTest"),
        csv_row(6, usage="PrivateTest"),
    ]
    assert prepare_ckplus(written(tmp_path / "ckextended.csv", *rows)).name == "ckplus_csv"
    dataset = load_ckplus_csv()
    assert dataset.name == "ckplus_csv" and dataset.classes == CLASSES
    assert dataset.train.labels.tolist() == list(range(8)) and (dataset.train.images[5] == 5).all()
    assert dataset.validation.labels.tolist() == [7] and dataset.test.rows.tolist() == [9]


def test_the_csv_copy_is_refused_for_folds_over_people(tmp_path: Path) -> None:
    prepare_ckplus(written(tmp_path / "ckextended.csv", csv_row()))
    with pytest.raises(DatasetMissingError, match="The CSV copy names no people"):
        load_ckplus()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (csv_row(8), "emotion must be 0 to 7, got '8'"),
        (csv_row(""), "emotion must be 0 to 7"),
        (csv_row(usage="Test"), "Usage must be Training"),
        (csv_row(n=2303), "expected 2304 pixels"),
        (csv_row(value=256), "expected 2304 pixels from 0 to 255"),
        (csv_row(value="x"), "expected 2304 pixels"),
        ("0,1", "got 2 fields"),
    ],
)
def test_a_malformed_row_of_the_csv_copy_is_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(DataError, match=f"line 3: .*{message}"):
        prepare_ckplus(written(tmp_path / "ckextended.csv", csv_row(), row))


def test_a_csv_copy_without_rows_or_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no rows"):
        prepare_ckplus(written(tmp_path / "ckextended.csv"))
    with pytest.raises(DataError, match="expected the columns"):
        prepare_ckplus(written(tmp_path / "ckextended.csv", csv_row(), header="a,b"))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.lists(st.text(max_size=10) | st.sampled_from(["0", "7", "Training"]), max_size=4))
def test_any_other_row_gives_one_of_our_errors(tmp_path: Path, fields: list[str]) -> None:
    path = tmp_path / "ckextended.csv"
    path.write_text("emotion,pixels,Usage\n" + ",".join(fields), encoding="utf-8", errors="surrogatepass")
    with pytest.raises(FerbenchError):
        prepare_ckplus(path)


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_a_folder_without_ckplus_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"give (CK\+'s folder|a folder)"):
        prepare_ckplus(tmp_path / name)


@pytest.mark.parametrize("load", [load_ckplus, load_ckplus_csv])
def test_what_is_not_prepared_says_how_to_get_it(load: object) -> None:
    with pytest.raises(DatasetMissingError, match="ask its authors"):
        load()  # type: ignore[operator]
