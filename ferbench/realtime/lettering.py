"""Text as masks of pixels: OpenCV's stroke font drawn finely, scaled down, and kept, so that a line costs little twice.

The font has ASCII alone; everything else is written with the nearest letters that it has.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from math import ceil
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ferbench.data.images import import_cv2
from ferbench.types import FrameImage

Mask: TypeAlias = NDArray[np.float32]
"""Shape (height, width): how much of each pixel is covered, 0 to 1."""

MIN_CAP = 8
"""Height of capital letters in pixels below which text is hard to read."""

_UNITS_A_CAP = 21
_PUNCTUATION = str.maketrans(
    {
        "\N{HYPHEN}": "-",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{MINUS SIGN}": "-",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{LATIN SMALL LETTER SHARP S}": "ss",
    }
)


def to_ascii(text: str) -> str:
    """`text` in the letters of the font: "é" becomes "e", a line break a space, what has no likeness "?"."""
    if text.isascii() and text.isprintable():
        return text
    plain = unicodedata.normalize("NFKD", text.translate(_PUNCTUATION))
    shown = (character for character in plain if not unicodedata.combining(character))
    return "".join(" " if character.isspace() else character if " " <= character <= "~" else "?" for character in shown)


@lru_cache(maxsize=512)
def text_width(text: str, cap: int) -> int:
    """Pixels that a line takes.

    Args:
        text: ASCII.
        cap: Height of a capital letter in pixels.
    """
    return ceil(sum(_advance(character) for character in text) * cap / _UNITS_A_CAP)


def shorten(text: str, cap: int, width: int, *, keep_end: bool = False) -> str:
    """The longest beginning of `text`, or its end, that fits `width` pixels, dots for the rest; "" where none does."""
    if text_width(text, cap) <= width:
        return text
    for kept in range(len(text) - 1, 0, -1):
        part = f"..{text[-kept:]}" if keep_end else f"{text[:kept].rstrip()}.."
        if text_width(part, cap) <= width:
            return part
    return ""


def wrap(text: str, cap: int, width: int, max_lines: int) -> list[str]:
    """`text` in at most `max_lines` lines of `width` pixels, broken between words; what does not fit is shortened."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < max_lines - 1:
        n = next((n for n in range(len(words), 0, -1) if text_width(" ".join(words[:n]), cap) <= width), 1)
        lines.append(shorten(" ".join(words[:n]), cap, width))
        words = words[n:]
    if words:
        lines.append(shorten(" ".join(words), cap, width))
    return lines


class Ink(NamedTuple):
    """One line as it is blended into a picture, to be read only.

    Attributes:
        solid: uint8, (height, width, 3): the color alone.
        cover: How much of each pixel the text covers.
        rest: 1 - cover.
        left: Columns before the place where the text begins.
        above: Rows above its capital letters, below zero where there is no ink at their top.
    """

    solid: FrameImage
    cover: Mask
    rest: Mask
    left: int
    above: int


@lru_cache(maxsize=128)
def inked(text: str, cap: int, color: tuple[int, int, int], is_bold: bool = False) -> Ink:
    """One line in one color.

    Args:
        text: ASCII.
        cap: Height of a capital letter in pixels.
        color: Blue, green, red.
        is_bold: Draw thicker strokes.
    """
    above, below, side = _margins(cap)
    columns = np.zeros((text_width(text, cap) + 2 * side, above + cap + below), np.float32)
    at = 0.0
    for character in text:
        glyph = _glyph_columns(character, cap, is_bold)
        room = columns[round(at) : round(at) + len(glyph)]
        np.maximum(room, glyph[: len(room)], out=room)
        at += _advance(character) * cap / _UNITS_A_CAP
    rows = np.flatnonzero(columns.any(axis=0))
    first, last = (int(rows[0]), int(rows[-1])) if len(rows) else (0, 0)
    cover = np.ascontiguousarray(columns[:, first : last + 1].T)
    height, width = cover.shape
    solid = np.empty((height, width, 3), np.uint8)
    import_cv2().rectangle(solid, (0, 0), (width, height), color, -1)
    return Ink(solid, cover, 1 - cover, side, above - first)


def _margins(cap: int) -> tuple[int, int, int]:
    """Pixels above the capitals, below the line they stand on and at each side, for what reaches over."""
    return ceil(0.25 * cap), ceil(0.4 * cap), ceil(0.1 * cap)


@lru_cache(maxsize=1024)
def _glyph_columns(character: str, cap: int, is_bold: bool) -> Mask:
    cv2 = import_cv2()
    above, below, side = _margins(cap)
    finer = 8 if cap < 3 * MIN_CAP else 4
    stroke = max(1.0, 0.11 * cap) * (1.45 if is_bold else 1.0)
    height, width = above + cap + below, ceil(_advance(character) * cap / _UNITS_A_CAP) + 2 * side
    sheet = np.zeros((height * finer, width * finer), np.uint8)
    cv2.putText(
        sheet,
        character,
        (side * finer, (above + cap) * finer),
        cv2.FONT_HERSHEY_SIMPLEX,
        finer * cap / _UNITS_A_CAP,
        255,
        round(stroke * finer),
        cv2.LINE_AA,
    )
    mask: Mask = cv2.resize(sheet, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.ascontiguousarray(mask.T)


@lru_cache(maxsize=256)
def _advance(character: str) -> float:
    cv2 = import_cv2()
    (width, _), _ = cv2.getTextSize(character, cv2.FONT_HERSHEY_SIMPLEX, 100, 1)
    return float(round((width - 1) / 100))
