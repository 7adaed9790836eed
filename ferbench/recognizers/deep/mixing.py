"""Making one training image out of two, and one target out of theirs. NumPy alone."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ferbench.recognizers.deep.recipe import Training


class Batch(NamedTuple):
    """What one training step sees.

    Attributes:
        images: (n, height, width, 1), 0 to 255.
        targets: (n, n_classes).
        weights: (n,).
    """

    images: NDArray[Any]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


def mix(batch: Batch, settings: Training, rng: np.random.Generator) -> Batch:
    """The batch by mixup or CutMix, whichever the recipe names or, where it names both, a coin; else as it is."""
    if settings.mixup and (not settings.cutmix or rng.random() < 0.5):
        return mixup(batch, settings.mixup, rng)
    return cutmix(batch, settings.cutmix, rng) if settings.cutmix else batch


def mixup(batch: Batch, alpha: float, rng: np.random.Generator) -> Batch:
    """Blend each image with another of the batch (Zhang et al., ICLR 2018, arXiv:1710.09412).

    Args:
        batch: What is mixed.
        alpha: The share that an image keeps is drawn from Beta(alpha, alpha), once a batch.
        rng: Draws the share and the pairs.
    """
    share = rng.beta(alpha, alpha)
    partners = rng.permutation(len(batch.images))
    return Batch(*(_blend(values, partners, share) for values in batch))


def cutmix(batch: Batch, alpha: float, rng: np.random.Generator) -> Batch:
    """Paste a rectangle of another image of the batch (Yun et al., ICCV 2019, arXiv:1905.04899).

    Targets are blended by area.

    Args:
        batch: What is mixed.
        alpha: The share of the area that an image keeps is drawn from Beta(alpha, alpha), once a batch; the rectangle
            is cut off at the border, and then the image keeps more.
        rng: Draws the share, the place and the pairs.
    """
    height, width = batch.images.shape[1:3]
    side = np.sqrt(1.0 - rng.beta(alpha, alpha))
    rows, columns = _span(height, side, rng), _span(width, side, rng)
    partners = rng.permutation(len(batch.images))
    images = batch.images.astype(np.float32)
    images[:, rows, columns] = batch.images[partners][:, rows, columns]
    pasted = (rows.stop - rows.start) * (columns.stop - columns.start) / (height * width)
    targets, weights = (_blend(values, partners, 1.0 - pasted) for values in batch[1:])
    return Batch(images, targets, weights)


def _blend(values: NDArray[Any], partners: NDArray[np.int64], share: float) -> NDArray[np.float32]:
    kept = np.float32(share)
    return kept * values.astype(np.float32) + (1 - kept) * values[partners].astype(np.float32)


def _span(length: int, share: float, rng: np.random.Generator) -> slice:
    size, center = round(length * share), rng.integers(length)
    start = center - size // 2
    return slice(max(start, 0), min(start + size, length))
