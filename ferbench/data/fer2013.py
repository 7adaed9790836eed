"""FER2013 as Kaggle gives it: 35,887 gray faces of 48 x 48 pixels in one CSV file, which becomes a prepared dataset.

The file is read once, row by row, never as a whole. The images are not ours to give away: the user brings the file.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np

from ferbench.data.cache import read_cache, write_cache
from ferbench.data.dataset import Dataset, Split, data_home, duplicate_groups
from ferbench.errors import DataError, DatasetMissingError
from ferbench.types import EMOTIONS, ProgressHook

OFFICIAL_COUNTS: Mapping[str, Sequence[int]] = {
    "train": (3995, 436, 4097, 7215, 4830, 3171, 4965),
    "validation": (467, 56, 496, 895, 653, 415, 607),
    "test": (491, 55, 528, 879, 594, 416, 626),
}
"""Faces of each class in each split of the official file."""

_SIDE = 48
_USAGES = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
_LABELS = {str(label): label for label in range(len(EMOTIONS))}
_CSV_NAMES = ("fer2013.csv", "icml_face_data.csv")
_DAMAGED = (
    EOFError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
)
_ROWS_A_REPORT = 500
_HOW_TO_GET = (
    "FER2013 is not on this machine: with a free Kaggle account, download fer2013.csv or icml_face_data.csv of "
    "'Challenges in Representation Learning: Facial Expression Recognition Challenge' (its images may not be "
    "redistributed), then run: python -m ferbench data prepare fer2013 PATH"
)


def load_fer2013() -> Dataset:
    """FER2013 as `prepare_fer2013` left it on this machine; its images are mapped from disk.

    Raises:
        DatasetMissingError: it has not been prepared; the message says how.
        DataError: what was prepared is damaged.
    """
    directory = _directory()
    try:
        dataset = read_cache(directory)
    except DatasetMissingError:
        raise DatasetMissingError(_HOW_TO_GET) from None
    if dataset.name != "fer2013" or dataset.classes != EMOTIONS:
        raise DataError(
            f"{directory} holds '{dataset.name}', not fer2013: delete that folder and prepare fer2013 again."
        )
    return dataset


def prepare_fer2013(
    path: str | Path,
    *,
    on_progress: ProgressHook = lambda stage, done, total: None,
    counts: Mapping[str, Sequence[int]] | None = OFFICIAL_COUNTS,
) -> Path:
    """Read Kaggle's CSV file once and leave a dataset that opens in an instant.

    Args:
        path: fer2013.csv or icml_face_data.csv, as it is or as .gz, .xz, .zip or .tar.gz.
        on_progress: Called as work goes on, with bytes of the file read and in all.
        counts: Faces of each class that "train", "validation" and "test" must have; None checks nothing.

    Returns:
        The folder of the prepared dataset, under `data_home()`.

    Raises:
        DataError: the file is missing, damaged or not FER2013; the message names the line.
    """
    dataset = _read(Path(path), on_progress)
    if counts is not None:
        _check_counts(dataset, counts)
    write_cache(dataset, _directory())
    return _directory()


def _directory() -> Path:
    return data_home() / "datasets" / "fer2013"


def _read(path: Path, on_progress: ProgressHook) -> Dataset:
    pixels = {name: bytearray() for name in _USAGES.values()}
    labels: dict[str, list[int]] = {name: [] for name in pixels}
    rows: dict[str, list[int]] = {name: [] for name in pixels}
    for number, (name, label, row_pixels) in enumerate(_read_rows(path, on_progress)):
        pixels[name] += row_pixels
        labels[name].append(label)
        rows[name].append(number)
    images = {name: np.frombuffer(data, np.uint8).reshape(-1, _SIDE, _SIDE) for name, data in pixels.items()}
    ends = np.cumsum([len(array) for array in images.values()])[:-1]
    groups = np.split(duplicate_groups(itertools.chain.from_iterable(images.values())), ends)
    splits = {
        name: Split(images[name], np.array(labels[name], np.int64), np.array(rows[name], np.int64), split_groups)
        for name, split_groups in zip(images, groups, strict=True)
    }
    return Dataset(name="fer2013", classes=EMOTIONS, is_synthetic=False, **splits)


def _read_rows(path: Path, on_progress: ProgressHook) -> Iterator[tuple[str, int, bytes]]:
    """(split, label, 2304 pixels) of each row; every way in which the file can be bad becomes a DataError."""
    stage = f"reading {path.name}"
    number = 0
    with _open_text(path) as (text, raw, size_bytes):
        reader = csv.reader(text)
        try:
            columns = _columns(next(reader, []))
            for row in reader:
                if not row:
                    continue
                yield _parse(row, columns)
                number += 1
                if number % _ROWS_A_REPORT == 0:
                    on_progress(stage, min(raw.tell(), size_bytes), size_bytes)
        except _DAMAGED as error:
            raise DataError(f"{path} is damaged after line {reader.line_num}: download it again.") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not text after line {reader.line_num}: give FER2013's CSV file.") from error
        except csv.Error as error:
            raise DataError(f"{path}, line {reader.line_num}: {error}: give FER2013's CSV file.") from error
        except _BadRowError as error:
            raise DataError(f"{path}, line {max(reader.line_num, 1)}: {error}") from None
        except OSError as error:
            raise DataError(
                f"{path} cannot be read after line {reader.line_num}: {error.strerror or error}."
            ) from error
    if number == 0:
        raise DataError(f"{path} has no rows of faces: give FER2013's CSV file, which has 35,887.")
    on_progress(stage, size_bytes, size_bytes)


class _BadRowError(ValueError):
    """What is wrong with one row, without its line number."""


def _columns(header: list[str]) -> tuple[int, int, int]:
    names = [name.strip().lower() for name in header]
    missing = [name for name in ("emotion", "pixels", "usage") if name not in names]
    if missing:
        found = ", ".join(repr(name[:20])[1:-1] for name in names[:5]) or "nothing"
        raise _BadRowError(
            f"expected the columns emotion, pixels, Usage, found {found}: give fer2013.csv or icml_face_data.csv."
        )
    return names.index("emotion"), names.index("pixels"), names.index("usage")


def _parse(row: list[str], columns: tuple[int, int, int]) -> tuple[str, int, bytes]:
    if len(row) <= max(columns):
        raise _BadRowError(f"expected emotion, pixels and Usage, got {len(row)} fields: download the file again.")
    emotion, pixels, usage = (row[column].strip() for column in columns)
    if emotion not in _LABELS:
        raise _BadRowError(f"emotion must be 0 to {len(_LABELS) - 1}, got {emotion[:20]!r}: download the file again.")
    if usage not in _USAGES:
        raise _BadRowError(f"Usage must be {', '.join(_USAGES)}, got {usage[:20]!r}: download the file again.")
    return _USAGES[usage], _LABELS[emotion], _parse_pixels(pixels)


def _parse_pixels(text: str) -> bytes:
    # NumPy stops at the first character that it does not understand, so nothing else may reach it.
    if re.fullmatch("[0-9 ]+", text) is None:
        bad = next((value for value in text.split() if re.fullmatch("[0-9]+", value) is None), text)
        raise _BadRowError(f"pixels must be 0 to 255, got {bad[:20]!r}: download the file again.")
    values = np.fromstring(text, np.int64, sep=" ")
    if len(values) != _SIDE**2:
        raise _BadRowError(f"expected {_SIDE**2} pixels, got {len(values)}: download the file again.")
    if values.max() > 255:
        raise _BadRowError(f"pixels must be 0 to 255, got {values.max()}: download the file again.")
    return values.astype(np.uint8).tobytes()


@contextmanager
def _open_text(path: Path) -> Iterator[tuple[IO[str], IO[bytes], int]]:
    """The CSV file inside `path` as text, with the outer file, whose position tells how far reading has come."""
    if path.is_dir():
        inside = next((path / name for name in _CSV_NAMES if (path / name).is_file()), "the path of FER2013's CSV file")
        raise DataError(f"{path} is a folder, expected a file: give {inside}.")
    with ExitStack() as stack:
        try:
            raw = stack.enter_context(path.open("rb"))
            size_bytes = path.stat().st_size
            content = _unpacked(path, raw, stack)
        except FileNotFoundError:
            raise DataError(f"{path} does not exist: give the path of FER2013's CSV file.") from None
        except _DAMAGED as error:
            raise DataError(f"{path} is damaged: download it again.") from error
        except DataError:
            raise
        except (OSError, RuntimeError, ValueError) as error:
            raise DataError(f"{path} cannot be read: {str(error).rstrip('.')}.") from error
        yield stack.enter_context(io.TextIOWrapper(content, "utf-8-sig", newline="")), raw, size_bytes


def _unpacked(path: Path, raw: IO[bytes], stack: ExitStack) -> IO[bytes]:
    """The bytes of the CSV file, whatever it is packed in, told by the first bytes and not by the name."""
    start = raw.read(6)
    raw.seek(0)
    if not start:
        raise DataError(f"{path} is empty: download it again.")
    if start.startswith(b"PK"):
        archive = stack.enter_context(zipfile.ZipFile(raw))
        return stack.enter_context(archive.open(_member(path, archive.namelist())))
    content: Any = raw
    if start.startswith(b"\x1f\x8b"):
        content = stack.enter_context(gzip.GzipFile(fileobj=raw))
    elif start.startswith(b"\xfd7zXZ"):
        content = stack.enter_context(lzma.open(raw))  # noqa: SIM115 - the stack closes it
    if path.name.endswith((".tar", ".tar.gz", ".tgz", ".tar.xz")):
        tar = stack.enter_context(tarfile.TarFile(fileobj=content))
        for member in tar:
            if member.isfile() and PurePosixPath(member.name).name in _CSV_NAMES:
                return stack.enter_context(tar.extractfile(member) or io.BytesIO())
        raise DataError(f"{path} holds no {' or '.join(_CSV_NAMES)}: give the CSV file itself.")
    return io.BufferedReader(content)


def _member(path: Path, names: list[str]) -> str:
    for wanted in _CSV_NAMES:
        for name in names:
            if PurePosixPath(name).name == wanted:
                return name
    others = [name for name in names if name.endswith(".csv") and not name.startswith("__MACOSX/")]
    if len(others) != 1:
        raise DataError(f"{path} holds no {' or '.join(_CSV_NAMES)}: give the CSV file itself.")
    return others[0]


def _check_counts(dataset: Dataset, counts: Mapping[str, Sequence[int]]) -> None:
    for name, split in dataset.splits():
        expected = tuple(counts[name])
        found = tuple(split.counts(len(dataset.classes)).tolist())
        if found != expected:
            raise DataError(
                f"{name} must have {sum(expected):,} faces {expected} by class, got {sum(found):,} {found}: "
                "this is not the whole official file, download it again."
            )
