import numpy as np
import pytest

from ferbench.recognizers.base import Recognizer
from ferbench.recognizers.occlusion import occlusion_maps


class Corner(Recognizer):
    """Says `bright` by how bright the upper left quarter is, and looks nowhere else."""

    name = "corner"
    family = "baseline"

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

    def _fit(self, images, labels, **keywords) -> None:
        pass

    def _predict_proba(self, images):
        height, width = self.image_size
        bright = images[:, : height // 2, : width // 2].mean(axis=(1, 2)) / 255
        return np.stack([bright, 1 - bright], axis=1).astype(np.float32)

    def _save(self, directory) -> None:
        pass

    def _load(self, directory) -> None:
        pass

    def _size(self):
        return 0, 0


@pytest.fixture
def face() -> np.ndarray:
    image = np.zeros((1, 24, 24), np.uint8)
    image[:, :12, :12] = 240
    return image


@pytest.fixture
def corner(face) -> Recognizer:
    return Corner().fit(face, np.array([0]), classes=("bright", "dark"))


def test_only_what_counts_is_hot(corner, face) -> None:
    heat = occlusion_maps(corner, face, side=4, step=2)[0]
    assert heat.shape == (24, 24) and heat.dtype == np.float32
    assert heat[:10, :10].min() > 0 and np.abs(heat[16:, 16:]).max() == 0


def test_the_other_class_loses_what_this_one_gains(corner, face) -> None:
    bright, dark = (occlusion_maps(corner, face, np.array([label])) for label in (0, 1))
    assert dark == pytest.approx(-bright, abs=1e-6)


@pytest.mark.parametrize(("side", "step"), [(10, 4), (7, 5), (24, 3), (40, 40)])
def test_every_pixel_is_covered(corner, face, side, step) -> None:
    assert np.isfinite(occlusion_maps(corner, face, side=side, step=step)).all()
