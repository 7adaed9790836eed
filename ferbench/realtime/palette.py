"""Which color an emotion has on screen. All can be told apart by color-blind people (Okabe and Ito 2008)."""

from __future__ import annotations

from ferbench.realtime.canvas import Color

WHITE: Color = (245, 245, 245)
GRAY: Color = (198, 198, 198)
DARK: Color = (24, 24, 24)
TRACK: Color = (92, 92, 92)
RED: Color = (60, 60, 235)
AMBER: Color = (70, 200, 255)

_EMOTIONS: dict[str, Color] = {
    "anger": (0, 94, 213),
    "disgust": (115, 158, 0),
    "fear": (167, 121, 204),
    "happiness": (66, 228, 240),
    "sadness": (233, 180, 86),
    "surprise": (0, 159, 230),
    "neutral": (190, 190, 190),
    "contempt": (178, 114, 0),
}


def color_of(emotion: str, index: int = 0) -> Color:
    """The color of an emotion; one that has none of its own takes that of its `index` among the classes."""
    others = tuple(_EMOTIONS.values())
    return _EMOTIONS.get(emotion, others[index % len(others)])


def ink_on(color: Color) -> Color:
    """Dark or white, whichever is easier to read on a color (WCAG 2 relative luminance)."""
    blue, green, red = ((part / 255) ** 2.2 for part in color)
    return DARK if 0.0722 * blue + 0.7152 * green + 0.2126 * red > 0.18 else WHITE
