"""Picture files to gray faces of one size, in any number and little memory; what cannot be read is named and left out.

What a face is called, and to which split it goes, is not known here.
"""

from __future__ import annotations

import hashlib
import stat
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ferbench.data.images import import_cv2, read_gray, resize
from ferbench.data.store import FaceStore
from ferbench.errors import ContractError, DataError
from ferbench.types import FrameImage, Images, ProgressHook

Crop: TypeAlias = Callable[[FrameImage], Images | None]
"""A face detector in front: from a BGR picture to one gray face, uint8 (height, width), or None where there is none."""

NO_FACE = "no face was found in it"
"""The reason given for a picture in which the detector found nothing."""

_PROBLEMS = "unreadable.txt"
_MAX_FILE_BYTES = 256 * 2**20
_MAX_BOX_SCALE = 4
_PICTURES_A_REPORT = 100


class Problem(NamedTuple):
    """A picture that could not be used, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """What came of a list of picture files.

    Attributes:
        images: uint8, (n_faces, height, width), mapped from disk: each file once, however often it is listed.
        rows: int64, (n_listed,): the index into `images` of each picture listed, -1 where it could not be used.
        problems: The pictures that could not be used, each once.
    """

    images: Images
    rows: NDArray[np.int64]
    problems: tuple[Problem, ...]


def read_pictures(
    paths: Sequence[str | Path],
    directory: Path,
    *,
    size: tuple[int, int] = (48, 48),
    boxes: NDArray[np.int32] | None = None,
    crop: Crop | None = None,
    on_progress: ProgressHook = lambda stage, done, total: None,
) -> Pictures:
    """Read picture files to gray faces of one size; one that cannot be read is named and left out.

    A second call with the same directory reads only what is not there yet: a picture that was read before is recognized
    by its path, size and time of change and by its box. Only one process may work in a directory at a time.

    Args:
        paths: Picture files in any number; memory grows by about 300 bytes a file.
        directory: Where the growing array is; it is made where it does not exist.
        size: Height and width of the faces.
        boxes: int32, (n, 4): x1 y1 x2 y2 of the face in each picture, padded by replication where it reaches over the
            edge; None: the whole picture.
        crop: A face detector, applied after `boxes`; None: none. A function is recognized by its name, anything else by
            its `repr`, and faces cut by another one are not used.
        on_progress: Called with pictures done and in all.

    Raises:
        DataError: the directory cannot be written, or another process changed it.
        ContractError: `crop` returned something else than a gray face or None.
    """
    rows = np.full(len(paths), -1, np.int64)
    problems: dict[Problem, None] = {}
    with FaceStore(directory, size, _identity(crop)) as store:
        for row, path in enumerate(paths):
            box = None if boxes is None else tuple(boxes[row].tolist())
            try:
                key = _key(path, box)
                if key not in store.places:
                    store.add(key, str(path), _face(path, box, crop, size))
                rows[row] = store.places[key]
            except DataError as error:
                problems[Problem(str(path), str(error).removeprefix(f"{path} ").rstrip("."))] = None
            if (row + 1) % _PICTURES_A_REPORT == 0:
                on_progress("reading pictures", row + 1, len(paths))
    on_progress("reading pictures", len(paths), len(paths))
    return Pictures(store.images(), rows, tuple(problems))


def write_problems(directory: Path, problems: Sequence[Problem]) -> None:
    """Leave the pictures that could not be used as `unreadable.txt`, `path<TAB>reason` a line; no file where none."""
    lines = "".join("\t".join(_one_line(text) for text in problem) + "\n" for problem in problems)
    if lines:
        (directory / _PROBLEMS).write_text(lines, encoding="utf-8")


def read_problems(directory: Path) -> tuple[Problem, ...]:
    """The pictures that could not be used when the dataset in `directory` was prepared."""
    try:
        text = (directory / _PROBLEMS).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ()
    return tuple(Problem(path, reason) for path, _, reason in (line.partition("\t") for line in text.split("\n")[:-1]))


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _identity(crop: Crop | None) -> str | None:
    if isinstance(crop, types.FunctionType) and "<" not in crop.__qualname__:
        return f"{crop.__module__}.{crop.__qualname__}"
    return None if crop is None else repr(crop)


def _key(path: str | Path, box: tuple[int, ...] | None) -> str:
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{path} is not a file.")
    if status.st_size > _MAX_FILE_BYTES:
        raise DataError(f"{path} is larger than {_MAX_FILE_BYTES >> 20} MB, which no photograph is.")
    identity = repr((str(Path(path).absolute()), status.st_size, status.st_mtime_ns, box))
    return hashlib.blake2b(identity.encode(errors="surrogateescape"), digest_size=12).hexdigest()


def _face(path: str | Path, box: tuple[int, ...] | None, crop: Crop | None, size: tuple[int, int]) -> Images:
    cv2 = import_cv2()
    try:
        picture = read_gray(path) if crop is None else _read_color(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except cv2.error as error:
        raise DataError(f"{path} cannot be decoded: {' '.join(str(error.err).split())}.") from error
    if box is not None:
        picture = _cut(picture, box, path)
    face = picture if crop is None else crop(picture)
    if face is None:
        raise DataError(f"{path} {NO_FACE}.")
    if not (isinstance(face, np.ndarray) and face.dtype == np.uint8 and face.ndim == 2 and face.size):
        got = f"{face.dtype} {face.shape}" if isinstance(face, np.ndarray) else type(face).__name__
        raise ContractError(f"crop must return a gray face, uint8 (height, width), or None, got {got}.")
    resized: Images = resize(face[None], size)[0]
    return resized


def _read_color(path: str | Path) -> FrameImage:
    cv2 = import_cv2()
    data = np.fromfile(path, np.uint8)
    image: FrameImage | None = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if image is None:
        raise DataError(f"{path} is not a picture that can be decoded: give a PNG, JPEG, BMP, WebP or TIFF file.")
    return image


def _cut(picture: NDArray[np.uint8], box: tuple[int, ...], path: str | Path) -> NDArray[np.uint8]:
    x1, y1, x2, y2 = box
    height, width = picture.shape[:2]
    is_outside = x1 >= min(x2, width) or y1 >= min(y2, height) or x2 <= 0 or y2 <= 0
    if is_outside or max(x2 - x1, y2 - y1) > _MAX_BOX_SCALE * max(height, width):
        raise DataError(f"{path} has {width} x {height} pixels and its face box {x1}, {y1}, {x2}, {y2} does not fit.")
    down, across = np.clip(np.arange(y1, y2), 0, height - 1), np.clip(np.arange(x1, x2), 0, width - 1)
    cut: NDArray[np.uint8] = picture[down[:, None], across]
    return cut
