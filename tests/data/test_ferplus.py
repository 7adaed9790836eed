from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferbench.data.dataset import Dataset, data_home
from ferbench.data.emotions import classes_of
from ferbench.data.fer2013 import load_fer2013, prepare_fer2013
from ferbench.data.ferplus import (
    load_ferplus_majority,
    load_ferplus_plurality,
    load_ferplus_votes,
    prepare_ferplus,
    read_votes,
)
from ferbench.data.votes import ANSWERS, label_votes
from ferbench.errors import DataError, DatasetMissingError
from ferbench.types import EMOTIONS

# The columns as Microsoft's file has them; ours are in another order.
COLUMNS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
HEADER = f"Usage,Image name,{','.join(COLUMNS)}"
USAGES = ("Training",) * 8 + ("PublicTest",) * 3 + ("PrivateTest",) * 3
LABELS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "anger", "sadness", "fear")
LABELS = (*LABELS, "happiness", "neutral", "surprise", "happiness")
LOADERS = {"majority": load_ferplus_majority, "plurality": load_ferplus_plurality, "votes": load_ferplus_votes}


def votes_of(**answers: int) -> list[int]:
    return [answers.get(column, 0) for column in COLUMNS]


# Each face has its FER2013 label by all votes but one, which is removed; three faces have a case of their own.
VOTES = [votes_of(**{label: 9, "unknown": 1}) for label in LABELS]
VOTES[7] = votes_of(anger=5, contempt=5)  # a tie: no plurality, anger by votes
VOTES[8] = votes_of(sadness=4, neutral=3, unknown=3)  # a plurality without a majority
VOTES[13] = votes_of(NF=10)
NAMES = [*(f"fer{row:07d}.png" for row in range(13)), ""]


def write_fer2013(path: Path, rows: list[int] | None = None) -> Path:
    """FER2013 with these rows of the official order, each a picture of one gray level."""
    lines = ["emotion,pixels,Usage"]
    for row in range(14) if rows is None else rows:
        lines.append(f"{EMOTIONS.index(LABELS[row])},{' '.join([str(row)] * 48**2)},{USAGES[row]}")
    path.write_text("\n".join(lines))
    return path


def write_votes(path: Path, names: list[str] | None = None) -> Path:
    rows = zip(USAGES, names or NAMES, VOTES, strict=True)
    path.write_text("\n".join([HEADER, *(",".join(map(str, (usage, name, *votes))) for usage, name, votes in rows)]))
    return path


@pytest.fixture
def votes_csv(tmp_path: Path) -> Path:
    prepare_fer2013(write_fer2013(tmp_path / "fer2013.csv"), counts=None)
    return write_votes(tmp_path / "fer2013new.csv")


def levels(dataset: Dataset) -> list[int]:
    return [int(image[0, 0]) for _, split in dataset.splits() for image in split.images]


@pytest.mark.parametrize(
    ("rule", "rows"),
    [
        ("majority", [0, 1, 2, 3, 4, 5, 6, 9, 10, 11, 12]),
        ("plurality", [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12]),
        ("votes", list(range(13))),
    ],
)
def test_each_rule_has_its_faces_and_its_name(votes_csv: Path, rule: str, rows: list[int]) -> None:
    prepare_ferplus(votes_csv)
    dataset = LOADERS[rule]()
    assert dataset.name == f"ferplus_{rule}" and dataset.classes == classes_of("ferplus8")
    assert not dataset.is_synthetic
    assert [row for _, split in dataset.splits() for row in split.rows] == rows == levels(dataset)
    labels = [dataset.classes[label] for _, split in dataset.splits() for label in split.labels]
    assert labels == [LABELS[row] for row in rows]


def test_only_ferplus_votes_has_votes_and_they_are_without_single_ones(votes_csv: Path) -> None:
    prepare_ferplus(votes_csv)
    votes = load_ferplus_votes().train.votes
    assert votes is not None and votes.dtype == np.float32
    assert votes[0].tolist() == [9, 0, 0, 0, 0, 0, 0, 0]
    assert votes[7].tolist() == [5, 0, 0, 0, 0, 0, 0, 5]
    assert load_ferplus_majority().train.votes is None and load_ferplus_plurality().train.votes is None


