"""Linear SVM on learnt patches: Coates, Lee, Ng, "An analysis of single-layer networks", AISTATS 2011."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans

from ferbench.errors import ConfigError
from ferbench.recognizers.classical.feature_svm import FeatureSvm
from ferbench.recognizers.classical.patches import normalized_patches, triangle_activations, zca
from ferbench.types import Images, ProgressHook

_SAMPLE_IMAGES = 4000
_SAMPLE_PATCHES = 100_000
_EPSILON = 1e-3


class PatchSvm(FeatureSvm):
    """What small pieces of faces look like, learnt without labels; where on the face each occurs; a linear SVM.

    Every patch of a face is normalized, whitened and compared with the centroids of a k-means over patches of training
    faces. Activations are averaged over cells of a grid, their square roots standardized. The face is folded: the cells
    are those of the left half, each the mean over the face and its mirror image, which is all that a linear SVM of
    mirrored training images could use.

    Args:
        size: Side of a patch in pixels.
        stride: Pixels from one patch to the next.
        centroids: Number of them.
        grid: Rows and columns of cells over the whole face, an even number.
        c: Weights of the loss to choose from.
        seed: Of the sample of patches and of the k-means.
    """

    name = "patch_svm"

    def __init__(
        self,
        *,
        size: int = 8,
        stride: int = 2,
        centroids: int = 512,
        grid: int = 6,
        c: tuple[float, ...] = (0.001, 0.003, 0.01),
        seed: int = 0,
    ) -> None:
        self.size = size
        self.stride = stride
        self.centroids = centroids
        self.grid = grid
        self.c = c
        self.seed = seed

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """A handful of centroids, two cells and one c."""
        return {"size": 5, "stride": 3, "centroids": 6, "grid": 2, "c": [0.01]}

    def _learn_features(self, images: Images, on_progress: ProgressHook) -> dict[str, NDArray[np.float32]]:
        self._check()
        random = np.random.default_rng((self.seed, 0))
        chosen = images[random.permutation(len(images))[:_SAMPLE_IMAGES]]
        n_patches = -(-_SAMPLE_PATCHES // len(chosen))
        samples = []
        for index, image in enumerate(chosen):
            if index % 500 == 0:
                on_progress("patches", index, len(chosen))
            patches = normalized_patches(image[None, :, :: random.choice([-1, 1])], self.size)
            patches = patches.reshape(-1, self.size**2)
            samples.append(patches[random.permutation(len(patches))[:n_patches]])
        on_progress("patches", len(chosen), len(chosen))
        sample = np.concatenate(samples)
        on_progress("k-means", 0, 1)
        mean, whitening = zca(sample)
        kmeans = MiniBatchKMeans(self.centroids, batch_size=4096, max_iter=15, n_init=1, random_state=self.seed)
        centers = kmeans.fit((sample - mean) @ whitening).cluster_centers_.astype(np.float32)
        on_progress("k-means", 1, 1)
        self.learnt_ = {"mean": mean, "whitening": whitening, "centroids": centers}
        blocks = []
        for start in range(0, len(chosen), 32):
            on_progress("standardization", start, len(chosen))
            blocks.append(self._pooled(chosen[start : start + 32]))
        on_progress("standardization", len(chosen), len(chosen))
        pooled = np.concatenate(blocks)
        deviation = pooled.std(axis=0)
        return {**self.learnt_, "average": pooled.mean(axis=0), "deviation": np.maximum(deviation, _EPSILON)}

    def _unit(self) -> float:
        return 8 / 127

    def _features(self, images: Images) -> NDArray[np.float32]:
        features = self._pooled(images)
        features -= self.learnt_["average"]
        features /= self.learnt_["deviation"]
        return features

    def _pooled(self, images: Images) -> NDArray[np.float32]:
        """Roots of the mean activations, (n, grid * grid / 2 * centroids)."""
        n, height, width = images.shape
        rows, columns = self._places(height, width)
        sides = np.concatenate([images, images[:, :, ::-1]])[:, :, : (columns - 1) * self.stride + self.size]
        patches = normalized_patches(sides, self.size, self.stride)
        whitened: NDArray[np.float32] = patches.reshape(-1, self.size**2) - self.learnt_["mean"]
        whitened = whitened @ self.learnt_["whitening"]
        active = triangle_activations(whitened, self.learnt_["centroids"])
        active = active.reshape(2, n, rows, columns, -1).sum(axis=0)
        down = np.arange(self.grid) * rows // self.grid
        across = np.arange(self.grid // 2) * columns // (self.grid // 2)
        sums = np.add.reduceat(np.add.reduceat(active, across, axis=2), down, axis=1)
        areas = np.outer(np.diff([*down, rows]), np.diff([*across, columns])) * 2
        return np.sqrt(sums / areas[..., None].astype(np.float32)).reshape(n, -1)

    def _places(self, height: int, width: int) -> tuple[int, int]:
        """Rows of patches, and columns of those whose middle is not right of the face's."""
        return (height - self.size) // self.stride + 1, (width - self.size) // 2 // self.stride + 1

    def _check(self) -> None:
        height, width = self.image_size
        is_even = self.grid >= 2 and self.grid % 2 == 0
        fits = 2 <= self.size <= min(height, width) and self.stride >= 1 and self.centroids >= 1
        if not fits or not is_even or not np.all(np.array(self._places(height, width)) >= [self.grid, self.grid // 2]):
            raise ConfigError(
                f"patch_svm needs patches that fit into {height} x {width} pixels, an even grid no finer than "
                f"theirs, and a centroid, got size={self.size}, stride={self.stride}, grid={self.grid}, "
                f"centroids={self.centroids}."
            )
