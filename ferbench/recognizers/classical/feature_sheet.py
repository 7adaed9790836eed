"""A picture of what the classical recognizers see in a face: HOG, LBP and visual words. No recognizer is imported here.

It is drawn on rendered faces and on scikit-image's astronaut, never on faces of a dataset. Draw
`reports/features.png`: `python -c "from ferbench.recognizers.classical.feature_sheet import feature_sheet as f; f()"`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from skimage.data import astronaut
from sklearn.cluster import MiniBatchKMeans

from ferbench.data.images import resize, to_gray
from ferbench.data.synthetic import draw_faces, render_faces
from ferbench.recognizers.classical.dense_sift import dense_sift, patch_centers
from ferbench.recognizers.classical.hog import hog
from ferbench.recognizers.classical.lbp import lbp_codes
from ferbench.recognizers.classical.words import nearest_words
from ferbench.types import EMOTIONS, Images

_SIZE = 48
_CELL, _ORIENTATIONS = 6, 9
_POINTS, _RADIUS = 8, 1.0
_WORDS, _PATCH_CELL, _STEP = 12, 3.0, 1.0
_N_TEACHERS = 70
_ASTRONAUT_FACE = (slice(48, 188), slice(152, 292))
_SHOWN = ("happiness", "surprise", "anger")
_VIEW: dict[str, Any] = {
    "yaw": 0,
    "roll": 0,
    "occlusion": 0,
    "noise": 1,
    "blur": 0,
    "light_yaw": 25,
    "light": 1.0,
    "ambient": 0.4,
}
_INK, _OTHER = "#1f2933", 0.55
_TITLES = (
    f"what they see\n{_SIZE} x {_SIZE} pixels",
    f"HOG\nedges in cells of {_CELL} x {_CELL}",
    "uniform LBP\npattern around each pixel",
    f"visual words\nnearest of {_WORDS}, by patch",
)


def feature_sheet(path: str | Path = "reports/features.png", *, seed: int = 10) -> Path:
    """Write the picture: a row a face, a column a kind of feature.

    HOG (Dalal and Triggs, CVPR 2005): a line along each orientation of edge, as bright as the cell votes for it. LBP
    (Ojala, Pietikäinen, Mäenpää, PAMI 2002): hue tells to which side of the pixel it is brighter, gray that the pattern
    is not uniform. Visual words (Sivic and Zisserman, ICCV 2003): of RootSIFT patches, learnt by k-means from other
    rendered faces; a color is a word.

    Args:
        path: A file that ends in .png; its folder must exist.
        seed: Who is drawn.

    Returns:
        `path`.
    """
    path, faces = Path(path), sheet_faces(seed)
    words = learn_words(seed)
    figure = Figure(figsize=(8.6, 2.1 * len(faces) + 1.5), layout="constrained")
    grid = figure.subplots(len(faces) + 1, 4, height_ratios=[1] * len(faces) + [0.42])
    for axes, title in zip(grid[0], _TITLES, strict=True):
        axes.set_title(title, fontsize=10, color=_INK)
    for row, (name, face) in zip(grid, faces.items(), strict=False):
        row[0].imshow(face, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        row[0].set_ylabel(name, fontsize=10, color=_INK)
        _draw_hog(row[1], face)
        row[2].imshow(lbp_colors(lbp_codes(face[None], points=_POINTS, radius=_RADIUS)[0]), interpolation="nearest")
        row[3].imshow(face, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        row[3].imshow(word_map(face, words), cmap="tab20", vmin=0, vmax=19, alpha=0.8, extent=_word_extent())
        for axes in row:
            axes.set(xticks=[], yticks=[], xlim=(-0.5, _SIZE - 0.5), ylim=(_SIZE - 0.5, -0.5))
            axes.spines[:].set_visible(False)
    _draw_legends(grid[-1])
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    return path


def sheet_faces(seed: int = 10) -> dict[str, Images]:
    """Some rendered faces and the astronaut, by title, each uint8 (48, 48)."""
    faces = {}
    for emotion in _SHOWN:
        rng, labels = np.random.default_rng((seed, EMOTIONS.index(emotion))), np.array([EMOTIONS.index(emotion)])
        faces[f"rendered,\n{emotion}"] = draw_faces(labels, rng=rng, size=_SIZE, **_VIEW).images[0]
    bgr = np.ascontiguousarray(astronaut()[_ASTRONAUT_FACE][..., ::-1])
    return faces | {"scikit-image's\nastronaut": resize(to_gray(bgr)[None], (_SIZE, _SIZE))[0]}


def learn_words(seed: int = 10) -> NDArray[np.float32]:
    """A small codebook of RootSIFT patches of rendered faces, (words, 128), ordered by how alike words are."""
    labels = np.arange(_N_TEACHERS) % len(EMOTIONS)
    faces = render_faces(labels, rng=np.random.default_rng((seed, 1)), size=_SIZE)
    patches = dense_sift(faces, cells=(_PATCH_CELL,), step=2 * _STEP).reshape(-1, 128)
    kmeans = MiniBatchKMeans(_WORDS, batch_size=4096, n_init=1, random_state=seed).fit(patches)
    return np.asarray(kmeans.cluster_centers_, dtype=np.float32)


def word_map(face: Images, words: NDArray[np.float32]) -> NDArray[np.intp]:
    """The visual word of each patch of one face, (rows, columns) of patches."""
    nearest = nearest_words(dense_sift(face[None], cells=(_PATCH_CELL,), step=_STEP)[0], words)
    side = round(len(nearest) ** 0.5)
    return nearest.reshape(side, side)


def lbp_colors(codes: NDArray[np.uint8], *, points: int = _POINTS) -> NDArray[np.float64]:
    """Uniform patterns as colors, (height, width, 3), 0 to 1.

    Hue is the direction in which the neighbors lie that are no darker than the pixel, most saturated where they are
    half of all: an edge. White: all neighbors are such; black: none is; gray: the pattern is not uniform.
    """
    codes = codes.astype(np.int64)
    n_ones, turn = (codes - 1) // points + 1, (codes - 1) % points
    hue = ((n_ones - 1) / 2 - turn) / points % 1
    saturation = 1 - np.abs(2 * n_ones - points) / points
    colors: NDArray[np.float64] = hsv_to_rgb(np.stack([hue, saturation, 0.35 + 0.65 * n_ones / points], axis=-1))
    colors[codes == 0] = 0
    colors[codes == points * (points - 1) + 1] = 1
    colors[codes == points * (points - 1) + 2] = _OTHER
    return colors


def _draw_hog(axes: Any, face: Images) -> None:
    n_cells = _SIZE // _CELL
    votes = hog(face[None], orientations=_ORIENTATIONS, cell=_CELL, block=n_cells).reshape(n_cells, n_cells, -1)
    strength = np.sqrt(votes / votes.max()) * votes / votes.max(axis=2, keepdims=True)
    angles = (np.arange(_ORIENTATIONS) + 0.5) * np.pi / _ORIENTATIONS + np.pi / 2  # edges run across gradients
    reach = 0.46 * _CELL * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    lines, colors = [], []
    for (row, column, bin_), value in np.ndenumerate(strength):
        center = np.array([column + 0.5, row + 0.5]) * _CELL - 0.5
        lines.append([center - reach[bin_], center + reach[bin_]])
        colors.append((1.0, 1.0, 1.0, value))
    axes.set_facecolor("black")
    axes.set_aspect("equal")
    axes.add_collection(LineCollection(lines, colors=colors, linewidths=1.4, capstyle="round"))


def _word_extent() -> tuple[float, float, float, float]:
    centers = patch_centers(_SIZE, _SIZE, cells=(_PATCH_CELL,), step=_STEP)[:, 0] * _SIZE - 0.5
    low, high = centers.min() - _STEP / 2, centers.max() + _STEP / 2
    return low, high, high, low


def _draw_legends(row: Any) -> None:
    texts = (
        "rendered by ferbench,\nor in the public domain (NASA)",
        "the brighter a line, the\nstronger the edges that run\nthis way through its cell",
        None,
        "a color is a word;\nwords are learnt from\nother rendered faces",
    )
    for axes, text in zip(row, texts, strict=True):
        axes.set_axis_off()
        if text:
            axes.text(0.5, 1.0, text, ha="center", va="top", fontsize=8.5, color=_INK, transform=axes.transAxes)
    wheel = row[2].inset_axes((0.0, 0.0, 0.42, 1.0))
    ys, xs = np.mgrid[1:-1:101j, -1:1:101j]
    hue, radius = np.arctan2(ys, xs) / (2 * np.pi) % 1, np.hypot(xs, ys)
    disk = hsv_to_rgb(np.stack([hue, np.ones_like(hue), np.full_like(hue, 0.675)], axis=-1))
    disk[(radius > 1) | (radius < 0.45)] = 1
    wheel.imshow(disk)
    wheel.set_axis_off()
    meaning = "brighter on this side;\nwhite: nothing is darker,\nblack: all is darker;\ngray: not uniform"
    row[2].text(0.46, 0.98, meaning, va="top", fontsize=8, color=_INK)
