"""A growing array of faces on disk, from which a killed process loses nothing but its last second.

Faces lie in the order in which they came: pixels in `pixels.bin`, and in `journal.jsonl` a line for each, with what
identifies its picture, a checksum of its pixels, and the picture's path for a person to read. The first line says how
the faces were made. A line counts only if its pixels are there and right; from the first that does not on, all go.
"""

from __future__ import annotations

import json
import time
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np

from ferbench.errors import DataError
from ferbench.types import Images

_SECONDS_A_FLUSH = 0.5


class FaceStore:
    """Faces of one size by the key of the picture that each came from; open it with `with`.

    Args:
        directory: Where it is; faces that were made in another way, and what is damaged, are removed from there.
        size: Height and width of the faces.
        made_by: What else than the picture a face depends on, in words; None: nothing.

    Attributes:
        places: The index of each face by its key.
    """

    def __init__(self, directory: Path, size: tuple[int, int], made_by: str | None = None) -> None:
        self.places: dict[str, int] = {}
        self._directory, self._size = directory, size
        self._n_bytes = size[0] * size[1]
        self._head = json.dumps({"format": 1, "size": size, "made_by": made_by}).encode() + b"\n"
        self._pixels_path, self._journal_path = directory / "pixels.bin", directory / "journal.jsonl"

    def __enter__(self) -> FaceStore:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._pixels, self._journal = self._pixels_path.open("a+b"), self._journal_path.open("a+b")
        self.places, end = self._sound(self._pixels, self._journal)
        self._pixels.truncate(len(self.places) * self._n_bytes)
        self._journal.truncate(end)
        if end == 0:
            self._journal.write(self._head)
        self._flush()
        return self

    def __exit__(self, *error: object) -> None:
        self._pixels.close()
        self._journal.close()

    def add(self, key: str, path: str, face: Images) -> None:
        """Append a face, uint8 (height, width); it is on disk within a second."""
        pixels = face.tobytes()
        self._pixels.write(pixels)
        self._journal.write(json.dumps([key, zlib.crc32(pixels), path]).encode() + b"\n")
        self.places[key] = len(self.places)
        if time.monotonic() - self._flushed_at > _SECONDS_A_FLUSH:
            self._flush()

    def images(self) -> Images:
        """All faces, uint8 (n, height, width), mapped from disk after a look at every checksum; close the store first.

        Raises:
            DataError: they are not what was written.
        """
        with self._pixels_path.open("rb") as pixels, self._journal_path.open("rb") as journal:
            if self._sound(pixels, journal)[0] != self.places:
                raise DataError(
                    f"{self._directory} was damaged, or changed by another process: "
                    "delete that folder and prepare again, one process at a time."
                )
        if not self.places:
            return np.empty((0, *self._size), np.uint8)
        return np.asarray(np.memmap(self._pixels_path, np.uint8, "r", shape=(len(self.places), *self._size)))

    def _flush(self) -> None:
        self._pixels.flush()
        self._journal.flush()
        self._flushed_at = time.monotonic()

    def _sound(self, pixels: IO[bytes], journal: IO[bytes]) -> tuple[dict[str, int], int]:
        """The faces before the first whose line or pixels are torn, and the end of their lines in bytes."""
        pixels.seek(0)
        journal.seek(0)
        places: dict[str, int] = {}
        if journal.readline() != self._head:
            return places, 0
        end = len(self._head)
        for line in journal:
            key, checksum = _parsed(line)
            face = pixels.read(self._n_bytes)
            if key is None or key in places or len(face) < self._n_bytes or zlib.crc32(face) != checksum:
                break
            places[key] = len(places)
            end += len(line)
        return places, end


def _parsed(line: bytes) -> tuple[str | None, Any]:
    try:
        key, checksum, _ = json.loads(line) if line.endswith(b"\n") else (None, None, None)
    except (ValueError, TypeError, RecursionError):
        return None, None
    return (key, checksum) if isinstance(key, str) else (None, None)
