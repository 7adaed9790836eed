"""Arrays that an interrupted fit leaves behind, each under a hash of all it was computed from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]

_CODE = Path(__file__).parent


class FeatureCache:
    """Computes arrays once for the same data, code and parameters, and reads them from `directory` after that.

    Arrays of other data or parameters have another name and are never seen; a damaged file (each carries checksums) is
    computed and written again. Those that other code of this package computed are not seen either.

    Args:
        directory: Where the files lie, created when the first is written. None: nothing is kept.
        identity: What, beside data and code, decides about the values: names, versions, parameters.
    """

    def __init__(self, directory: Path | None, *identity: Any) -> None:
        self._directory = directory
        self._identity = repr((*identity, digest_of_code(_CODE))).encode() if directory else b""

    def get(self, name: str, data: Iterable[NDArray[Any]], compute: Callable[[], Arrays]) -> Arrays:
        """The arrays that `compute` makes of `data`: from the cache if they are there and whole, else kept there."""
        if self._directory is None:
            return compute()
        path = self._directory / f"{name}-{self._key(data)}.npz"
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                return {key: kept[key] for key in kept.files}
        except Exception:  # zipfile and NumPy have no common error for a damaged file
            arrays = compute()
        self._directory.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npz")
        np.savez(partial, **arrays)  # type: ignore[arg-type]
        partial.replace(path)
        return arrays

    def _key(self, data: Iterable[NDArray[Any]]) -> str:
        digest = hashlib.sha256(self._identity)
        for array in data:
            digest.update(repr((array.shape, array.dtype.str)).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()[:32]


@cache
def digest_of_code(directory: Path) -> str:
    """One sha256 of the Python files in `directory`, which are read once a process."""
    digest = hashlib.sha256()
    for path in sorted(directory.glob("*.py")):
        digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