def test_seven_classes_drop_the_votes_for_contempt(votes_csv: Path) -> None:
    prepare_ferplus(votes_csv)
    train = load_ferplus_votes().with_classes(EMOTIONS).train
    assert train.votes is not None and train.votes.shape == (8, 7)
    assert train.votes[7].tolist() == [5, 0, 0, 0, 0, 0, 0]


def test_groups_are_those_of_fer2013(votes_csv: Path) -> None:
    prepare_ferplus(votes_csv)
    assert load_ferplus_majority().validation.groups.tolist() == [9, 10]


RULES = {
    "clear": (votes_of(fear=8, anger=2), "fear", "fear", "fear"),
    "half is not more than half": (votes_of(fear=5, anger=5), None, None, "anger"),
    "single votes do not count": (votes_of(fear=5, anger=2, sadness=1, neutral=1, NF=1), "fear", "fear", "fear"),
    "unknown counts": (votes_of(fear=4, anger=2, unknown=4), None, None, "fear"),
    "unknown wins": (votes_of(fear=3, unknown=7), None, None, "fear"),
    "more than the others": (votes_of(fear=4, anger=3, unknown=3), None, "fear", "fear"),
    "not a face": (votes_of(NF=10), None, None, None),
    "nothing but single votes": (votes_of(neutral=1, happiness=1, sadness=1, anger=1, unknown=5), None, None, None),
    "nine taggers": (votes_of(contempt=5, neutral=4), "contempt", "contempt", "contempt"),
}


@pytest.mark.parametrize("case", RULES)
def test_rules(case: str) -> None:
    answers, *expected = RULES[case]
    row = np.array([[answers[COLUMNS.index(answer)] for answer in ANSWERS]], np.uint8)
    classes = (*classes_of("ferplus8"), None)
    assert [classes[label_votes(row, rule)[0]] for rule in ("majority", "plurality", "votes")] == expected


@given(st.lists(st.lists(st.integers(0, 10), min_size=10, max_size=10), max_size=20))
def test_a_majority_is_a_plurality_and_a_plurality_has_the_most_votes(rows: list[list[int]]) -> None:
    votes = np.array(rows, np.uint8).reshape(-1, 10)
    majority, plurality, most = (label_votes(votes, rule) for rule in ("majority", "plurality", "votes"))
    assert (plurality[majority >= 0] == majority[majority >= 0]).all()
    assert (most[plurality >= 0] == plurality[plurality >= 0]).all()


# FER+'s numbers pass over row 2, so that later ones are one less than the row. A copy in their order has row 3 at 2,
# and what is left of each split at its end.
SHORT_NAMES = [f"fer{row - (row > 2):07d}.png" if row not in (2, 13) else "" for row in range(14)]
BY_NAME = [0, 1, 3, 4, 5, 6, 7, 2, 9, 10, 8, 12, 11, 13]


def test_a_copy_in_the_order_of_the_image_names_is_joined_by_them(tmp_path: Path) -> None:
    prepare_fer2013(write_fer2013(tmp_path / "a.csv", BY_NAME), counts=None)
    notices: list[str] = []
    prepare_ferplus(write_votes(tmp_path / "fer2013new.csv", SHORT_NAMES), notice=notices.append)
    assert "by image name; 2 of 12 faces" in notices[0]
    dataset = load_ferplus_plurality()
    assert levels(dataset) == [0, 1, 3, 4, 5, 6, 9, 10, 12]
    for _, split in dataset.splits():
        assert [dataset.classes[label] for label in split.labels] == [LABELS[image[0, 0]] for image in split.images]


