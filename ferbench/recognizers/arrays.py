"""What goes into a recognizer and what comes out, checked: dtypes, shapes, ranges."""

from __future__ import annotations

import numpy as np

from ferbench.errors import ContractError, DataError, ImagesError
from ferbench.types import Images, Labels, Probabilities


def check_images(images: Images) -> None:
    """Raise ImagesError unless `images` is uint8 (n, height, width) with at least one pixel an image."""
    if not isinstance(images, np.ndarray):
        raise ImagesError(f"images must be a NumPy array, uint8 (n, height, width), got {type(images).__name__}.")
    if images.dtype == np.uint8 and images.ndim == 3 and images.shape[1] and images.shape[2]:
        return
    hints = []
    if images.ndim == 4:
        hints.append("convert to gray and drop the channel axis")
    if images.ndim == 2:
        hints.append("add a first axis for a single face: images[None]")
    if images.dtype != np.uint8:
        hints.append("do not rescale, keep 0 to 255 as uint8")
    hint = f": {' and '.join(hints)}" if hints else ""
    raise ImagesError(f"images must be uint8 (n, height, width), got {images.dtype} {images.shape}{hint}.")


def check_labels(labels: Labels, *, n: int, n_classes: int) -> None:
    """Raise DataError unless `labels` is (n,) of integers in 0 to n_classes - 1."""
    labels = np.asarray(labels)
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise DataError(f"labels must be integers of shape ({n},), got {labels.dtype} {labels.shape}.")
    if n and (labels.min() < 0 or labels.max() >= n_classes):
        raise DataError(f"labels must lie in 0 to {n_classes - 1}, got {labels.min()} to {labels.max()}.")


def check_probabilities(name: str, probabilities: Probabilities, *, n: int, n_classes: int) -> Probabilities:
    """`probabilities` if they are float32 (n, n_classes) rows that sum to 1; else ContractError."""
    expected = (n, n_classes)
    if (
        not isinstance(probabilities, np.ndarray)
        or probabilities.shape != expected
        or probabilities.dtype != np.float32
    ):
        got = f"{getattr(probabilities, 'dtype', type(probabilities).__name__)} {getattr(probabilities, 'shape', '')}"
        raise ContractError(f"{name} must return float32 {expected}, got {got}.")
    if n == 1:  # Python's own numbers: a quarter of the time
        row = probabilities[0].tolist()
        smallest, least = min(row), sum(row)
        most = least
    else:
        sums = np.add.reduce(probabilities, axis=1)  # the functions behind the methods take less than they do
        least, most = np.minimum.reduce(sums, initial=1.0), np.maximum.reduce(sums, initial=1.0)
        smallest = np.minimum.reduce(probabilities, axis=None, initial=0.0)
    if not (least > 1 - 1e-3 and most < 1 + 1e-3 and smallest >= 0):
        raise ContractError(f"{name} returned rows that are not probabilities: they sum to {least} to {most}.")
    return probabilities
