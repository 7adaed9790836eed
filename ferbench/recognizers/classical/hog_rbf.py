"""Gaussian-kernel SVM on gradients and texture, through Nyström's explicit map: Williams and Seeger, NIPS 2001."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from ferbench.errors import ConfigError
from ferbench.recognizers.classical.feature_svm import FeatureSvm
from ferbench.recognizers.classical.hog_lbp_svm import symmetric_hog_lbp
from ferbench.recognizers.classical.nystroem import gaussian_kernel, nystroem_map
from ferbench.types import Images, ProgressHook

_SAMPLE_IMAGES = 6000


class HogRbf(FeatureSvm):
    """The features of `HogLbpSvm`, reduced by PCA, compared with landmark faces by a Gaussian kernel.

    A linear SVM on the kernel's explicit map is an SVM of that kernel whose solution is a sum over the landmarks.

    Args:
        orientations: Signed orientation bins of HOG.
        cells: Sides of HOG's cells in pixels, even numbers, a descriptor each.
        radii: Of the LBP circles, in pixels.
        grid: Rows and columns of LBP's cells.
        values: Of the features, after PCA.
        landmarks: Training faces to compare with, at most all.
        gamma: The kernel is exp(-gamma * d^2 / s), d the distance of two faces and s the mean d^2 of two landmarks.
        c: Weights of the loss to choose from.
        seed: Of the choice of landmarks.
    """

    name = "hog_rbf"

    def __init__(
        self,
        *,
        orientations: int = 18,
        cells: tuple[int, ...] = (6, 8, 12),
        radii: tuple[float, ...] = (1.0, 2.0),
        grid: int = 6,
        values: int = 384,
        landmarks: int = 3000,
        gamma: float = 1.0,
        c: tuple[float, ...] = (0.3, 1.0, 3.0),
        seed: int = 0,
    ) -> None:
        self.orientations = orientations
        self.cells = cells
        self.radii = radii
        self.grid = grid
        self.values = values
        self.landmarks = landmarks
        self.gamma = gamma
        self.c = c
        self.seed = seed

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """One scale, a handful of values and landmarks, and one c."""
        small = {"orientations": 4, "cells": [8], "radii": [1.0], "grid": 2}
        return {**small, "values": 8, "landmarks": 20, "c": [1.0]}

    def _learn_features(self, images: Images, on_progress: ProgressHook) -> dict[str, NDArray[np.float32]]:
        random = np.random.default_rng((self.seed, 0))
        chosen = images[random.permutation(len(images))[: max(_SAMPLE_IMAGES, self.landmarks)]]
        blocks = []
        for start in range(0, len(chosen), 64):
            on_progress("landmarks", start, len(chosen))
            blocks.append(self._described(chosen[start : start + 64]))
        on_progress("landmarks", len(chosen), len(chosen))
        sample = np.concatenate(blocks)
        if self.landmarks < 2 or self.gamma <= 0 or not 1 <= self.values <= sample.shape[1]:
            raise ConfigError(
                f"hog_rbf needs two landmarks, a gamma above 0 and 1 to {sample.shape[1]} values, got "
                f"landmarks={self.landmarks}, gamma={self.gamma}, values={self.values}."
            )
        n_values = min(self.values, *sample.shape)
        pca = PCA(n_values, svd_solver="randomized", iterated_power=2, random_state=self.seed).fit(sample)
        landmarks = pca.transform(sample[: self.landmarks])
        gamma = self.gamma / (2 * landmarks.var(axis=0).sum())
        arrays = {
            "mean": pca.mean_,
            "basis": pca.components_.T,
            "landmarks": landmarks,
            "gamma": np.array([gamma]),
            "map": nystroem_map(landmarks.astype(np.float64), gamma),
        }
        return {name: array.astype(np.float32) for name, array in arrays.items()}

    def _features(self, images: Images) -> NDArray[np.float32]:
        learnt = self.learnt_
        reduced: NDArray[np.float32] = self._described(images) - learnt["mean"]
        reduced = reduced @ learnt["basis"]
        kernel = gaussian_kernel(reduced, learnt["landmarks"], float(learnt["gamma"][0]))
        return np.asarray(kernel @ learnt["map"])

    def _described(self, images: Images) -> NDArray[np.float32]:
        return symmetric_hog_lbp(images, self.orientations, self.cells, self.radii, self.grid)
