"""Pictures that are nearly the same: recompressed, brightened, watermarked, moved by a pixel or two, or mirrored.

A perceptual hash finds candidates and the correlation of the aligned pixels confirms them. The hash is that of Zauner
("Implementation and benchmarking of perceptual image hash functions", 2010) with two changes: its 64 bits are the
signs of the 64 lowest frequencies of the cosine transform instead of a square of them, which moves less when a
picture does, and zero takes the place of the median, so that mirroring a picture flips known bits.

Labels and splits are not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ferbench.data.images import import_cv2, resize
from ferbench.types import Images, ProgressHook

SIDE = 48
"""Pictures are compared at this height and width in pixels."""

MIN_CORRELATION = 0.93
"""From here on two aligned pictures count as nearly the same.

Chosen by looking at pairs of FER2013, unique pictures only. Of all 102 mirrored pairs from 0.90 on, the highest of
different people stands at 0.927, and every one above is one photograph. Of unmirrored pairs, about one in six of those
looked at between 0.88 and 0.90 shows different pictures, one of 90 between 0.930 and 0.937, and none of 80 between 0.94
and 0.95: the rest are one photograph, cropped, resized or watermarked anew. At 0.98 seven in ten of the pairs found
here would be missed, for such copies are seldom cut alike to the pixel.
"""

MIN_CORRELATION_DRAWN = 0.98
"""The same for faces that a program drew: they look more alike than photographs of different people do.

Among 2,100 unrelated ones, 1,059 of 2.2 million pairs reach 0.93 and none 0.97, of mirrored pairs one.
"""

MIN_CONTRAST = 3.0
"""Pictures whose pixels have a smaller standard deviation, in gray levels of 256, are blank and match nothing.

FER2013 has 13 of them, 12 of one gray level and one of 0.66; the next two have 4.1 and 9.1: one all but
black, one a face in the dark.
"""

_MARGIN = 2
_MAX_DISTANCE = 16
_MIN_COSINE = 0.8
_N_FREQUENCIES = 11
_FREQUENCIES = sorted(
    ((u, v) for u in range(_N_FREQUENCIES) for v in range(_N_FREQUENCIES) if u + v), key=lambda uv: (sum(uv), uv)
)[:64]
_ROWS, _COLUMNS = np.array(_FREQUENCIES).T
_MIRRORED = np.where(_COLUMNS % 2, -1, 1).astype(np.float32)
_CHUNK = 1024
_BLOCK = (64, 4096)  # hashes compared at once: what fits a second-level cache


class NearPairs(NamedTuple):
    """Pairs of pictures that are nearly the same, columnar.

    Attributes:
        first: int64, (n_pairs,): index of the picture that comes first.
        second: int64, (n_pairs,): index of the other one.
        correlations: float32, (n_pairs,), of the aligned pixels, 1 for the same.
        mirrored: bool, (n_pairs,): one is the other's mirror image.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    correlations: NDArray[np.float32]
    mirrored: NDArray[np.bool_]


def thumbnails(images: Images) -> Images:
    """Pictures of one size, (n, height, width), at the size at which they are compared, (n, SIDE, SIDE)."""
    return images if images.shape[1:] == (SIDE, SIDE) else resize(images, (SIDE, SIDE))


def contrast(images: Images) -> NDArray[np.float64]:
    """Standard deviation of the pixels of each picture, in gray levels of 256; images (n, height, width)."""
    chunks = (images[start : start + _CHUNK] for start in range(0, len(images), _CHUNK))
    return np.concatenate([np.zeros(0), *(chunk.std(axis=(1, 2)) for chunk in chunks)])


def perceptual_hashes(images: Images) -> NDArray[np.uint64]:
    """64 bits of each picture that change little when the picture does.

    Args:
        images: uint8, (n, SIDE, SIDE), see `thumbnails`.

    Returns:
        uint64, (n,): the number of bits in which two differ tells how different the pictures look.
    """
    return _hashes(_coefficients(images))


