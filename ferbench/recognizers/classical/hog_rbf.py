"""Gaussian-kernel SVM on gradients and texture: exact, or through an explicit map of the kernel."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from ferbench.errors import ConfigError
from ferbench.recognizers.classical.feature_svm import FeatureSvm, Svm
from ferbench.recognizers.classical.fourier import fourier_frequencies, fourier_map
from ferbench.recognizers.classical.hog_lbp_svm import symmetric_hog_lbp
from ferbench.recognizers.classical.kernel_svm import KernelSvm
from ferbench.recognizers.classical.nystroem import gaussian_kernel, nystroem_map
from ferbench.recognizers.classical.photometric import Normalization, normalize
from ferbench.types import Images, ProgressHook

_SAMPLE_IMAGES = 6000
_LEAST = float(np.finfo(np.float32).eps)  # deviation to divide by: PCA's own transform stops at the same


class HogRbf(FeatureSvm):
    """The features of `HogLbpSvm`, reduced by PCA, compared by a Gaussian kernel.

    A linear SVM on an explicit map of the kernel is an SVM of that kernel: Nyström's map (Williams and Seeger, NIPS
    2001) compares a face with landmark faces, random Fourier features (Rahimi and Recht, NIPS 2007) need none. The
    exact SVM compares it with all support vectors; its fit takes time by the square of the number of faces.

    Args:
        orientations: Signed orientation bins of HOG.
        cells: Sides of HOG's cells in pixels, even numbers, a descriptor each; none: texture alone.
        radii: Of the LBP circles, in pixels; none: edges alone.
        grid: Rows and columns of LBP's cells.
        normalization: What is done to the light first.
        values: Of the features, after PCA.
        whiten: Scale the values to equal variance.
        kernel: "nystroem", "fourier" or "exact".
        landmarks: Training faces to compare with, at most all; for "fourier", the number of random frequencies.
        gamma: The kernel is exp(-gamma * d^2 / s), d the distance of two faces and s its mean square in training.
        c: Weights of the loss to choose from.
        seed: Of the choice of landmarks or frequencies.
    """

    name = "hog_rbf"

    def __init__(
        self,
        *,
        orientations: int = 18,
        cells: tuple[int, ...] = (6, 8, 12),
        radii: tuple[float, ...] = (1.0, 2.0),
        grid: int = 6,
        normalization: Normalization = "none",
        values: int = 384,
        whiten: bool = False,
        kernel: Literal["nystroem", "fourier", "exact"] = "nystroem",
        landmarks: int = 3000,
        gamma: float = 1.0,
        c: tuple[float, ...] = (0.3, 1.0, 3.0),
        seed: int = 0,
    ) -> None:
        self.orientations = orientations
        self.cells = cells
        self.radii = radii
        self.grid = grid
        self.normalization = normalization
        self.values = values
        self.whiten = whiten
        self.kernel = kernel
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
        pca = PCA(n_values, whiten=self.whiten, svd_solver="randomized", iterated_power=2, random_state=self.seed)
        landmarks = pca.fit(sample).transform(sample[: self.landmarks])
        gamma = self.gamma / np.maximum(2 * landmarks.var(axis=0).sum(), _LEAST)
        scale = np.maximum(np.sqrt(pca.explained_variance_), _LEAST) if self.whiten else np.float32(1)
        arrays = {"mean": pca.mean_, "basis": pca.components_.T / scale, "gamma": np.array([gamma])}
        if self.kernel == "nystroem":
            arrays |= {"landmarks": landmarks, "map": nystroem_map(landmarks.astype(np.float64), gamma)}
        elif self.kernel == "fourier":
            arrays["frequencies"] = fourier_frequencies(n_values, self.landmarks, gamma, random)
        return {name: array.astype(np.float32) for name, array in arrays.items()}

    def _svm(self) -> Svm:
        if self.kernel == "exact":
            return KernelSvm(gamma=float(self.learnt_["gamma"][0]), break_ties=True)
        return super()._svm()

    def _features(self, images: Images) -> NDArray[np.float32]:
        learnt = self.learnt_
        reduced: NDArray[np.float32] = self._described(images) - learnt["mean"]
        reduced = reduced @ learnt["basis"]
        if self.kernel == "exact":
            return reduced
        if self.kernel == "fourier":
            return fourier_map(reduced, learnt["frequencies"])
        kernel = gaussian_kernel(reduced, learnt["landmarks"], float(learnt["gamma"][0]))
        return np.asarray(kernel @ learnt["map"])

    def _described(self, images: Images) -> NDArray[np.float32]:
        images = normalize(images, self.normalization)
        return symmetric_hog_lbp(images, self.orientations, self.cells, self.radii, self.grid)
