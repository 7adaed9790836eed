"""AffectNet's annotations, from the CSV files of its first release or the array files of the later one, row by row."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from tokenize import TokenError
from typing import NamedTuple

import numpy as np

from ferbench.data.archives import BadRowError, Table, column_numbers, read_table
from ferbench.errors import DataError
from ferbench.types import ProgressHook

_EMOTIONS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
_N_CODES = len(_EMOTIONS) + 3  # none, uncertain, no face
_CODES = {str(code): code for code in range(_N_CODES)}
_COLUMNS = (
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "expression",
    "valence",
    "arousal",
)
_CSV = Table("AffectNet's training.csv or validation.csv", ("training.csv", "validation.csv"))
_FILES_A_REPORT = 500
_MAX_SCALAR_BYTES = 256
_DAMAGED = (ValueError, TypeError, IndexError, OverflowError, MemoryError, RecursionError, SyntaxError, TokenError)


class Annotation(NamedTuple):
    """One row of AffectNet: `box` is x1 y1 x2 y2, None where the picture is the face; unknown valence is NaN."""

    path: str
    emotion: str
    valence: float
    arousal: float
    box: tuple[int, int, int, int] | None


def read_csv(
    path: Path, images: Path, on_progress: ProgressHook = lambda stage, done, total: None
) -> Iterator[Annotation | None]:
    """The rows of training.csv or validation.csv one by one, None for each without an emotion; memory stays flat.

    Raises:
        DataError: the file is missing, damaged or not AffectNet's, or a row is malformed; the message names the line.
    """

    def parser_of(header: list[str]) -> Callable[[list[str]], Annotation | None]:
        columns = column_numbers(header, _COLUMNS, "give AffectNet's own file")
        return lambda fields: _annotation([fields[i].strip() if i < len(fields) else "" for i in columns], images)

    return read_table(path, _CSV, parser_of, on_progress)


def _annotation(fields: list[str], images: Path) -> Annotation | None:
    name, x, y, width, height, expression, valence, arousal = fields
    if expression not in _CODES:
        raise BadRowError(f"expression must be 0 to {_N_CODES - 1}, got {expression[:20]!r}: download the file again.")
    if _CODES[expression] >= len(_EMOTIONS):
        return None
    try:
        left, top, across, down = (_pixels(value) for value in (x, y, width, height))
        values = _measure(float(valence)), _measure(float(arousal))
    except ValueError as error:
        raise BadRowError(f"{error}: download the file again.") from None
    if not name or across <= 0 or down <= 0:
        raise BadRowError("the path must not be empty and the face not without extent: download the file again.")
    return Annotation(
        f"{images}/{name}", _EMOTIONS[_CODES[expression]], *values, (left, top, left + across, top + down)
    )


def _pixels(text: str) -> int:
    if re.fullmatch("-?[0-9]{1,6}", text, re.ASCII) is None:
        raise ValueError(f"face_x, face_y, face_width and face_height must be whole pixels, got {text[:20]!r}")
    return int(text)


def _measure(value: float) -> float:
    if value == -2:  # AffectNet's mark for "not annotated"
        return float("nan")
    if not -1 <= value <= 1:
        raise ValueError(f"valence and arousal must be -1 to 1, got {value}")
    return value


def read_arrays(
    folder: Path, on_progress: ProgressHook = lambda stage, done, total: None
) -> Iterator[Annotation | None]:
    """The annotations of train_set/ or val_set/ in the order of their numbers, None for each without an emotion.

    Raises:
        DataError: the folder or an array file cannot be read; the message names it.
    """
    try:
        stems = [path.name.removesuffix("_exp.npy") for path in (folder / "annotations").glob("*_exp.npy")]
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror}.") from error
    for number, stem in enumerate(sorted(stems, key=lambda stem: (len(stem), stem))):
        start = folder / "annotations" / stem
        code = _scalar(Path(f"{start}_exp.npy"))
        if code not in range(_N_CODES):
            raise DataError(f"{start}_exp.npy must hold an expression from 0 to {_N_CODES - 1}, got {code}.")
        if code >= len(_EMOTIONS):
            yield None
            continue
        valence, arousal = (_scalar(Path(f"{start}_{kind}.npy")) for kind in ("val", "aro"))
        try:
            valence, arousal = _measure(valence), _measure(arousal)
        except ValueError as error:
            raise DataError(f"{start}_val.npy and _aro.npy: {error}: unpack them again.") from None
        yield Annotation(f"{folder}/images/{stem}.jpg", _EMOTIONS[int(code)], valence, arousal, None)
        if number % _FILES_A_REPORT == 0:
            on_progress(f"reading {folder.name}", number, len(stems))


def _scalar(path: Path) -> float:
    """The one number in an array file, which AffectNet stores as text."""
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # files from Python 2 have other headers
            np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            if shape not in ((), (1,)) or dtype.kind not in "iufUS":
                raise DataError(f"{path} must hold one number, got {dtype} {shape}: unpack it again.")
            raw = file.read(min(dtype.itemsize, _MAX_SCALAR_BYTES))
            if dtype.kind in "US":
                encoding = "ascii" if dtype.kind == "S" else f"utf-32-{'be' if dtype.str[0] == '>' else 'le'}"
                return float(raw.decode(encoding).rstrip("\0"))
            return float(np.frombuffer(raw, dtype)[0])
    except DataError:
        raise
    except (OSError, *_DAMAGED) as error:
        raise DataError(f"{path} cannot be read as one number ({error}): unpack it again.") from error
