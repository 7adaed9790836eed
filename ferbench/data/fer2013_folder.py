"""FER2013 as folders of pictures: a folder a class, and file names that tell the official split.

In the copies that Kaggle users share, `train/angry/Training_3908.jpg` lies beside `test/angry/PublicTest_9.jpg` and
`test/angry/PrivateTest_7.jpg`: the two tests are merged into one folder and only the names tell them apart. So the
names decide, and the folders above the class do not matter. The numbers in these names are not the rows of Kaggle's
CSV file; in what `ferbench data export` writes they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ferbench.data.archives import PICTURES
from ferbench.data.emotions import emotion_named
from ferbench.data.fer2013_csv import FER2013_CSV, SIDE, USAGES, Face
from ferbench.data.images import read_gray
from ferbench.errors import DataError, UnknownNameError
from ferbench.types import EMOTIONS, ProgressHook

_NAME = re.compile("(Training|PublicTest|PrivateTest)_([0-9]{1,18})", re.IGNORECASE)
_ORDER = {usage.lower(): number for number, usage in enumerate(USAGES)}
_SPLITS = tuple(USAGES.values())
_PICTURES_A_REPORT = 500
_N_SHOWN = 3


class _Picture(NamedTuple):
    """Where a picture belongs; pictures sort by split, number, then class."""

    split: int
    row: int
    label: int
    path: Path


def read_folder_faces(path: Path, on_progress: ProgressHook) -> Iterator[Face]:
    """The faces under a folder, split by split, in the order of the numbers in their file names.

    Args:
        path: The folder, with class folders at any depth; files that are no pictures and hidden ones are passed over.
        on_progress: Called as work goes on, with pictures read and in all.

    Raises:
        DataError: there are no pictures, a name does not tell the split, a folder is no class, or pictures cannot be
            decoded or are not 48 x 48 pixels.
    """
    pictures = sorted(_place(path))
    stage, faults = f"reading {path.name}", []
    for number, picture in enumerate(pictures, start=1):
        try:
            face = _read_face(picture)
        except DataError as error:
            faults.append(str(error))
        else:
            if not faults:  # what follows a fault is only looked at, to name all that is wrong at once
                yield face
        if number % _PICTURES_A_REPORT == 0:
            on_progress(stage, number, len(pictures))
    if faults:
        shown = " ".join(faults[:_N_SHOWN]) + (" ..." if len(faults) > _N_SHOWN else "")
        raise DataError(f"{len(faults):,} of {len(pictures):,} pictures in {path} cannot be used: {shown}")
    on_progress(stage, len(pictures), len(pictures))


def _read_face(picture: _Picture) -> Face:
    image = read_gray(picture.path)
    if image.shape != (SIDE, SIDE):
        height, width = image.shape
        raise DataError(
            f"{picture.path} has {height} x {width} pixels, expected {SIDE} x {SIDE}: "
            "take a copy of FER2013 that was not resized."
        )
    return Face(_SPLITS[picture.split], picture.label, picture.row, image.tobytes())


def _place(path: Path) -> list[_Picture]:
    files = [file for file in path.rglob("*") if file.suffix.lower() in PICTURES and _is_shown(file, path)]
    if not files:
        raise DataError(
            f"{path} is a folder with neither {' nor '.join(FER2013_CSV.names)} nor pictures in it: "
            f"give {FER2013_CSV.title}, or the folder that holds train and test."
        )
    names = {file: match for file in files if (match := _NAME.fullmatch(file.stem))}
    if len(names) < len(files):
        lost = min(file.relative_to(path) for file in files if file not in names)
        raise DataError(
            f"{len(files) - len(names):,} of {len(files):,} pictures in {path} ({lost} for one) do not tell their "
            "official split, as names like Training_1.jpg, PublicTest_1.jpg and PrivateTest_1.jpg do, and without it "
            f"no score is an official one: give a copy with these names or {FER2013_CSV.title}, or prepare this one "
            "as data of your own: python -m ferbench data prepare folder PATH"
        )
    labels = {folder: _label_of(folder) for folder in {file.parent for file in files}}
    return [
        _Picture(_ORDER[match[1].lower()], int(match[2]), labels[file.parent], file) for file, match in names.items()
    ]


def _is_shown(file: Path, path: Path) -> bool:
    parts = file.relative_to(path).parts
    return file.is_file() and not any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _label_of(folder: Path) -> int:
    try:
        emotion = emotion_named(folder.name)
    except UnknownNameError as error:
        raise DataError(f"{folder} is no class folder: {str(error)[0].lower()}{str(error)[1:]}") from None
    if emotion not in EMOTIONS:
        raise DataError(f"{folder} is no class of FER2013, which has {', '.join(EMOTIONS)}: remove or rename it.")
    return EMOTIONS.index(emotion)
