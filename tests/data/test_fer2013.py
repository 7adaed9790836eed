from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferbench.data.cache import write_cache
from ferbench.data.dataset import Dataset, data_home
from ferbench.data.fer2013 import OFFICIAL_COUNTS, load_fer2013, prepare_fer2013
from ferbench.errors import DataError, DatasetMissingError
from ferbench.types import EMOTIONS

N_PIXELS = 48 * 48
USAGES = ("Training", "PublicTest", "PrivateTest")


def pixels_of(seed: int) -> str:
    return " ".join(map(str, np.random.default_rng(seed).integers(0, 256, N_PIXELS)))


# Twelve faces, the usages mixed; row 11 (a test face) repeats row 0 (a training face).
FACES = [(row % 7, pixels_of(row % 11), USAGES[row % 3]) for row in range(12)]
SMALL_COUNTS = {
    "train": (1, 0, 1, 1, 0, 0, 1),
    "validation": (1, 1, 0, 1, 1, 0, 0),
    "test": (0, 1, 1, 0, 1, 1, 0),
}


def csv_text(header: str = "emotion,pixels,Usage", faces: list[tuple[int, str, str]] | None = None) -> str:
    faces = FACES if faces is None else faces
    return "\n".join([header, *(f"{label},{pixels},{usage}" for label, pixels, usage in faces)]) + "\n"


def with_row(row: str) -> str:
    """A good row, then this one as line 3."""
    return f"{csv_text(faces=FACES[:1])}{row}\n{csv_text(faces=FACES[1:2]).splitlines()[1]}\n"


def zipped(text: str, *names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, text if name.endswith(".csv") else "other")
    return buffer.getvalue()


def tarred(text: str, name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def quoted(text: str) -> str:
    lines = text.splitlines()
    return "\n".join([lines[0], *(f'{e},"{p}",{u}' for e, p, u in (line.split(",") for line in lines[1:]))])


FORMS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "plain": ("fer2013.csv", str.encode),
    "another name": ("faces.txt", str.encode),
    "gz": ("fer2013.csv.gz", lambda text: gzip.compress(text.encode())),
    "gz named csv": ("fer2013.csv", lambda text: gzip.compress(text.encode())),
    "xz": ("fer2013.csv.xz", lambda text: lzma.compress(text.encode())),
    "zip": ("archive.zip", lambda text: zipped(text, "fer2013.csv")),
    "zip with a folder": ("archive.zip", lambda text: zipped(text, "fer2013/README", "fer2013/fer2013.csv")),
    "zip with one other csv": ("archive.zip", lambda text: zipped(text, "faces.csv")),
    "zip with two": ("archive.zip", lambda text: zipped(text, "train/test.csv", "icml_face_data.csv")),
    "tar.gz": ("fer2013.tar.gz", lambda text: tarred(text, "fer2013/fer2013.csv")),
    "windows line ends": ("fer2013.csv", lambda text: text.replace("\n", "\r\n").encode()),
    "byte order mark": ("fer2013.csv", lambda text: text.encode("utf-8-sig")),
    "quoted pixels": ("fer2013.csv", lambda text: quoted(text).encode()),
    "blank last lines": ("fer2013.csv", lambda text: (text + "\n\n").encode()),
}


def prepared(path: Path, content: str | bytes) -> Dataset:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    prepare_fer2013(path, counts=None)
    return load_fer2013()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_file_gives_the_same_dataset(tmp_path: Path, form: str) -> None:
    name, pack = FORMS[form]
    dataset = prepared(tmp_path / name, pack(csv_text()))
    assert dataset.name == "fer2013" and dataset.classes == EMOTIONS and not dataset.is_synthetic
    for number, (_, split) in enumerate(dataset.splits()):
        expected = [row for row in range(12) if row % 3 == number]
        assert split.rows.tolist() == expected
        assert split.labels.tolist() == [row % 7 for row in expected]
        for image, row in zip(split.images, expected, strict=True):
            assert image.reshape(-1).tolist() == [int(value) for value in FACES[row][1].split()]


def test_icml_face_data_has_other_columns_and_gives_the_same(tmp_path: Path) -> None:
    lines = ["emotion, Usage, pixels", *(f"{label},{usage},{pixels}" for label, pixels, usage in FACES)]
    other = prepared(tmp_path / "icml_face_data.csv", "\n".join(lines))
    assert other.fingerprint() == prepared(tmp_path / "fer2013.csv", csv_text()).fingerprint()


def test_identical_images_share_a_group_across_splits(tmp_path: Path) -> None:
    dataset = prepared(tmp_path / "fer2013.csv", csv_text())
    assert dataset.test.groups[-1] == dataset.train.groups[0]
    assert dataset.clean_test().tolist() == [True, True, True, False]