def test_a_picture_with_two_rows_of_votes_has_those_nearest_to_its_place(tmp_path: Path) -> None:
    prepare_fer2013(write_fer2013(tmp_path / "a.csv", BY_NAME), counts=None)
    prepare_ferplus(write_votes(tmp_path / "fer2013new.csv", [SHORT_NAMES[6], *SHORT_NAMES[1:]]))
    assert levels(load_ferplus_majority())[:5] == [1, 3, 4, 5, 6]


def test_a_copy_in_another_order_is_refused(tmp_path: Path) -> None:
    rows = [*range(1, 8), 0, 9, 10, 8, 12, 13, 11]
    prepare_fer2013(write_fer2013(tmp_path / "a.csv", rows), counts=None)
    with pytest.raises(DataError, match=r"do not belong to the FER2013 .* agree with \d+% .*from Kaggle's CSV file"):
        prepare_ferplus(write_votes(tmp_path / "fer2013new.csv"))


def test_a_copy_whose_rows_are_not_those_of_the_csv_is_refused(tmp_path: Path) -> None:
    import cv2

    for row in range(14):
        path = tmp_path / "copy" / LABELS[row] / f"{USAGES[row]}_{row + 10**7}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((48, 48), row, np.uint8))
    prepare_fer2013(tmp_path / "copy", counts=None)
    with pytest.raises(DataError, match="by row, 0% of them find a face"):
        prepare_ferplus(write_votes(tmp_path / "fer2013new.csv"))


def test_prepare_takes_fer2013_along(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="train must have 28,709 faces"):
        prepare_ferplus(write_votes(tmp_path / "v.csv"), fer2013=write_fer2013(tmp_path / "fer2013.csv"))


def test_prepare_without_fer2013_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match="data prepare fer2013 PATH"):
        prepare_ferplus(write_votes(tmp_path / "fer2013new.csv"))


def test_load_without_preparing_says_how_to_get_it(votes_csv: Path) -> None:
    with pytest.raises(DatasetMissingError, match="data prepare ferplus PATH"):
        load_ferplus_majority()


def test_prepare_returns_the_folder_and_can_be_repeated(votes_csv: Path) -> None:
    for _ in range(2):
        assert prepare_ferplus(votes_csv) == data_home() / "datasets" / "ferplus"
    assert [path.name for path in (data_home() / "datasets" / "ferplus").iterdir()] == ["votes.npz"]


def test_votes_of_another_fer2013_are_refused(votes_csv: Path, tmp_path: Path) -> None:
    prepare_ferplus(votes_csv)
    prepare_fer2013(write_fer2013(tmp_path / "other.csv", list(range(13))), counts=None)
    with pytest.raises(DataError, match=r"another copy of FER2013.*data prepare ferplus PATH again"):
        load_ferplus_majority()


def cut(data: bytes) -> bytes:
    return data[:-30]


def flipped(data: bytes) -> bytes:
    place = data.index(b"\x93NUMPY") + 150
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize("damage", [cut, flipped, lambda data: b"", lambda data: b"\x93NUMPY", lambda data: b"PK"])
def test_damaged_votes_are_refused(votes_csv: Path, damage: Callable[[bytes], bytes]) -> None:
    path = prepare_ferplus(votes_csv) / "votes.npz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match="data prepare ferplus PATH again"):
        load_ferplus_majority()


def test_altered_votes_are_refused(votes_csv: Path) -> None:
    path = prepare_ferplus(votes_csv) / "votes.npz"
    with np.load(path) as stored:
        arrays = dict(stored)
    arrays["votes"][0, 0] ^= 1
    np.savez(path, **arrays)
    with pytest.raises(DataError, match="not as they were written"):
        load_ferplus_majority()


def test_a_place_that_cannot_be_written_is_refused(votes_csv: Path) -> None:
    (data_home() / "datasets" / "ferplus").write_text("in the way")
    with pytest.raises(DataError, match="set FERBENCH_DATA"):
        prepare_ferplus(votes_csv)


