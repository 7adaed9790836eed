"""FER2013 as Kaggle gives it: one CSV file, fer2013.csv or icml_face_data.csv, read row by row, never as a whole."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ferbench.data.archives import BadRowError, Table, column_numbers, read_table
from ferbench.errors import DataError
from ferbench.types import EMOTIONS, ProgressHook

SIDE = 48
"""Height and width of FER2013's pictures, in pixels."""

USAGES = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
"""Our name of each official split."""

FER2013_CSV = Table("FER2013's CSV file", ("fer2013.csv", "icml_face_data.csv"))

_LABELS = {str(label): label for label in range(len(EMOTIONS))}


class Face(NamedTuple):
    """One picture of FER2013: its split, its label, its number in what was read, and SIDE x SIDE gray bytes."""

    split: str
    label: int
    row: int
    pixels: bytes


def read_csv_faces(path: Path, on_progress: ProgressHook) -> Iterator[Face]:
    """The faces of Kaggle's CSV file in the order of its rows, which count from 0.

    Raises:
        DataError: the file is missing, damaged or not FER2013's; the message names the line.
    """
    rows = itertools.count()
    for split, label, pixels in read_table(path, FER2013_CSV, _parser_of, on_progress):
        yield Face(split, label, next(rows), pixels)
    if next(rows) == 0:
        raise DataError(f"{path} has no rows of faces: give FER2013's CSV file, which has 35,887.")


def _parser_of(header: list[str]) -> Callable[[list[str]], tuple[str, int, bytes]]:
    columns = column_numbers(header, ("emotion", "pixels", "Usage"), "give fer2013.csv or icml_face_data.csv")

    def parse(fields: list[str]) -> tuple[str, int, bytes]:
        if len(fields) <= max(columns):
            raise BadRowError(f"expected emotion, pixels and Usage, got {len(fields)} fields: download the file again.")
        emotion, pixels, usage = (fields[column].strip() for column in columns)
        if emotion not in _LABELS:
            raise BadRowError(
                f"emotion must be 0 to {len(_LABELS) - 1}, got {emotion[:20]!r}: download the file again."
            )
        if usage not in USAGES:
            raise BadRowError(f"Usage must be {', '.join(USAGES)}, got {usage[:20]!r}: download the file again.")
        return USAGES[usage], _LABELS[emotion], _parse_pixels(pixels)

    return parse


def _parse_pixels(text: str) -> bytes:
    # NumPy stops at the first character that it does not understand, so nothing else may reach it.
    if re.fullmatch("[0-9 ]+", text) is None:
        bad = next((value for value in text.split() if re.fullmatch("[0-9]+", value) is None), text)
        raise BadRowError(f"pixels must be 0 to 255, got {bad[:20]!r}: download the file again.")
    values = np.fromstring(text, np.int64, sep=" ")
    if len(values) != SIDE**2:
        raise BadRowError(f"expected {SIDE**2} pixels, got {len(values)}: download the file again.")
    if values.max() > 255:
        raise BadRowError(f"pixels must be 0 to 255, got {values.max()}: download the file again.")
    return values.astype(np.uint8).tobytes()