def near_pairs(
    images: Images,
    *,
    min_correlation: float = MIN_CORRELATION,
    mirrored: bool = True,
    on_progress: ProgressHook = lambda stage, done, total: None,
) -> NearPairs:
    """All pairs of pictures that are nearly the same; takes seconds for 35,000, and grows with their square.

    A picture's middle is moved over the other by up to two pixels each way, and the best correlation counts. Among
    pairs of FER2013 that a much wider search confirmed, this one finds 98 %. Two crops of one photograph whose
    scales differ by more than a few percent are not found. Pictures without contrast match nothing.

    Args:
        images: uint8, (n, SIDE, SIDE), see `thumbnails`.
        min_correlation: What counts as nearly the same, up to 1.
        mirrored: Whether to look for mirror images too.
        on_progress: Called with pictures compared and in all.
    """
    always_seen = slice(2 * _MARGIN, -2 * _MARGIN)  # the pixels that are compared however the pictures are aligned
    matchable = np.flatnonzero(contrast(images[:, always_seen, always_seen]) >= MIN_CONTRAST)
    coefficients = _coefficients(images[matchable])
    found = []
    for number, is_mirrored in enumerate((False, True) if mirrored else (False,)):
        flipped = coefficients * _MIRRORED if is_mirrored else coefficients
        for start, pairs in _candidates(flipped, coefficients):
            on_progress("comparing pictures", number * len(matchable) + start, (1 + mirrored) * len(matchable))
            first, second = matchable[pairs]
            correlations = _correlations(images, first, second, is_mirrored)
            kept = correlations >= min_correlation
            found.append((first[kept], second[kept], correlations[kept], np.full(kept.sum(), is_mirrored)))
    on_progress("comparing pictures", (1 + mirrored) * len(matchable), (1 + mirrored) * len(matchable))
    if not found:
        return NearPairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.bool_))
    return NearPairs(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _coefficients(images: Images) -> NDArray[np.float32]:
    """The 64 lowest frequencies of each picture's cosine transform without its mean, scaled to a length of 1."""
    line = (np.arange(SIDE) + 0.5) / SIDE
    cosines = np.cos(np.pi * np.arange(_N_FREQUENCIES)[:, None] * line).astype(np.float32)
    cosines[0] /= np.sqrt(2)
    coefficients = np.empty((len(images), len(_FREQUENCIES)), np.float32)
    for start in range(0, len(images), _CHUNK):
        transformed = cosines @ images[start : start + _CHUNK].astype(np.float32) @ cosines.T
        coefficients[start : start + _CHUNK] = transformed[:, _ROWS, _COLUMNS]
    lengths = np.linalg.norm(coefficients, axis=1, keepdims=True)
    np.divide(coefficients, np.maximum(lengths, np.finfo(np.float32).tiny), out=coefficients)
    return coefficients


def _hashes(coefficients: NDArray[np.float32]) -> NDArray[np.uint64]:
    return np.packbits(coefficients > 0, axis=1).view(np.uint64)[:, 0]


def _candidates(left: NDArray[np.float32], right: NDArray[np.float32]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """(rows done, (2, n) pairs first < second) whose hashes differ in few bits and whose coefficients are alike."""
    left_hashes, right_hashes = _hashes(left), _hashes(right)
    height, width = _BLOCK
    for top in range(0, len(left), height):
        for start in range(top, len(right), width):
            block = left_hashes[top : top + height, None] ^ right_hashes[None, start : start + width]
            near = np.flatnonzero(np.bitwise_count(block) <= _MAX_DISTANCE)
            pairs = np.stack(np.divmod(near, block.shape[1])) + np.array([[top], [start]])
            pairs = pairs[:, pairs[0] < pairs[1]]
            alike = np.einsum("ij,ij->i", left[pairs[0]], right[pairs[1]]) >= _MIN_COSINE
            yield top, pairs[:, alike]


def _correlations(
    images: Images, first: NDArray[np.int64], second: NDArray[np.int64], mirrored: bool
) -> NDArray[np.float32]:
    """The best correlation of each first picture's middle with any place of it in the second picture."""
    cv2 = import_cv2()
    middles = images[:, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    best = np.empty(len(first), np.float32)
    for number, (one, other) in enumerate(zip(first, second, strict=True)):
        middle = np.ascontiguousarray(middles[one, :, ::-1] if mirrored else middles[one])
        best[number] = cv2.matchTemplate(images[other], middle, cv2.TM_CCOEFF_NORMED).max()
    return best