def test_prepare_returns_the_folder_and_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text(csv_text())
    folder = prepare_fer2013(path, counts=None)
    assert folder == data_home() / "datasets" / "fer2013"
    assert len(prepared(path, csv_text(faces=FACES[:6])).train) == 2


def test_progress_grows_to_the_size_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv.gz"
    path.write_bytes(gzip.compress(csv_text(faces=FACES * 84).encode(), compresslevel=1))
    calls: list[tuple[str, int, int]] = []
    prepare_fer2013(path, on_progress=lambda *call: calls.append(call), counts=None)
    done = [call[1] for call in calls]
    assert len(calls) >= 3 and done == sorted(done)
    assert calls[-1] == ("reading fer2013.csv.gz", path.stat().st_size, path.stat().st_size)


def test_counts_that_are_the_expected_ones_pass(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text(csv_text())
    assert prepare_fer2013(path, counts=SMALL_COUNTS).is_dir()


def test_counts_that_are_not_official_are_named(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text(csv_text())
    with pytest.raises(DataError, match=r"train must have 28,709 faces \(3995, .*got 4 \(1, 0, 1, 1, 0, 0, 1\)"):
        prepare_fer2013(path)
    assert not (data_home() / "datasets").exists()
    with pytest.raises(DataError, match="test must have 3 faces"):
        prepare_fer2013(path, counts={**SMALL_COUNTS, "test": (0, 0, 1, 0, 1, 1, 0)})


def test_official_counts_sum_to_the_whole_file() -> None:
    assert [sum(counts) for counts in OFFICIAL_COUNTS.values()] == [28709, 3589, 3589]


GOOD = pixels_of(0)
BAD_ROWS = {
    "short": (f"0,{GOOD[: GOOD.rindex(' ')]},Training", "line 3: expected 2304 pixels, got 2303"),
    "long": (f"0,{GOOD} 7,Training", "line 3: expected 2304 pixels, got 2305"),
    "too bright": (f"0,256 {GOOD[GOOD.index(' ') + 1 :]},Training", "line 3: pixels must be 0 to 255, got 256"),
    "huge": (f"0,{'9' * 5000} {GOOD[GOOD.index(' ') + 1 :]},Training", "line 3: pixels must be 0 to 255"),
    "negative": (f"0,-1 {GOOD},Training", "line 3: pixels must be 0 to 255, got '-1'"),
    "fraction": (f"0,1.5 {GOOD},Training", r"line 3: pixels must be 0 to 255, got '1\.5'"),
    "word": (f"0,{GOOD} x,Training", "line 3: pixels must be 0 to 255, got 'x'"),
    "other digits": (f"0,{GOOD} ٣,Training", "line 3: pixels must be 0 to 255, got '٣'"),
    "no pixels": ("0,,Training", "line 3: pixels must be 0 to 255, got ''"),
    "blank pixels": ("0,   ,Training", "line 3: pixels must be 0 to 255"),
    "label 9": (f"9,{GOOD},Training", "line 3: emotion must be 0 to 6, got '9'"),
    "label word": (f"happy,{GOOD},Training", "line 3: emotion must be 0 to 6, got 'happy'"),
    "usage": (f"0,{GOOD},Train", "line 3: Usage must be Training, PublicTest, PrivateTest, got 'Train'"),
    "no usage": (f"0,{GOOD}", "line 3: expected emotion, pixels and Usage, got 2 fields"),
    "endless field": (f'0,"{"1 " * 100_000}",Training', "line 3: field larger than field limit"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    row, message = BAD_ROWS[case]
    with pytest.raises(DataError, match=message):
        prepared(tmp_path / "fer2013.csv", with_row(row))


BAD_FILES: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "is empty: download it again"),
    "header only": ("emotion,pixels,Usage\n", "has no rows of faces"),
    "other columns": (
        "emotion,pixels\n",
        "line 1: expected the columns emotion, pixels, Usage, found emotion, pixels:",
    ),
    "blank first line": ("\n" + csv_text(), "line 1: expected the columns emotion, pixels, Usage, found nothing"),
    "binary": (b"\x89PNG\xff\xfe" + bytes(range(256)), "is not text"),
    "binary after rows": (csv_text().encode() + b"0,\xff\xff,Training\n", "is not text"),
    "utf-16": (csv_text().encode("utf-16"), "is not text"),
    "gz of nothing": (gzip.compress(b""), "line 1: expected the columns"),
    "gz cut": (gzip.compress(csv_text().encode())[:-2000], "is damaged after line"),
    "gz cut at once": (gzip.compress(csv_text().encode())[:8], "is damaged after line 0"),
    "gz altered": (gzip.compress(csv_text().encode())[:-8] + bytes(8), "is damaged after line"),
    "xz cut": (lzma.compress(csv_text().encode())[:-2000], "is damaged after line"),
    "zip cut": (zipped(csv_text(), "fer2013.csv")[:-2000], "is damaged: download it again"),
    "zip without csv": (zipped("", "README"), r"holds no fer2013\.csv or icml_face_data\.csv"),
    "zip with two others": (zipped("", "a.csv", "b.csv"), r"holds no fer2013\.csv"),
    "zip of nothing": (zipped("", "fer2013.csv"), "line 1: expected the columns"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_refused(tmp_path: Path, case: str) -> None:
    content, message = BAD_FILES[case]
    with pytest.raises(DataError, match=message):
        prepared(tmp_path / "fer2013.csv", content)
    assert not (data_home() / "datasets").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tarred(csv_text(), "other/readme.txt"), r"holds no fer2013\.csv"),
        (tarred(csv_text(), "fer2013.csv")[:-3000], "is damaged"),
        (b"not a tar", "is damaged"),
    ],
)
def test_a_bad_tar_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        prepared(tmp_path / "fer2013.tar.gz", content)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(csv_text(), "fer2013.csv"))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    data[6] |= 1
    with pytest.raises(DataError, match=r"cannot be read.*password"):
        prepared(tmp_path / "fer2013.zip", bytes(data))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"fer2013\.csv does not exist: give the path"):
        prepare_fer2013(tmp_path / "fer2013.csv")


