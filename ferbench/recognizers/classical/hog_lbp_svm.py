"""Linear SVM on gradients and texture together: Wang, Han, Yan, "An HOG-LBP human detector", ICCV 2009."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferbench.recognizers.classical.feature_svm import FeatureSvm
from ferbench.recognizers.classical.hog import hog
from ferbench.recognizers.classical.lbp import lbp
from ferbench.types import Images


class HogLbpSvm(FeatureSvm):
    """Edges at several scales beside texture at several radii, then a linear SVM.

    Features are the mean over a face and its mirror image: what a linear SVM of mirrored training images would find,
    with half the rows. A face and its mirror image get the same answer.

    Args:
        orientations: Signed orientation bins of HOG.
        cells: Sides of HOG's cells in pixels, even numbers, a descriptor each.
        radii: Of the LBP circles, in pixels.
        grid: Rows and columns of LBP's cells.
        c: Weights of the loss to choose from.
        seed: Not used: nothing is random.
    """

    name = "hog_lbp_svm"

    def __init__(
        self,
        *,
        orientations: int = 18,
        cells: tuple[int, ...] = (6, 8, 12),
        radii: tuple[float, ...] = (1.0, 2.0),
        grid: int = 6,
        c: tuple[float, ...] = (0.003, 0.01, 0.03),
        seed: int = 0,
    ) -> None:
        self.orientations = orientations
        self.cells = cells
        self.radii = radii
        self.grid = grid
        self.c = c
        self.seed = seed

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """One scale, one radius and one c."""
        return {"orientations": 4, "cells": [8], "radii": [1.0], "grid": 2, "c": [0.1]}

    def _features(self, images: Images) -> NDArray[np.float32]:
        return symmetric_hog_lbp(images, self.orientations, self.cells, self.radii, self.grid)


def symmetric_hog_lbp(
    images: Images, orientations: int, cells: Sequence[int], radii: Sequence[float], grid: int
) -> NDArray[np.float32]:
    """HOG at several scales and square roots of LBP histograms, the mean of face and mirror image; float32 (n, d)."""
    both = np.concatenate([images, images[:, :, ::-1]])
    parts = [hog(both, orientations=orientations, cell=cell, block=2, signed=True) for cell in cells]
    if radii:
        parts.append(np.sqrt(lbp(both, radii=radii, grid=grid)))
    features = np.concatenate(parts, axis=1)
    return (features[: len(images)] + features[len(images) :]) / np.float32(2)
