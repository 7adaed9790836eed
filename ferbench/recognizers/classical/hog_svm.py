"""Linear SVM on histograms of oriented gradients: Dalal and Triggs, CVPR 2005, with faces for pedestrians."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV

from ferbench.errors import ConfigError
from ferbench.recognizers.classical.feature_svm import FeatureSvm, Svm
from ferbench.recognizers.classical.hog import hog, mirrored_pairs
from ferbench.recognizers.classical.linear_svm import LinearSvm
from ferbench.recognizers.classical.logistic import Logistic
from ferbench.types import Images


class HogSvm(FeatureSvm):
    """Edges by cell and orientation, then a linear SVM: the classical answer, in a quarter of a millisecond a face.

    Bins are signed by default, 18 over 360 degrees: on faces they are worth more than the 9 over 180 degrees that
    Dalal and Triggs chose for pedestrians (`reports/foundation.md`). With `signed=False` and neither of the two below,
    the features are those of `skimage.feature.hog`.

    Args:
        orientations: Orientation bins.
        cell: Side of a cell in pixels, an even number.
        block: Side of a block in cells.
        signed: Tell dark-to-bright from bright-to-dark.
        interpolated: Share each pixel's vote between the nearest bins and cells.
        symmetric: Features are the sum over a face and its mirror image: what the SVM would find of mirrored training
            images, with half the rows and half the values. A face and its mirror image get the same answer. It takes
            interpolated votes, an even number of signed bins, and images a whole number of cells wide.
        levels: Of a pyramid: 2 appends what interpolated votes give in cells twice as large.
        root: Take square roots, so that the inner product is the Hellinger kernel of the histograms.
        loss: "hinge" is a linear SVM, squared; "logistic" a multinomial logistic regression.
        mirror: Learn from each face and from its mirror image.
        jitter: See `FeatureSvm`.
        c: Weights of the loss to choose from.
        seed: Of jitter.

    Attributes:
        unfolded_: float32, (k, d): the SVM's weights of the values of a face alone, where `symmetric` made it learn
            sums. A sum's weight is that of both its terms, so an answer needs no sums.
    """

    name = "hog_svm"

    def __init__(
        self,
        *,
        orientations: int = 18,
        cell: int = 6,
        block: int = 2,
        signed: bool = True,
        interpolated: bool = False,
        symmetric: bool = False,
        levels: int = 1,
        root: bool = False,
        loss: Literal["hinge", "logistic"] = "hinge",
        mirror: bool = False,
        jitter: int = 0,
        c: tuple[float, ...] = (0.01, 0.03, 0.1),
        seed: int = 0,
    ) -> None:
        self.orientations = orientations
        self.cell = cell
        self.block = block
        self.signed = signed
        self.interpolated = interpolated
        self.symmetric = symmetric
        self.levels = levels
        self.root = root
        self.loss = loss
        self.mirror = mirror
        self.jitter = jitter
        self.c = c
        self.seed = seed

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """Large cells and one c."""
        return {"orientations": 4, "cell": 8, "block": 1, "mirror": False, "c": [0.1]}

    def _svm(self) -> LinearSvm:
        return LinearSvm(warm_start=True) if self.loss == "hinge" else Logistic(warm_start=True)

    def _features(self, images: Images) -> NDArray[np.float32]:
        features = self._described(images)
        if not self.symmetric:
            return features
        places, mirrored = self._pairs()
        return features.take(places, axis=1, mode="clip") + features.take(mirrored, axis=1, mode="clip")

    def _decisions(self, images: Images) -> NDArray[np.float32]:
        if not self.symmetric:
            return super()._decisions(images)
        decisions: NDArray[np.float32] = self._described(images) @ self.unfolded_.T
        decisions += self.svm_.intercept_
        return decisions if len(self.classes) > 2 else decisions[:, 0]

    def _adopt(self, classifier: Svm | CalibratedClassifierCV) -> None:
        super()._adopt(classifier)
        if self.symmetric:
            places, mirrored = self._pairs()
            coef = self.svm_.coef_
            self.unfolded_ = np.zeros((len(coef), int(mirrored.max()) + 1), np.float32)
            self.unfolded_[:, places] = coef
            self.unfolded_[:, mirrored] += coef

    def _described(self, images: Images) -> NDArray[np.float32]:
        """What the face alone is described by, before its mirror image is added."""
        if self.symmetric and not self.interpolated:
            raise ConfigError("symmetric hog_svm needs interpolated votes, others change sides: set interpolated too.")
        features = hog(images, **self._shape(), interpolated=self.interpolated)
        if self.root:
            np.sqrt(features, out=features)
        return features

    def _pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        return mirrored_pairs(*self.image_size, **self._shape())

    def _shape(self) -> dict[str, Any]:
        return {
            "orientations": self.orientations,
            "cell": self.cell,
            "block": self.block,
            "signed": self.signed,
            "levels": self.levels,
        }
