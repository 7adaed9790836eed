"""Arrays that some data sets have beside images and labels, stored in the folder of the prepared dataset."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferbench.data.dataset import Dataset
from ferbench.errors import DataError


def write_extra(directory: Path, name: str, array: NDArray[Any], dataset: Dataset) -> None:
    """Store an array as `<name>.npy` with a checksum that binds it to the dataset."""
    path = directory / f"{name}.npy"
    np.save(path, array, allow_pickle=False)
    path.with_suffix(".sha256").write_text(_checksum(path, dataset) + "\n", encoding="ascii")


def read_extra(directory: Path, name: str, dataset: Dataset) -> NDArray[Any]:
    """An array that `write_extra` stored for this dataset.

    Raises:
        DataError: it is missing, damaged, or belongs to another dataset.
    """
    path = directory / f"{name}.npy"
    try:
        if path.with_suffix(".sha256").read_bytes().decode("ascii").strip() != _checksum(path, dataset):
            raise DataError(f"{path} is not as it was written: delete {directory} and prepare it again.")
        return np.asarray(np.load(path, allow_pickle=False))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: delete {directory} and prepare it again.") from error


def _checksum(path: Path, dataset: Dataset) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(dataset.fingerprint().encode())
    return digest.hexdigest()
