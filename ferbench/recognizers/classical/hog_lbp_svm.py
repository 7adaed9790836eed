"""Linear SVM on gradients and texture together: Wang, Han, Yan, "An HOG-LBP human detector", ICCV 2009."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ferbench.errors import ConfigError
from ferbench.recognizers.classical.additive_maps import additive_map
from ferbench.recognizers.classical.feature_svm import FeatureSvm
from ferbench.recognizers.classical.hog import hog
from ferbench.recognizers.classical.lbp import lbp
from ferbench.recognizers.classical.linear_svm import LinearSvm
from ferbench.recognizers.classical.logistic import Logistic
from ferbench.recognizers.classical.photometric import Normalization, normalize
from ferbench.types import Images


class HogLbpSvm(FeatureSvm):
    """Edges at several scales beside texture at several radii, then a linear SVM.

    Features are the mean over a face and its mirror image: what a linear SVM of mirrored training images would find,
    with half the rows. A face and its mirror image get the same answer.

    Args:
        orientations: Signed orientation bins of HOG.
        cells: Sides of HOG's cells in pixels, even numbers, a descriptor each; none: texture alone.
        radii: Of the LBP circles, in pixels; none: edges alone.
        grid: Rows and columns of LBP's cells.
        normalization: What is done to the light first.
        kernel: "linear" compares the square roots of LBP's histograms; "chi2" and "intersection" compare all values by
            these kernels, through an explicit map three times as long.
        loss: "hinge" is a linear SVM, squared; "logistic" a multinomial logistic regression.
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
        normalization: Normalization = "none",
        kernel: Literal["linear", "chi2", "intersection"] = "linear",
        loss: Literal["hinge", "logistic"] = "hinge",
        c: tuple[float, ...] = (0.003, 0.01, 0.03),
        seed: int = 0,
    ) -> None:
        self.orientations = orientations
        self.cells = cells
        self.radii = radii
        self.grid = grid
        self.normalization = normalization
        self.kernel = kernel
        self.loss = loss
        self.c = c
        self.seed = seed

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """One scale, one radius and one c."""
        return {"orientations": 4, "cells": [8], "radii": [1.0], "grid": 2, "c": [0.1]}

    def _svm(self) -> LinearSvm:
        return LinearSvm(warm_start=True) if self.loss == "hinge" else Logistic(warm_start=True)

    def _features(self, images: Images) -> NDArray[np.float32]:
        images = normalize(images, self.normalization)
        shape = (self.orientations, self.cells, self.radii, self.grid)
        if self.kernel == "linear":
            return symmetric_hog_lbp(images, *shape)
        return additive_map(symmetric_hog_lbp(images, *shape, roots=False), self.kernel)


def symmetric_hog_lbp(
    images: Images,
    orientations: int,
    cells: Sequence[int],
    radii: Sequence[float],
    grid: int,
    *,
    roots: bool = True,
) -> NDArray[np.float32]:
    """HOG at several scales and LBP histograms, or their square roots: the mean of face and mirror image.

    Returns:
        float32, (n, d), none below 0.

    Raises:
        ConfigError: there is neither a cell nor a radius, or one is out of range.
    """
    if not cells and not radii:
        raise ConfigError("HOG and LBP together need a cell or a radius, got none: give cells or radii.")
    both = np.concatenate([images, images[:, :, ::-1]])
    parts = [hog(both, orientations=orientations, cell=cell, block=2, signed=True) for cell in cells]
    if radii:
        histograms = lbp(both, radii=radii, grid=grid)
        parts.append(np.sqrt(histograms) if roots else histograms)
    features = np.concatenate(parts, axis=1)
    return (features[: len(images)] + features[len(images) :]) / np.float32(2)
