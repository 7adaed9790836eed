"""Saved weights at half their size, float16 on disk and float32 once loaded, and what that costs on labelled faces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ferbench import registry
from ferbench.errors import DataError
from ferbench.recognizers.header import FILENAME, check_files, read_header, sha256_of
from ferbench.types import Images, Labels

MAX_ACCURACY_CHANGE = 0.001
"""Share of faces by which accuracy may move, up or down."""

MAX_CHANGED_LABELS = 0.005
"""Share of faces whose most probable class may change."""


@dataclass(frozen=True, slots=True)
class HalvingCost:
    """What float16 changes, on `n` faces.

    Attributes:
        n: Faces compared.
        n_changed: Faces whose most probable class is another one.
        n_right: Faces named rightly with float32 weights.
        n_right_halved: Faces named rightly with float16 weights.
    """

    n: int
    n_changed: int
    n_right: int
    n_right_halved: int

    @property
    def is_small(self) -> bool:
        """Whether accuracy and labels stay within `MAX_ACCURACY_CHANGE` and `MAX_CHANGED_LABELS`."""
        moved = abs(self.n_right_halved - self.n_right)
        return moved <= MAX_ACCURACY_CHANGE * self.n and self.n_changed <= MAX_CHANGED_LABELS * self.n

    def __str__(self) -> str:
        return (
            f"validation accuracy {100 * self.n_right / self.n:.2f} % becomes "
            f"{100 * self.n_right_halved / self.n:.2f} %, {self.n_changed:,} of {self.n:,} labels change"
        )


def halving_cost(whole: Path, halved: Path, images: Images, labels: Labels) -> HalvingCost:
    """Compare a saved recognizer with its halved copy.

    Args:
        whole: Its folder.
        halved: The folder of the copy.
        images: uint8, (n, height, width), n at least 1: validation faces.
        labels: (n,).
    """
    before, after = (registry.load(directory).predict(images).label_ids for directory in (whole, halved))
    return HalvingCost(
        n=len(images),
        n_changed=int((before != after).sum()),
        n_right=int((before == labels).sum()),
        n_right_halved=int((after == labels).sum()),
    )


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
