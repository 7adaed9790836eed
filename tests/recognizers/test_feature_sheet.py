import cv2
import numpy as np
import pytest

from ferbench.recognizers.classical.dense_sift import dense_sift
from ferbench.recognizers.classical.feature_sheet import feature_sheet, lbp_colors, word_map
from ferbench.recognizers.classical.lbp import lbp_codes

RAMP = np.tile(np.arange(0, 240, 5, dtype=np.uint8), (48, 1))


@pytest.mark.parametrize(
    ("image", "color"),
    [(RAMP, "red"), (RAMP[:, ::-1], "cyan"), (np.full((48, 48), 90, np.uint8), "white")],
    ids=["brighter to the right", "brighter to the left", "flat"],
)
def test_a_pattern_has_the_color_of_its_bright_side(image, color) -> None:
    expected = {"red": (1, 0, 0), "cyan": (0, 1, 1), "white": (1, 1, 1)}[color]
    shown = lbp_colors(lbp_codes(np.ascontiguousarray(image)[None])[0])[24, 24]
    assert (shown > 0.5).tolist() == [bool(value) for value in expected]


def test_every_code_has_a_color() -> None:
    colors = lbp_colors(np.arange(59, dtype=np.uint8)[None])
    assert colors.shape == (1, 59, 3) and colors.min() >= 0 and colors.max() <= 1
    assert colors[0, 0].max() == 0 and np.ptp(colors[0, 58]) == 0


def test_a_patch_is_its_own_word() -> None:
    face = np.random.default_rng(0).integers(0, 256, (48, 48)).astype(np.uint8)
    words = dense_sift(face[None], cells=(3.0,), step=1.0)[0][:5]
    places = word_map(face, words)
    assert places.shape == (37, 37) and places[0, :5].tolist() == [0, 1, 2, 3, 4]


def test_the_sheet_is_drawn(tmp_path) -> None:
    picture = cv2.imread(str(feature_sheet(tmp_path / "features.png")))
    assert picture.shape[0] > 800 and picture.std() > 30
