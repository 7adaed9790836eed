"""Linear SVM on Gabor energy: Bartlett et al., "Recognizing facial expression", CVPR 2005, without the boosting."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferbench.recognizers.classical.feature_svm import FeatureSvm
from ferbench.recognizers.classical.gabor import gabor_grid
from ferbench.recognizers.classical.photometric import Normalization, normalize
from ferbench.types import Images

_EPSILON = 1e-6


class GaborSvm(FeatureSvm):
    """Which waves run where over the face, at several wavelengths and orientations, then a linear SVM.

    Square roots of the mean energies, scaled to unit length. The face is folded: the cells are those of the left half,
    each the mean over the face and its mirror image, which have the same answer.

    Args:
        wavelengths: In pixels.
        orientations: Of each wavelength, over 180 degrees.
        stride: Pixels from one place where energy is measured to the next.
        grid: Rows and columns of cells.
        normalization: What is done to the light first.
        c: Weights of the loss to choose from.
        seed: Not used: nothing is random.
    """

    name = "gabor_svm"

    def __init__(
        self,
        *,
        wavelengths: tuple[float, ...] = (3.0, 4.5, 7.0, 10.0),
        orientations: int = 8,
        stride: int = 2,
        grid: int = 8,
        normalization: Normalization = "none",
        c: tuple[float, ...] = (1.0, 3.0, 10.0),
        seed: int = 0,
    ) -> None:
        self.wavelengths = wavelengths
        self.orientations = orientations
        self.stride = stride
        self.grid = grid
        self.normalization = normalization
        self.c = c
        self.seed = seed

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """Two waves, a coarse grid and one c."""
        return {"wavelengths": [4.0], "orientations": 2, "stride": 2, "grid": 3, "c": [1.0]}

    def _features(self, images: Images) -> NDArray[np.float32]:
        energy = gabor_grid(
            normalize(images, self.normalization),
            wavelengths=self.wavelengths,
            orientations=self.orientations,
            stride=self.stride,
            grid=self.grid,
        )
        mirrored = energy[:, :, -np.arange(self.orientations) % self.orientations, :, ::-1]
        folded = (energy + mirrored)[..., : (self.grid + 1) // 2].reshape(len(images), -1)
        return np.asarray(np.sqrt(folded / np.maximum(folded.sum(axis=1, keepdims=True), _EPSILON)))
