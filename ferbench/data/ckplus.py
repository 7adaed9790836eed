"""CK+ (Lucey et al., CVPR Workshops 2010): posed expressions of 123 people, filmed from neutral to the peak.

Three layouts go around: the original sequences, folders by class cut from them to 48 x 48 pixels, and a CSV copy that
has lost who the people are. The pictures are for research on request and not ours to give away.

Labels are `ferplus8`, the seven emotions and contempt. The folders have no neutral faces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ferbench.data.archives import BadRowError, Table, column_numbers, read_table
from ferbench.data.cache import write_cache
from ferbench.data.dataset import Dataset, Split, data_home, duplicate_groups
from ferbench.data.emotions import LABEL_SETS, emotion_named
from ferbench.data.listing import TEST, TRAIN, VALIDATION, Listing, load_prepared, prepare_listing
from ferbench.data.pictures import Crop
from ferbench.errors import ConfigError, DataError, UnknownNameError
from ferbench.types import ProgressHook

_CLASSES = LABEL_SETS["ferplus8"]
_CODES = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
_USAGES = {"Training": TRAIN, "PublicTest": VALIDATION, "PrivateTest": TEST}
_SIDE = 48
_FRAME = re.compile(r"S([0-9]{3})_([0-9]{3})_([0-9]{8})\.png", re.IGNORECASE)
_PEAK_FRAMES = 3
_MARGIN = 0.15
_CSV = Table("CK+'s CSV copy", ("ckextended.csv",))
_HOW_TO_GET = (
    "CK+ is not on this machine: ask its authors for it (http://www.pitt.edu/~emotion/ck-spread.htm, for research "
    "only), unpack it, then run: python -m ferbench data prepare ckplus PATH"
)


def load_ckplus(*, fold: int = 0, n_folds: int = 10) -> Dataset:
    """CK+ with the people of one fold for the test, of the next for validation, and of the others for training.

    People are dealt out in the order of their numbers, the i-th to fold i mod `n_folds`, as is usual for CK+; nothing
    is random, so a fold is the same everywhere. `groups` are the people.

    Args:
        fold: Which fold is tested, from 0.
        n_folds: How many folds there are, from 3 to the number of people.

    Raises:
        ConfigError: there are not so many folds.
        DatasetMissingError: CK+ has not been prepared from a layout that names people; the message says how.
        DataError: what was prepared is damaged.
    """
    how = _HOW_TO_GET
    if (data_home() / "datasets" / "ckplus_csv").exists():
        how = f"The CSV copy names no people, so no split of it is independent of them: load ckplus_csv, or note: {how}"
    faces = load_prepared("ckplus", _CLASSES, how).train
    people, number = np.unique(faces.groups, return_inverse=True)
    if not (3 <= n_folds <= len(people) and 0 <= fold < n_folds):
        raise ConfigError(
            f"CK+ here has {len(people)} people: n_folds must be 3 to {len(people)} and fold 0 to n_folds - 1, "
            f"got {n_folds} and {fold}."
        )
    fold_of_face = number % n_folds
    is_test, is_validation = fold_of_face == fold, fold_of_face == (fold + 1) % n_folds
    return Dataset(
        name="ckplus",
        classes=_CLASSES,
        train=faces.take(~is_test & ~is_validation),
        validation=faces.take(is_validation),
        test=faces.take(is_test),
    )


def load_ckplus_csv() -> Dataset:
    """CK+'s CSV copy in its own splits, in which people recur: its scores say nothing of people never seen.

    Raises:
        DatasetMissingError: it has not been prepared; the message says how.
        DataError: what was prepared is damaged.
    """
    return load_prepared("ckplus_csv", _CLASSES, _HOW_TO_GET.replace("ckplus PATH", "ckplus ckextended.csv"))


def prepare_ckplus(
    path: str | Path,
    *,
    crop: Crop | None = None,
    on_progress: ProgressHook = lambda stage, done, total: None,
) -> Path:
    """Read CK+ once, in whichever layout it comes, to gray faces of 48 x 48 pixels.

    Of an original sequence with an emotion the last three frames show it and the first is neutral; sequences without
    one are dropped. Faces are cut by the landmarks where `Landmarks/` is there.

    Args:
        path: The folder with `cohn-kanade-images/` and `Emotion/`; or the folder with `anger/`, `contempt/` and so on;
            or ckextended.csv.
        crop: A face detector for original frames without landmarks; None: such frames are used as a whole.
        on_progress: Called as work goes on.

    Returns:
        The folder of the prepared dataset, under `data_home()`: `ckplus`, or `ckplus_csv` of the CSV copy.

    Raises:
        DataError: the layout is another one, or a file's name or content is malformed.
    """
    path = Path(path)
    if path.is_file():
        return _prepare_csv(path, on_progress)
    is_original = (path / "cohn-kanade-images").is_dir()
    faces = list(_sequence_faces(path) if is_original else _folder_faces(path))
    if not faces:
        raise DataError(
            f"{path} holds no labelled pictures of CK+: give a folder in one of its layouts, or its CSV copy."
        )
    has_boxes = any(face.box for face in faces)
    listing = Listing(
        paths=[face.path for face in faces],
        labels=np.array([_CLASSES.index(face.emotion) for face in faces], np.int64),
        parts=np.full(len(faces), TRAIN, np.int64),
        groups=np.array([face.person for face in faces], np.int64),
        boxes=np.array([face.box or (0, 0, 0, 0) for face in faces], np.int32) if has_boxes else None,
    )
    return prepare_listing(
        "ckplus", _CLASSES, listing, crop=None if has_boxes or not is_original else crop, on_progress=on_progress
    )


class _Face(NamedTuple):
    path: Path
    person: int
    emotion: str
    box: tuple[int, ...] | None = None


def _folder_faces(path: Path) -> Iterator[_Face]:
    for folder in sorted(entry for entry in _entries(path) if entry.is_dir()):
        try:
            emotion = emotion_named(folder.name)
        except UnknownNameError as error:
            raise DataError(f"{folder} is not a class of CK+: {error}") from error
        for file in _entries(folder):
            yield _Face(file, _person(file), emotion)


def _sequence_faces(path: Path) -> Iterator[_Face]:
    emotions = path / "Emotion"
    if not emotions.is_dir():
        raise DataError(f"{emotions} does not exist: unpack Emotion_labels.zip beside cohn-kanade-images.")
    has_landmarks = (path / "Landmarks").is_dir()
    for file in sorted(emotions.glob("S*/*/*_emotion.txt")):
        emotion = _emotion_in(file)
        sequence = Path(file.parent.parent.name, file.parent.name)
        frames = [frame for frame in _entries(path / "cohn-kanade-images" / sequence) if frame.suffix.lower() == ".png"]
        if len(frames) < 2:
            raise DataError(f"{path / 'cohn-kanade-images' / sequence} has {len(frames)} frames: unpack CK+ again.")
        for frame, name in [(frames[0], "neutral"), *((peak, emotion) for peak in frames[1:][-_PEAK_FRAMES:])]:
            landmarks = path / "Landmarks" / sequence / f"{frame.stem}_landmarks.txt"
            yield _Face(frame, _person(frame), name, _box(landmarks) if has_landmarks else None)


def _entries(path: Path) -> list[Path]:
    try:
        return sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read ({getattr(error, 'strerror', None) or error}): give CK+'s folder or its CSV copy."
        ) from error


def _person(file: Path) -> int:
    match = _FRAME.fullmatch(file.name)
    if match is None:
        raise DataError(f"{file} must be named like S010_004_00000017.png, which tells the person: use such a copy.")
    return int(match[1])


def _numbers(file: Path) -> list[float]:
    try:
        numbers = [float(word) for word in file.read_text(encoding="ascii").split()]
    except (OSError, ValueError) as error:
        raise DataError(f"{file} cannot be read as numbers ({error}): unpack CK+ again.") from error
    if not np.isfinite(numbers).all():
        raise DataError(f"{file} holds numbers that are not finite: unpack CK+ again.")
    return numbers


def _emotion_in(file: Path) -> str:
    numbers = _numbers(file)
    if len(numbers) != 1 or numbers[0] not in range(len(_CODES)):
        raise DataError(f"{file} must hold one number from 0 to {len(_CODES) - 1}: unpack Emotion_labels.zip again.")
    return _CODES[int(numbers[0])]


def _box(file: Path) -> tuple[int, ...]:
    """A square around the landmarks with a margin: x1, y1, x2, y2."""
    points = np.array(_numbers(file))
    if points.size != 2 * 68 or np.abs(points).max() > 10_000:
        raise DataError(
            f"{file} must hold 68 points x y in pixels, got {points.size} numbers: unpack Landmarks.zip again."
        )
    low, high = points.reshape(-1, 2).min(axis=0), points.reshape(-1, 2).max(axis=0)
    half = (high - low).max() * (0.5 + _MARGIN)
    center = (low + high) / 2
    return tuple(int(value) for value in np.rint([*(center - half), *(center + half)]))


def _prepare_csv(path: Path, on_progress: ProgressHook) -> Path:
    rows = list(read_table(path, _CSV, _csv_parser, on_progress))
    if not rows:
        raise DataError(f"{path} has no rows of faces: give ckextended.csv, which has 920.")
    images = np.frombuffer(b"".join(pixels for _, _, pixels in rows), np.uint8).reshape(-1, _SIDE, _SIDE)
    everything = Split(
        images, np.array([label for _, label, _ in rows], np.int64), np.arange(len(rows)), duplicate_groups(images)
    )
    part = np.array([usage for usage, _, _ in rows], np.int64)
    train, validation, test = (everything.take(part == wanted) for wanted in (TRAIN, VALIDATION, TEST))
    directory = data_home() / "datasets" / "ckplus_csv"
    write_cache(Dataset("ckplus_csv", _CLASSES, train, validation, test), directory)
    return directory


def _csv_parser(header: list[str]) -> Callable[[list[str]], tuple[int, int, bytes]]:
    columns = column_numbers(header, ("emotion", "pixels", "Usage"), "give ckextended.csv")

    def parse(fields: list[str]) -> tuple[int, int, bytes]:
        if len(fields) <= max(columns):
            raise BadRowError(f"expected emotion, pixels and Usage, got {len(fields)} fields: download the file again.")
        emotion, pixels, usage = (fields[column].strip() for column in columns)
        if emotion not in list("01234567"):
            raise BadRowError(f"emotion must be 0 to 7, got {emotion[:20]!r}: download the file again.")
        if usage not in _USAGES:
            raise BadRowError(f"Usage must be {', '.join(_USAGES)}, got {usage[:20]!r}: download the file again.")
        return _USAGES[usage], int(emotion), _pixels(pixels)

    return parse


def _pixels(text: str) -> bytes:
    values = text.split()
    if len(values) != _SIDE**2 or not all(re.fullmatch("[0-9]{1,3}", value) and int(value) < 256 for value in values):
        raise BadRowError(f"expected {_SIDE**2} pixels from 0 to 255: download the file again.")
    return bytes(map(int, values))
