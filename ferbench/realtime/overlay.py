"""What the person in front of the screen sees: the picture, its faces, and the panels around it.

Draws and decides nothing.
"""

from __future__ import annotations

import numpy as np

from ferbench.errors import ImagesError
from ferbench.realtime.canvas import Area, Canvas, Color
from ferbench.realtime.lettering import text_width, to_ascii
from ferbench.realtime.palette import DARK, WHITE, color_of, ink_on
from ferbench.realtime.panel import draw_bars, draw_help, draw_marks, draw_prompt, draw_question
from ferbench.realtime.strips import draw_header, draw_notices, draw_tabs
from ferbench.realtime.view import UNCERTAIN, Verdict, View
from ferbench.types import FrameImage


def draw(image: FrameImage, view: View) -> FrameImage:
    """A new picture that shows `image` and what is known of it.

    Sizes follow the frame. What does not fit a small one is left out, the least important first: no text is cut by the
    border or lies on other text.

    Args:
        image: uint8, (height, width, 3), BGR. Not changed.
        view: What to say.

    Returns:
        uint8, of the shape of `image`.

    Raises:
        ImagesError: `image` is no such picture.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ImagesError(f"A frame must be uint8 (height, width, 3), got {image.dtype} {image.shape}: make it BGR.")
    canvas = Canvas(image.copy())
    verdicts = view.verdicts()
    areas = [Area(*box) for box in view.boxes.tolist()]
    colors = [_color(view, verdict) for verdict in verdicts] or [WHITE] * len(areas)
    for area, color in zip(areas, colors, strict=True):
        _outline(canvas, area, color)
    room = draw_notices(canvas, view, draw_tabs(canvas, view, draw_header(canvas, view, canvas.area)))
    marks = draw_marks(canvas, view, room)
    taken = [marks]
    if view.typed is not None:
        draw_question(canvas, view.typed, _below(room, taken))
    elif view.has_help:
        draw_help(canvas, _below(room, taken))
    else:
        if view.prompt is not None:
            taken.append(draw_prompt(canvas, view.prompt, room, marks))
        if verdicts:
            taken.append(draw_bars(canvas, view, verdicts[view.largest], _below(room, taken)))
        on_screen = [area for area in taken if area]
        for area, verdict, color in zip(areas, verdicts, colors, strict=False):
            _label(canvas, area, verdict, color, room, on_screen)
    return canvas.image


def _below(room: Area, taken: list[Area | None]) -> Area:
    return room._replace(y1=max([room.y1, *(area.y2 for area in taken if area)]))


def _color(view: View, verdict: Verdict) -> Color:
    return WHITE if verdict.word == UNCERTAIN else color_of(view.classes[verdict.label], verdict.label)


def _outline(canvas: Canvas, face: Area, color: Color) -> None:
    stroke = max(1, round(canvas.cap / 6))
    edge = max(1, stroke // 2)
    x1, y1, x2, y2 = face
    canvas.outline(Area(x1 - edge, y1 - edge, x2 + edge, y2 + edge), DARK, stroke + 2 * edge)
    canvas.outline(face, color, stroke)


def _label(canvas: Canvas, face: Area, verdict: Verdict, color: Color, room: Area, taken: list[Area]) -> None:
    cap, pad = canvas.cap, round(0.5 * canvas.cap)
    word = to_ascii(verdict.word)
    for text in (f"{word} {100 * verdict.share:.0f}%", word):
        place = _free_place(face, text_width(text, cap) + 2 * pad, cap + 2 * pad, room, taken)
        if place is None:
            continue
        if verdict.word == UNCERTAIN:
            canvas.shade(place)
            canvas.write(text, place.x1 + pad, place.y1 + pad, WHITE, cap)
        else:
            canvas.fill(place, color)
            canvas.write(text, place.x1 + pad, place.y1 + pad, ink_on(color), cap)
        taken.append(place)
        return


def _free_place(face: Area, width: int, height: int, room: Area, taken: list[Area]) -> Area | None:
    """Above the face, else inside it at the top or the bottom, else below: the first place on no other text."""
    if width > room.width:
        return None
    lefts = [min(max(x, room.x1), room.x2 - width) for x in (face.x1, face.x2 - width)]
    for y in (face.y1 - height, max(face.y1, room.y1), min(face.y2, room.y2) - height, face.y2):
        for x in lefts:
            place = Area(x, y, x + width, y + height)
            if room.holds(place) and not any(place.overlaps(area) for area in taken):
                return place
    return None
