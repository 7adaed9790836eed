"""Linear SVM on local binary patterns: Shan, Gong, McOwan, Image and Vision Computing 2009."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferbench.recognizers.classical.feature_svm import FeatureSvm
from ferbench.recognizers.classical.lbp import lbp
from ferbench.types import Images


class LbpSvm(FeatureSvm):
    """Which texture where: histograms of uniform patterns over a grid, then a linear SVM.

    The square root of each histogram makes the SVM's inner product the Hellinger kernel, which suits histograms better
    than the plain product (Vedaldi and Zisserman, "Efficient additive kernels via explicit feature maps", PAMI 2012).
    """

    name = "lbp_svm"

    def __init__(
        self,
        *,
        points: int = 8,
        radii: tuple[float, ...] = (1.0, 2.0),
        grid: int = 6,
        mirror: bool = False,
        jitter: int = 0,
        c: tuple[float, ...] = (0.003, 0.01, 0.03),
        seed: int = 0,
    ) -> None:
        self.points = points
        self.radii = radii
        self.grid = grid
        self.mirror = mirror
        self.jitter = jitter
        self.c = c
        self.seed = seed

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """One small circle, a coarse grid and one c."""
        return {"points": 4, "radii": [1.0], "grid": 3, "mirror": False, "c": [0.1]}

    def _features(self, images: Images) -> NDArray[np.float32]:
        return np.sqrt(lbp(images, points=self.points, radii=self.radii, grid=self.grid))
