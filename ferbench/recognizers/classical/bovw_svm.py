"""Linear SVM on bags of visual words of dense SIFT: Ionescu, Popescu, Grozea, ICML workshop on challenges 2013."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans

from ferbench.errors import ConfigError
from ferbench.recognizers.classical.dense_sift import N_VALUES
from ferbench.recognizers.classical.feature_svm import FeatureSvm
from ferbench.recognizers.classical.folded_sift import Projection, folded_sift, learn_projection
from ferbench.recognizers.classical.words import nearest_words, presence, root_frequencies, word_counts
from ferbench.types import Images, ProgressHook

_SAMPLE_PATCHES = 60_000
_LARGEST = 0.2  # value that int8 reaches: those of regions of unit length with hundreds of words lie far below


class BovwSvm(FeatureSvm):
    """Each patch is its nearest visual word; which words occur in which strip of the face decides, linearly.

    The face is folded (`FoldedPatches`), so that a face and its mirror image get the same answer.

    Args:
        cells: Sides of SIFT's cells in pixels, one grid of patches each. A patch is four cells wide.
        step: Pixels from one patch to the next.
        values: Of a descriptor, after PCA.
        words: Size of the codebook.
        strips: Number of horizontal strips beside the whole face.
        counts: "presence" tells whether a word occurs in a strip, "frequency" the root of how often.
        c: Weights of the loss to choose from.
        seed: Of the sample of patches and of the k-means.
    """

    name = "bovw_svm"

    def __init__(
        self,
        *,
        cells: tuple[float, ...] = (2.0, 3.0, 4.0),
        step: float = 2.0,
        values: int = 64,
        words: int = 2000,
        strips: int = 5,
        counts: Literal["presence", "frequency"] = "frequency",
        c: tuple[float, ...] = (0.01, 0.03, 0.1),
        seed: int = 0,
    ) -> None:
        self.cells = cells
        self.step = step
        self.values = values
        self.words = words
        self.strips = strips
        self.counts = counts
        self.c = c
        self.seed = seed

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """One coarse grid, a handful of words and one c."""
        return {"cells": [4.0], "step": 8.0, "values": 4, "words": 8, "strips": 2, "c": [0.1]}

    def _learn_features(self, images: Images, on_progress: ProgressHook) -> dict[str, NDArray[np.float32]]:
        if not 1 <= self.values <= N_VALUES or self.words < 1 or self.strips < 0:
            raise ConfigError(
                f"{self.name} needs 1 to {N_VALUES} values, a word and no negative number of strips, got "
                f"values={self.values}, words={self.words}, strips={self.strips}."
            )
        projection, sample, _ = learn_projection(
            images,
            cells=self.cells,
            step=self.step,
            values=self.values,
            n_patches=_SAMPLE_PATCHES,
            random=np.random.default_rng((self.seed, 0)),
            on_progress=on_progress,
        )
        on_progress("visual words", 0, 1)
        kmeans = MiniBatchKMeans(self.words, batch_size=8192, max_iter=10, n_init=1, random_state=self.seed)
        words = kmeans.fit(sample).cluster_centers_.astype(np.float32)
        on_progress("visual words", 1, 1)
        return {**projection._asdict(), "words": words}

    def _unit(self) -> float:
        return _LARGEST / 127

    def _features(self, images: Images) -> NDArray[np.float32]:
        projection = Projection(self.learnt_["mean"], self.learnt_["basis"])
        points, layout = folded_sift(images, cells=self.cells, step=self.step, projection=projection)
        nearest = nearest_words(points.reshape(-1, points.shape[2]), self.learnt_["words"])
        counts = word_counts(nearest.reshape(points.shape[:2]), self.words, layout.strips(self.strips))
        scaled = presence(counts) if self.counts == "presence" else root_frequencies(counts)
        return scaled.reshape(len(images), -1)
