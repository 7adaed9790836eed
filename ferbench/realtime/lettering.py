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


def margins(cap: int) -> tuple[int, int, int]:
    """Pixels of a line's mask above its capitals, below the line they stand on, and at each side of the text."""
    return ceil(0.25 * cap), ceil(0.4 * cap), ceil(0.1 * cap)


class Ink(NamedTuple):
    """One line as it is blended into a picture.

    Attributes:
        solid: uint8, (height, width, 3): the color alone.
        cover: How much of each pixel the text covers, see `margins` for where it lies.
        rest: 1 - cover.
    """

    solid: FrameImage
    cover: Mask
    rest: Mask


@lru_cache(maxsize=128)
def inked(text: str, cap: int, color: tuple[int, int, int], is_bold: bool = False) -> Ink:
    """One line in one color, to be read only.

    Args:
        text: ASCII.
        cap: Height of a capital letter in pixels.
        color: Blue, green, red.
        is_bold: Draw thicker strokes.
    """
    above, below, side = margins(cap)
    cover = np.zeros((above + cap + below, text_width(text, cap) + 2 * side), np.float32)
    at = 0.0
    for character in text:
        glyph = _glyph(character, cap, is_bold)
        start = round(at)
        room = cover[:, start : start + glyph.shape[1]]
        np.maximum(room, glyph[:, : room.shape[1]], out=room)
        at += _advance(character) * cap / _UNITS_A_CAP
    return Ink(np.full((*cover.shape, 3), color, np.uint8), cover, 1 - cover)


@lru_cache(maxsize=1024)
def _glyph(character: str, cap: int, is_bold: bool) -> Mask:
    cv2 = import_cv2()
    above, below, side = margins(cap)
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
    return mask


@lru_cache(maxsize=256)
def _advance(character: str) -> float:
    cv2 = import_cv2()
    (width, _), _ = cv2.getTextSize(character, cv2.FONT_HERSHEY_SIMPLEX, 100, 1)
    return float(round((width - 1) / 100))