def test_a_folder_with_the_file_in_it_is_the_file(tmp_path: Path) -> None:
    (tmp_path / "icml_face_data.csv").write_text(csv_text())
    prepare_fer2013(tmp_path, counts=None)
    assert load_fer2013().train.rows.tolist() == [0, 3, 6, 9]


def test_a_zip_of_pictures_is_to_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "archive.zip").write_bytes(zipped("", "train/angry/Training_1.jpg", "test/sad/PublicTest_1.jpg"))
    with pytest.raises(DataError, match="holds pictures: unpack it, and give the folder"):
        prepare_fer2013(tmp_path / "archive.zip", counts=None)


def test_load_without_preparing_says_how_to_get_it() -> None:
    with pytest.raises(DatasetMissingError, match=r"Kaggle.*python -m ferbench data prepare fer2013 PATH"):
        load_fer2013()


def test_load_refuses_another_dataset_in_its_place(tiny: Dataset) -> None:
    write_cache(tiny, data_home() / "datasets" / "fer2013")
    with pytest.raises(DataError, match="holds 'synthetic', not fer2013"):
        load_fer2013()


def rows_of(
    label: st.SearchStrategy[int], pixels: st.SearchStrategy[str], usage: st.SearchStrategy[str]
) -> st.SearchStrategy[str]:
    return st.tuples(label, pixels, usage).map(lambda fields: ",".join(map(str, fields)))


labels, pixels, usages = st.integers(0, 6), st.just(GOOD), st.sampled_from(USAGES)
bad_labels = st.integers(7) | st.integers(max_value=-1)
bad_pixels = st.text(max_size=40) | st.lists(st.integers(-10, 10**20), max_size=5).map(
    lambda row: " ".join(map(str, row))
)
bad_usages = st.text(max_size=20).filter(lambda text: text.strip() not in USAGES)
bad_rows = st.one_of(
    st.text(max_size=60),
    rows_of(bad_labels, pixels, usages),
    rows_of(labels, bad_pixels, usages),
    rows_of(labels, pixels, bad_usages),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=bad_rows.map(str.encode) | st.binary(max_size=60))
def test_any_malformed_row_is_a_data_error(tmp_path: Path, row: bytes) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_bytes(b"emotion,pixels,Usage\n" + row + b"\n")
    with pytest.raises(DataError):
        prepare_fer2013(path, counts=None)


def test_the_real_file_has_the_published_facts(fer2013_csv_gz: Path) -> None:
    prepare_fer2013(fer2013_csv_gz)
    dataset = load_fer2013()
    for name, split in dataset.splits():
        assert tuple(split.counts(7).tolist()) == OFFICIAL_COUNTS[name]
        assert split.images.shape == (len(split), 48, 48)
    assert dataset.card().n_clean_test == 3273

    groups = np.concatenate([split.groups for _, split in dataset.splits()])
    origin = np.repeat([0, 1, 2], [len(split) for _, split in dataset.splits()])
    sizes = np.bincount(groups)
    n_origins = np.sum([np.bincount(groups[origin == number], minlength=len(sizes)) > 0 for number in range(3)], axis=0)
    assert ((sizes > 1).sum(), sizes[sizes > 1].sum(), (n_origins > 1).sum()) == (1503, 3343, 546)
