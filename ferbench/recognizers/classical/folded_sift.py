"""A face's SIFT descriptors as points of half a face. It knows patches and places, no codebook and no recognizer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from ferbench.recognizers.classical.dense_sift import dense_sift, mirror_patches, patch_centers, sift_grids
from ferbench.types import Images, ProgressHook

_SAMPLE_IMAGES = 1500
_OVERLAP = 1.35  # strips are this much taller than if they only touched


class FoldedGrid(NamedTuple):
    """How the patches of one grid become points: indices into its patches, and where they come among the points."""

    left: NDArray[np.intp]
    left_ranks: NDArray[np.intp]
    right: NDArray[np.intp]
    right_ranks: NDArray[np.intp]


class FoldedPatches(NamedTuple):
    """How the patches of a face become points of half a face, sorted from top to bottom.

    The face is folded along its vertical middle: a patch of its right half counts as a patch of the left half, seen in
    a mirror. A linear classifier of mirrored training images can only use what is the same in the mirror; folding
    leaves it that, with half the vectors, and where they are pooled by place, of half the length.
    """

    left: NDArray[np.intp]
    """Patches of the left half, as indices into `dense_sift`'s."""
    right: NDArray[np.intp]
    """Patches of the right half. Those in the middle belong to both."""
    ranks: NDArray[np.intp]
    """Where the patches of left, and then those of right, come among the points."""
    places: NDArray[np.float32]
    """Row and column of each point, (points, 2), -0.5 to 0.5 and -0.5 to 0."""
    grids: tuple[FoldedGrid, ...]
    """The same of each grid."""

    def strips(self, n: int) -> tuple[slice, ...]:
        """The points of the whole half face, and of `n` overlapping horizontal strips of it."""
        tall = min(1.0, _OVERLAP / n) if n else 1.0
        regions = [slice(0, len(self.places))]
        for start in np.linspace(-0.5, 0.5 - tall, n):
            first, last = np.searchsorted(self.places[:, 0], [start - 1e-6, start + tall + 1e-6])
            regions.append(slice(int(first), int(last)))
        return tuple(regions)


@cache
def fold(height: int, width: int, cells: tuple[float, ...], step: float) -> FoldedPatches:
    """Fold the grids that `dense_sift` lays over images of this size."""
    centers = patch_centers(height, width, cells=cells, step=step)
    left = np.flatnonzero(centers[:, 1] < 0.5 + 1e-6)
    right = np.flatnonzero(centers[:, 1] > 0.5 - 1e-6)
    folded = np.concatenate([centers[left], np.abs(centers[right] - [0, 1])])
    order = np.argsort(folded[:, 0], kind="stable")
    places = (folded[order] - 0.5).astype(np.float32)
    ranks = np.argsort(order)
    grids, start = [], 0
    for cell in cells:
        stop = start + len(patch_centers(height, width, cells=(cell,), step=step))
        ours, theirs = (np.flatnonzero((start <= half) & (half < stop)) for half in (left, right))
        grids.append(FoldedGrid(left[ours] - start, ranks[ours], right[theirs] - start, ranks[len(left) + theirs]))
        start = stop
    return FoldedPatches(left, right, ranks, places, tuple(grids))


class Projection(NamedTuple):
    """Principal components of descriptors."""

    mean: NDArray[np.float32]
    """(128,)."""
    basis: NDArray[np.float32]
    """(128, values)."""


def folded_sift(
    images: Images, *, cells: Sequence[float], step: float, projection: Projection, placed: bool = False
) -> tuple[NDArray[np.float32], FoldedPatches]:
    """RootSIFT descriptors of folded faces, projected; `placed`: with each point's row and column behind.

    Returns:
        float32, (n, points, values), or two values more, and the points' layout.
    """
    layout = fold(*images.shape[1:], tuple(cells), step)
    mean, basis = projection
    n_values = basis.shape[1]
    origin = mean @ basis
    # Reading a patch in the mirror and then projecting it is projecting it on a mirrored basis.
    mirrored = mirror_patches(basis.T).T
    points = np.empty((len(images), len(layout.places), n_values + 2 * placed), np.float32)
    for grid, patches in zip(layout.grids, sift_grids(images, cells=cells, step=step), strict=True):
        points[:, grid.left_ranks, :n_values] = patches.take(grid.left, axis=1) @ basis - origin
        points[:, grid.right_ranks, :n_values] = patches.take(grid.right, axis=1) @ mirrored - origin
    points[..., n_values:] = layout.places[:, : 2 * placed]
    return points, layout


def learn_projection(
    images: Images,
    *,
    cells: Sequence[float],
    step: float,
    values: int,
    n_patches: int,
    random: np.random.Generator,
    on_progress: ProgressHook,
) -> tuple[Projection, NDArray[np.float32], NDArray[np.float32]]:
    """Principal components of a sample of folded patches.

    Args:
        images: Those to sample from.
        cells: As for `dense_sift`.
        step: As for `dense_sift`.
        values: Number of components, at most 128.
        n_patches: Wanted in the sample; about as many from each of at most 1,500 images.
        random: Chooses images and patches.
        on_progress: Receives progress.

    Returns:
        The projection, the sample projected, (n_patches or a few more, values), and its places, (same, 2).
    """
    layout = fold(*images.shape[1:], tuple(cells), step)
    chosen = images[random.permutation(len(images))[:_SAMPLE_IMAGES]]
    n_each = -(-n_patches // len(chosen))
    samples, places = [], []
    for index, image in enumerate(chosen):
        if index % 100 == 0:
            on_progress("patches", index, len(chosen))
        patches = dense_sift(image[None], cells=cells, step=step)[0]
        rows = random.permutation(len(layout.ranks))[:n_each]
        n_left = len(layout.left)
        samples.append(patches[layout.left[rows[rows < n_left]]])
        samples.append(mirror_patches(patches[layout.right[rows[rows >= n_left] - n_left]]))
        ordered = np.concatenate([rows[rows < n_left], rows[rows >= n_left]])
        places.append(layout.places[layout.ranks[ordered]])
    on_progress("patches", len(chosen), len(chosen))
    sample = np.concatenate(samples)
    pca = PCA(values, svd_solver="covariance_eigh").fit(sample)
    projection = Projection(pca.mean_.astype(np.float32), pca.components_.T.astype(np.float32))
    return projection, pca.transform(sample).astype(np.float32), np.concatenate(places)
