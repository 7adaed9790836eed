"""Saved weights at half their size: float16 on disk, float32 once loaded. The caller measures what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ferbench.errors import DataError
from ferbench.recognizers.header import FILENAME, check_files, read_header, sha256_of


def halve_weights(directory: Path) -> None:
    """Rewrite the weights of a saved Keras recognizer as float16, and its `recognizer.json` with their new sha256.

    Args:
        directory: What `save` wrote. It is loaded as before.

    Raises:
        DataError: the folder is damaged, holds no Keras weights, or a weight is too large for float16.
    """
    header = read_header(directory)
    check_files(directory, header)
    names = [name for name in header.files if name.endswith(".weights.h5")]
    if not names:
        raise DataError(f"{directory} holds no Keras weights: only networks can be halved.")
    for name in names:
        partial = directory / f"{name}.partial"
        try:
            with h5py.File(directory / name, "r") as source, h5py.File(partial, "w") as target:
                _copy(source, target)
            partial.replace(directory / name)
        finally:
            partial.unlink(missing_ok=True)
    files = {name: sha256_of(directory / name) for name in header.files}
    text = header.model_copy(update={"files": files}).model_dump_json(indent=2)
    (directory / FILENAME).write_text(text + "\n", encoding="utf-8")


def _copy(source: Any, target: Any) -> None:
    for key, value in source.attrs.items():
        target.attrs[key] = value
    for key, item in source.items():
        if isinstance(item, h5py.Group):
            _copy(item, target.create_group(key))
            continue
        values = item[()]
        if not (np.abs(values) <= np.finfo(np.float16).max).all():
            raise DataError(f"The weights {item.name} hold values beyond float16: keep them as they are.")
        target[key] = values.astype(np.float16)
