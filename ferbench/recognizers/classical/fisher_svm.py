"""Linear SVM on Fisher vectors of dense SIFT: Simonyan, Parkhi, Vedaldi, Zisserman, BMVC 2013, for expressions."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from ferbench.errors import ConfigError
from ferbench.recognizers.classical.dense_sift import N_VALUES
from ferbench.recognizers.classical.feature_svm import FeatureSvm
from ferbench.recognizers.classical.fisher import Mixture, fisher_vectors
from ferbench.recognizers.classical.folded_sift import Projection, folded_sift, learn_projection
from ferbench.types import Images, ProgressHook

_SAMPLE_PATCHES = 50_000


class FisherSvm(FeatureSvm):
    """Local gradients at several scales, soft-assigned to a mixture of Gaussians, pooled and classified linearly.

    The face is folded (`FoldedPatches`), so that a face and its mirror image get the same answer. Each patch is a
    RootSIFT descriptor, reduced by PCA, with the patch's place appended. Fisher vectors are pooled over the whole
    folded face and over horizontal strips of it.

    Args:
        cells: Sides of SIFT's cells in pixels, one grid of patches each. A patch is four cells wide.
        step: Pixels from one patch to the next.
        values: Of a descriptor, after PCA.
        gaussians: Of the mixture.
        strips: Number of horizontal strips beside the whole face.
        jitter: See `FeatureSvm`.
        c: Weights of the loss to choose from.
        seed: Of the sample of patches, of the mixture's start and of jitter.
    """

    name = "fisher_svm"

    def __init__(
        self,
        *,
        cells: tuple[float, ...] = (2.0, 2.75, 4.0, 5.5),
        step: float = 2.0,
        values: int = 64,
        gaussians: int = 64,
        strips: int = 3,
        jitter: int = 0,
        c: tuple[float, ...] = (0.1, 0.3),
        seed: int = 0,
    ) -> None:
        self.cells = cells
        self.step = step
        self.values = values
        self.gaussians = gaussians
        self.strips = strips
        self.jitter = jitter
        self.c = c
        self.seed = seed

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """One coarse grid, two Gaussians and one c."""
        return {"cells": [4.0], "step": 8.0, "values": 4, "gaussians": 2, "strips": 2, "c": [0.1]}

    def _learn_features(self, images: Images, on_progress: ProgressHook) -> dict[str, NDArray[np.float32]]:
        if not 1 <= self.values <= N_VALUES or self.gaussians < 1 or self.strips < 0:
            raise ConfigError(
                f"fisher_svm needs 1 to {N_VALUES} values, a Gaussian and no negative number of strips, got "
                f"values={self.values}, gaussians={self.gaussians}, strips={self.strips}."
            )
        projection, sample, places = learn_projection(
            images,
            cells=self.cells,
            step=self.step,
            values=self.values,
            n_patches=_SAMPLE_PATCHES,
            random=np.random.default_rng((self.seed, 0)),
            on_progress=on_progress,
        )
        on_progress("mixture", 0, 1)
        mixture = _fit_mixture(np.concatenate([sample, places], axis=1), self.gaussians, self.seed)
        on_progress("mixture", 1, 1)
        return {**projection._asdict(), **mixture._asdict()}

    def _unit(self) -> float:
        # A vector of length 1 and n values has a root mean square of 1 / sqrt(n): int8 spans eight of them.
        return 8 / 127 / float(np.sqrt(2 * self.gaussians * (self.values + 2)))

    def _features(self, images: Images) -> NDArray[np.float32]:
        learnt = self.learnt_
        projection = Projection(learnt["mean"], learnt["basis"])
        points, layout = folded_sift(images, cells=self.cells, step=self.step, projection=projection, placed=True)
        mixture = Mixture(learnt["weights"], learnt["means"], learnt["variances"])
        return fisher_vectors(points, mixture, layout.strips(self.strips))


def _fit_mixture(points: NDArray[np.float32], gaussians: int, seed: int) -> Mixture:
    estimator = GaussianMixture(
        gaussians,
        covariance_type="diag",
        max_iter=15,
        init_params="k-means++",
        reg_covar=1e-3 * float(points.var(axis=0).mean()),
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fifteen steps are enough for a codebook
        estimator.fit(points.astype(np.float64))  # float32 leaves some Gaussians with no width
    arrays = (estimator.weights_, estimator.means_, estimator.covariances_)
    return Mixture(*(array.astype(np.float32) for array in arrays))
