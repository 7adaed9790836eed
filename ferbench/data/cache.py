"""Prepared datasets on disk: plain NumPy arrays and one JSON file, mapped into memory and verified when opened.

A folder is complete or not there: it is written under another name and renamed. Nothing in it is ever executed.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from ferbench.data.dataset import Dataset, Split
from ferbench.errors import DataError, DatasetMissingError

FORMAT: Literal[1] = 1
_HEADER = "dataset.json"
_ARRAYS = ("images", "labels", "rows", "groups")


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    size_bytes: int


class _Header(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1]
    name: str
    classes: tuple[str, ...]
    is_synthetic: bool
    fingerprint: str
    counts: dict[str, dict[str, int]]
    files: dict[str, _File]


def write_cache(dataset: Dataset, directory: Path) -> None:
    """Store a dataset in `directory`; an older one there is replaced only once the new one is complete.

    Raises:
        DataError: the folder cannot be written.
    """
    directory = Path(directory)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
        try:
            _write(dataset, partial / "new")
            if directory.exists():
                directory.rename(partial / "old")
            (partial / "new").rename(directory)
        finally:
            if not directory.exists() and (partial / "old").exists():
                (partial / "old").rename(directory)
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise DataError(
            f"{directory} cannot be written ({error.strerror}): "
            "free space there, or set FERBENCH_DATA to another folder."
        ) from error


def _write(dataset: Dataset, directory: Path) -> None:
    directory.mkdir()
    card = dataset.card()
    files = {}
    for name, split in dataset.splits():
        for kind in (*_ARRAYS, "votes"):
            array = getattr(split, kind)
            if array is not None:
                path = directory / f"{name}_{kind}.npy"
                np.save(path, array, allow_pickle=False)
                files[path.name] = _File(sha256=_sha256(path), size_bytes=path.stat().st_size)
    header = _Header(
        format=FORMAT,
        name=card.name,
        classes=card.classes,
        is_synthetic=card.is_synthetic,
        fingerprint=card.fingerprint,
        counts=card.counts,
        files=files,
    )
    (directory / _HEADER).write_text(header.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_cache(directory: Path) -> Dataset:
    """Open a stored dataset: its images stay on disk, mapped read-only, and come into memory as they are used.

    Every array is read through once and compared with what was recorded when it was written.

    Raises:
        DatasetMissingError: there is nothing.
        DataError: it is damaged, was altered, or another version of ferbench wrote it.
    """
    directory = Path(directory)
    try:
        text = (directory / _HEADER).read_text(encoding="utf-8")
    except FileNotFoundError:
        if directory.exists():
            raise _refused(directory, f"{_HEADER} is missing") from None
        raise DatasetMissingError(f"There is no dataset in {directory}: prepare it first.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(directory, f"{_HEADER} cannot be read") from error
    try:
        header = _Header.model_validate_json(text)
    except ValidationError as error:
        raise _refused(directory, f"{_HEADER} is damaged or of another version of ferbench") from error
    try:
        splits = {name: _read_split(directory, name, header.files) for name in ("train", "validation", "test")}
        dataset = Dataset(name=header.name, classes=header.classes, is_synthetic=header.is_synthetic, **splits)
    except (OSError, ValueError, EOFError) as error:
        raise _refused(directory, str(error).rstrip(".")) from error
    if dataset.fingerprint() != header.fingerprint:
        raise _refused(directory, "its images or labels are not the recorded ones")
    return dataset


def _read_split(directory: Path, name: str, files: dict[str, _File]) -> Split:
    arrays: dict[str, Any] = {}
    for kind in (*_ARRAYS, "votes"):
        path = directory / f"{name}_{kind}.npy"
        if path.name not in files and kind == "votes":
            continue
        if path.name not in files or not path.is_file():
            raise DataError(f"{path.name} is missing")
        recorded = files[path.name]
        if path.stat().st_size != recorded.size_bytes:
            raise DataError(f"{path.name} has {path.stat().st_size} bytes, expected {recorded.size_bytes}")
        # Images, labels and votes are covered by the fingerprint of the arrays.
        if kind in ("rows", "groups") and _sha256(path) != recorded.sha256:
            raise DataError(f"{path.name} is not as it was written")
        arrays[kind] = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    return Split(**arrays)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refused(directory: Path, reason: str) -> DataError:
    return DataError(
        f"The prepared dataset in {directory} cannot be used: {reason}. Delete that folder and prepare it again."
    )