GOOD = "Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0"
BAD_ROWS = {
    "short": ("Training,fer0000000.png,4,0,0,1,3,2,0,0,0", "expected 12 fields, got 11"),
    "usage": (GOOD.replace("Training", "Train"), "Usage must be Training, PublicTest, PrivateTest, got 'Train'"),
    "name": (GOOD.replace("fer0000000", "fer1"), "expected a name like fer0000000.png or none"),
    "word": (GOOD.replace("3,2", "3,x"), "votes must be whole numbers of taggers, got 'x'"),
    "negative": (GOOD.replace("3,2", "3,-2"), "votes must be whole numbers of taggers, got '-2'"),
    "other digits": (GOOD.replace("3,2", "3,٢"), "votes must be whole numbers of taggers, got '٢'"),
    "too many": (GOOD.replace("3,2", "3,3"), "expected votes of 1 to 10 taggers, got 11"),
    "none": ("Training,fer0000000.png" + ",0" * 10, "expected votes of 1 to 10 taggers, got 0"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    row, message = BAD_ROWS[case]
    (tmp_path / "v.csv").write_text(f"{HEADER}\n{GOOD}\n{row}\n")
    with pytest.raises(DataError, match=f"line 3: {message}"):
        read_votes(tmp_path / "v.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (HEADER, "has no rows of votes"),
        (HEADER.replace(",NF", ""), "line 1: expected the columns Usage, Image name, anger"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "v.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_votes(tmp_path / "v.csv")


numbers = st.integers(-3, 10**6).map(str) | st.text(max_size=5)
rows = st.lists(numbers, max_size=14).map(",".join) | st.lists(numbers, min_size=10, max_size=10).map(
    lambda votes: ",".join(["Training", "", *votes])
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=rows.map(lambda text: text.encode(errors="replace")) | st.binary(max_size=60))
def test_any_row_is_read_or_refused_with_one_of_our_errors(tmp_path: Path, row: bytes) -> None:
    (tmp_path / "v.csv").write_bytes(f"{HEADER}\n".encode() + row + b"\n")
    try:
        table = read_votes(tmp_path / "v.csv")
    except DataError:
        return
    assert ((table.votes.sum(axis=1) > 0) & (table.votes.sum(axis=1) <= 10)).all()


def counted(votes: list[int]) -> list[str]:
    """The rules once more, in plain Python: which of the datasets have a face with these votes."""
    left = [count if count > 1 else 0 for count in votes]
    winners = [place for place, count in enumerate(left) if count == max(left)]
    is_emotion = len(winners) == 1 and winners[0] < 8
    return (["plurality"] if is_emotion else []) + (["majority"] if is_emotion and 2 * max(left) > sum(left) else [])


def test_the_real_table_has_the_published_counts(fer2013_csv_gz: Path) -> None:
    path = fer2013_csv_gz.with_name("fer2013new.csv")
    with path.open(newline="") as file:
        lines = list(csv.reader(file))[1:]
    independent = Counter((rule, line[0]) for line in lines for rule in counted([int(vote) for vote in line[2:]]))
    table = read_votes(path)
    for rule, expected in {"majority": [25060, 3199, 3153], "plurality": [26940, 3396, 3376]}.items():
        assert [independent[rule, usage] for usage in ("Training", "PublicTest", "PrivateTest")] == expected
        assert np.bincount(table.splits[label_votes(table.votes, rule) >= 0]).tolist() == expected


@pytest.mark.slow
def test_the_real_votes_find_the_real_faces(fer2013_csv_gz: Path) -> None:
    """In both files a face has a label; of faces that are wrongly joined, taggers agree with 18 % of the labels."""
    prepare_ferplus(fer2013_csv_gz.with_name("fer2013new.csv"), fer2013=fer2013_csv_gz)
    fer2013, dataset = load_fer2013(), load_ferplus_majority()
    for (_, faces), (_, split) in zip(fer2013.splits(), dataset.splits(), strict=True):
        place = np.searchsorted(faces.rows, split.rows)
        assert (faces.labels[place] == split.labels).mean() > 0.6
    sizes = [len(split) for _, split in dataset.splits()]
    assert all(np.array(sizes) >= [25057, 3135, 3085]) and all(np.array(sizes) <= [25060, 3199, 3153])
