"""The panels over the picture: probabilities, marks, prompt, question, keys. Each returns the area that it took.

A panel that does not fit the room it is given draws nothing and returns None.
"""

from __future__ import annotations

import math

from ferbench.realtime.canvas import Area, Canvas
from ferbench.realtime.lettering import shorten, text_width, to_ascii
from ferbench.realtime.palette import AMBER, DARK, GRAY, RED, TRACK, WHITE, color_of
from ferbench.realtime.view import Prompt, Verdict, View

KEYS = (
    ("1-9", "use this recognizer"),
    ("Tab", "use the next one"),
    ("A", "add a recognizer"),
    ("D", "next face detector"),
    ("P", "pause analysis, go on"),
    ("R", "record, stop recording"),
    ("S", "save this picture"),
    ("H", "show or hide this help"),
    ("Q", "quit"),
)
"""The keys and what each does."""

_QUESTION = "Add a recognizer: its name or folder"
_ANSWERS = "Enter adds it, Esc goes back"


def draw_bars(canvas: Canvas, view: View, verdict: Verdict, room: Area) -> Area | None:
    """The probabilities of the largest face, one bar a class, with a tick where certainty begins."""
    cap, pad = canvas.small, round(0.8 * canvas.small)
    names = [shorten(to_ascii(name), cap, 10 * cap) for name in view.classes]
    is_large = room.height >= 30 * cap
    pitch = round((1.9 if is_large else 1.5) * cap)
    label = max(text_width(name, cap) for name in names)
    percent = text_width("100%", cap) if is_large else 0
    track = (11 if is_large else 6) * cap
    title = canvas.cap + round(1.5 * pad) if is_large else 0
    width = 2 * pad + label + pad + track + (percent + pad if percent else 0)
    height = 2 * pad + title + pitch * (len(names) - 1) + cap
    margin = pad
    if width + 2 * margin > 0.6 * room.width or height + 2 * margin > room.height:
        return None
    panel = Area(room.x1 + margin, room.y2 - margin - height, room.x1 + margin + width, room.y2 - margin)
    canvas.shade(panel, radius=pad)
    y = panel.y1 + pad
    if title:
        word = shorten(to_ascii(verdict.word), canvas.cap, width - 2 * pad)
        canvas.write(word, panel.x1 + pad, y, WHITE, canvas.cap, is_bold=True)
        y += title
    x = panel.x1 + pad + label + pad
    for index, (name, share) in enumerate(zip(names, view.probabilities[view.largest].tolist(), strict=True)):
        share = min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0
        ink = WHITE if index == verdict.label else GRAY
        canvas.write(name, panel.x1 + pad + label - text_width(name, cap), y, ink, cap)
        canvas.fill(Area(x, y, x + track, y + cap), TRACK)
        canvas.fill(Area(x, y, x + round(share * track), y + cap), color_of(view.classes[index], index))
        if percent:
            text = f"{100 * share:.0f}%"
            canvas.write(text, panel.x2 - pad - text_width(text, cap), y, ink, cap)
        y += pitch
    if 0 < view.certainty < 1:
        tick = x + round(view.certainty * track)
        canvas.fill(Area(tick, panel.y1 + pad + title, tick + max(1, cap // 8), y - pitch + cap), WHITE)
    return panel


def draw_marks(canvas: Canvas, view: View, room: Area) -> Area | None:
    """A red dot while pictures are written to disk, two strokes while nothing is analyzed; in words where they fit."""
    cap, pad = canvas.cap, round(0.75 * canvas.cap)
    marks = [word for word, is_on in (("REC", view.is_recording), ("PAUSED", view.is_paused)) if is_on]
    if not marks:
        return None
    height = cap + 2 * pad
    widths = [3 * pad + cap + text_width(word, cap) for word in marks]
    words = sum(widths) + pad * (len(marks) + 1) <= room.width and height + 2 * pad <= room.height
    if not words:
        widths = [2 * pad + cap for _ in marks]
    x = right = room.x2 - pad if words else room.x2
    top = room.y1 + pad if words else room.y1
    for word, width in zip(marks, widths, strict=True):
        chip = Area(x - width, top, x, top + height)
        canvas.shade(chip, radius=pad)
        _draw_mark(canvas, word, chip.x1 + pad, chip.y1 + pad)
        if words:
            canvas.write(word, chip.x1 + 2 * pad + cap, chip.y1 + pad, WHITE, cap, is_bold=True)
        x -= width + pad
    return Area(x + pad, top, right, top + height)


def _draw_mark(canvas: Canvas, word: str, x: int, y: int) -> None:
    cap = canvas.cap
    if word == "REC":
        canvas.disc(x + cap // 2, y + cap // 2, max(3, cap // 2), RED)
        return
    stroke = max(2, round(0.3 * cap))
    canvas.fill(Area(x, y, x + stroke, y + cap), WHITE)
    canvas.fill(Area(x + 2 * stroke, y, x + 3 * stroke, y + cap), WHITE)


def draw_prompt(canvas: Canvas, prompt: Prompt, room: Area, marks: Area | None) -> Area | None:
    """What the person is asked to do, with the time left as a number and as a bar; below the marks if they meet."""
    cap, pad = round(1.7 * canvas.cap), canvas.cap
    seconds = f"{max(0, math.ceil(prompt.seconds_left))} s"
    text = shorten(to_ascii(prompt.text), cap, room.width - 5 * pad - text_width(seconds, cap))
    width = text_width(text, cap) + 2 * pad + text_width(seconds, cap)
    line = max(2, cap // 5)
    size = (width + 2 * pad, cap + line + 3 * pad)
    panel = _centered(room, *size, top=room.y1 + pad)
    if marks and panel.overlaps(marks):
        panel = _centered(room, *size, top=marks.y2 + pad)
    if not text or not room.holds(panel):
        return None
    canvas.shade(panel, radius=pad)
    canvas.write(text, panel.x1 + pad, panel.y1 + pad, WHITE, cap, is_bold=True)
    canvas.write(seconds, panel.x2 - pad - text_width(seconds, cap), panel.y1 + pad, AMBER, cap)
    track = Area(panel.x1 + pad, panel.y2 - pad - line, panel.x2 - pad, panel.y2 - pad)
    share = min(max(prompt.seconds_left / prompt.seconds, 0.0), 1.0) if prompt.seconds > 0 else 0.0
    canvas.fill(track, TRACK)
    canvas.fill(track._replace(x2=track.x1 + round(share * track.width)), AMBER)
    return panel


def draw_question(canvas: Canvas, typed: str, room: Area) -> Area | None:
    """The line in which the name of a recognizer is typed."""
    cap, small, pad = canvas.cap, canvas.small, canvas.cap
    width = min(room.width - 2 * pad, 42 * cap)
    panel = _centered(room, width, 2 * small + cap + 6 * pad)
    if not room.holds(panel):
        return None
    canvas.shade(panel, radius=pad)
    x, inner = panel.x1 + pad, width - 2 * pad
    canvas.write(shorten(_QUESTION, small, inner), x, panel.y1 + pad, GRAY, small)
    field = Area(x, panel.y1 + small + 2 * pad, panel.x2 - pad, panel.y1 + small + cap + 4 * pad)
    canvas.fill(field, DARK, radius=pad // 2)
    caret = max(2, cap // 6)
    text = shorten(to_ascii(typed), cap, field.width - 2 * pad - 2 * caret, keep_end=True)
    canvas.write(text, x + pad, field.y1 + pad, WHITE, cap)
    at = x + pad + text_width(text, cap) + caret
    canvas.fill(Area(at, field.y1 + pad // 2, at + caret, field.y2 - pad // 2), AMBER)
    canvas.write(shorten(_ANSWERS, small, inner), x, panel.y2 - pad - small, GRAY, small)
    return panel


def draw_help(canvas: Canvas, room: Area) -> Area | None:
    """The page of keys."""
    for cap, spacing in ((canvas.cap, 2.8), (canvas.small, 2.4), (canvas.small, 1.4)):
        pitch, pad = round(spacing * cap), round(1.5 * cap)
        key = max(text_width(name, cap) for name, _ in KEYS) + 2 * cap
        width = key + cap + max(text_width(text, cap) for _, text in KEYS)
        panel = _centered(room, width + 2 * pad, pitch * (len(KEYS) - 1) + cap + 2 * pad)
        if room.holds(panel):
            break
    else:
        return None
    canvas.shade(panel, radius=cap)
    x, y = panel.x1 + pad, panel.y1 + pad
    for name, text in KEYS:
        if spacing > 2:
            canvas.fill(Area(x, y - cap // 2, x + key, y + cap + cap // 2), TRACK, radius=cap // 2)
        canvas.write(name, x + (key - text_width(name, cap)) // 2, y, WHITE, cap, is_bold=True)
        canvas.write(text, x + key + cap, y, WHITE, cap)
        y += pitch
    return panel


def _centered(room: Area, width: int, height: int, *, top: int | None = None) -> Area:
    x = room.x1 + (room.width - width) // 2
    y = room.y1 + (room.height - height) // 2 if top is None else top
    return Area(x, y, x + width, y + height)
