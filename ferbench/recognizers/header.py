"""`recognizer.json`: what a saved recognizer says of itself, read and checked before anything else of it is opened."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ferbench.errors import DataError
from ferbench.validation import explain

FILENAME = "recognizer.json"


class Header(BaseModel):
    """Name, parameters and classes of a saved recognizer, and the sha256 of every file beside it.

    `temperature` divides the logarithms of what it answers; None: nothing does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    name: str
    params: dict[str, Any]
    classes: tuple[str, ...] = Field(min_length=1)
    image_size: tuple[int, int]
    versions: dict[str, str]
    files: dict[str, str] = Field(min_length=1)
    temperature: float | None = Field(None, gt=0, allow_inf_nan=False)


def read_header(directory: Path) -> Header:
    """What `recognizer.json` in `directory` says.

    Raises:
        DataError: it is missing, or not what `Recognizer.save` writes.
    """
    path = directory / FILENAME
    try:
        return Header.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise DataError(f"{path} is damaged or of another version: {explain(error, Header)}") from error


def check_files(directory: Path, header: Header) -> None:
    """Raise DataError unless every listed file lies in `directory` with the recorded sha256."""
    for filename, expected in header.files.items():
        path = directory / filename
        if path.parent != directory or not path.is_file():
            raise DataError(
                f"{directory} lacks the file {filename} that its {FILENAME} lists: restore it or train again."
            )
        if sha256_of(path) != expected:
            raise DataError(
                f"{path} is damaged or was altered: its sha256 is not the recorded one. Restore it or train again."
            )


def check_target(target: Path, source: Path) -> None:
    """Raise DataError unless `target` may be replaced by what is made of the recognizer saved in `source`.

    It may be a folder that does not exist, that is empty, or that holds a saved recognizer; not `source`, nor a folder
    that it lies in, nor one inside it.
    """
    place, origin = target.resolve(), source.resolve()
    if place.is_relative_to(origin) or origin.is_relative_to(place):
        raise DataError(f"{target} and {source}, which is read, overlap: choose a folder apart from it.")
    if not target.exists() or (target / FILENAME).is_file():
        return
    if not target.is_dir() or any(target.iterdir()):
        raise DataError(f"{target} holds something other than a saved recognizer and stays: choose a new folder.")


def sha256_of(path: Path) -> str:
    """The sha256 of a file, as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
