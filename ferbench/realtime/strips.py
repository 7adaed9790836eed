"""The strips across the picture: header, tabs, notices. Each takes a room and returns what is left of it.

A strip that would take too much of a small room is left out.
"""

from __future__ import annotations

import math

from ferbench.realtime.canvas import Area, Canvas, Color
from ferbench.realtime.lettering import shorten, text_width, to_ascii, wrap
from ferbench.realtime.palette import AMBER, DARK, GRAY, WHITE
from ferbench.realtime.view import View

_HINT = "H help"


def draw_header(canvas: Canvas, view: View, room: Area) -> Area:
    """Who recognizes, how fast and how well, and below it, where there is room, each stage's time."""
    cap, pad = canvas.cap, round(0.75 * canvas.cap)
    height = cap + 2 * pad
    if 6 * height > room.height:
        return room
    table = _stage_table(canvas, view, room)
    table_height = 2 * canvas.small + 2 * pad if table else 0
    bar = Area(room.x1, room.y1, room.x2, room.y1 + height + table_height)
    canvas.shade(bar)
    x, right, y = bar.x1 + pad, bar.x2 - pad, bar.y1 + pad
    name, detector = to_ascii(view.recognizer), to_ascii(view.detector)
    kept = text_width(shorten(name, cap, (right - x) // 3), cap)
    for text, color in _figures(view):
        width = text_width(text, cap)
        if right - width - 2 * pad < x + kept:
            break
        right -= width
        canvas.write(text, right, y, color, cap)
        right -= 2 * pad
    name = shorten(name, cap, right - x)
    canvas.write(name, x, y, WHITE, cap, is_bold=True)
    x += text_width(name, cap) + pad
    if detector and text_width(detector, cap) <= right - x:
        canvas.write(detector, x, y, GRAY, cap)
    y += cap + pad
    for column, (label, value) in enumerate(table):
        x = bar.x1 + pad + column * ((bar.width - 2 * pad) // len(table))
        canvas.write(label, x, y, GRAY, canvas.small)
        canvas.write(value, x, y + canvas.small + pad, WHITE if column else GRAY, canvas.small)
    return room._replace(y1=bar.y2)


def _figures(view: View) -> list[tuple[str, Color]]:
    figures: list[tuple[str, Color]] = []
    if view.fps is not None and math.isfinite(view.fps):
        figures.append((f"{view.fps:.1f} fps", WHITE))
    if view.accuracy is not None and view.accuracy[1] > 0:
        hits, total = view.accuracy
        figures.append((f"{100 * hits / total:.1f}% right of {total}", WHITE))
    if view.drop_rate is not None and math.isfinite(view.drop_rate):
        figures.append((f"{100 * view.drop_rate:.0f}% dropped", GRAY))
    return figures


def _stage_table(canvas: Canvas, view: View, room: Area) -> list[tuple[str, str]]:
    rows = [(to_ascii(stage), f"{_ms(p50)} / {_ms(p95)}") for stage, (p50, p95) in view.stages.items()]
    if not rows or room.height < 24 * (canvas.cap + canvas.small):
        return []
    table = [("stage", "p50 / p95 ms"), *rows]
    column = (room.width - 2 * canvas.cap) // len(table) - canvas.small
    return table if all(text_width(text, canvas.small) <= column for row in table for text in row) else []


def _ms(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def draw_tabs(canvas: Canvas, view: View, room: Area) -> Area:
    """The recognizers that can be chosen and the keys that choose them, around the one in use."""
    cap, pad = canvas.small, round(0.55 * canvas.small)
    height = cap + 4 * pad
    if 6 * height > room.height:
        return room
    bar = Area(room.x1, room.y2 - height, room.x2, room.y2)
    canvas.shade(bar)
    y = bar.y1 + 2 * pad
    hint = text_width(_HINT, cap)
    end = bar.x2 - 2 * pad
    if hint <= bar.width // 3:
        canvas.write(_HINT, end - hint, y, GRAY, cap)
        end -= hint + 2 * pad
    texts = [_tab(index, name, cap) for index, name in enumerate(view.recognizers)]
    widths = [text_width(text, cap) + 2 * pad for text in texts]
    x = bar.x1 + pad
    for index in _window(widths, max(view.current, 0), end - x - pad, pad):
        tab = Area(x, bar.y1 + pad, x + widths[index], bar.y2 - pad)
        if index == view.current:
            canvas.fill(tab, WHITE, radius=pad)
        canvas.write(texts[index], x + pad, y, DARK if index == view.current else GRAY, cap)
        x += widths[index] + pad
    return room._replace(y2=bar.y1)


def _tab(index: int, name: str, cap: int) -> str:
    key = f"{index + 1} " if index < 9 else ""
    return key + shorten(to_ascii(name), cap, 14 * cap, keep_end=True)


def _window(widths: list[int], middle: int, room: int, gap: int) -> range:
    """The longest run of tabs that fits and has `middle` in it."""
    if middle >= len(widths) or widths[middle] > room:
        return range(0)
    first = last = middle
    left = room - widths[middle]
    while True:
        if last + 1 < len(widths) and widths[last + 1] + gap <= left:
            last += 1
            left -= widths[last] + gap
        elif first > 0 and widths[first - 1] + gap <= left:
            first -= 1
            left -= widths[first] + gap
        else:
            return range(first, last + 1)


def draw_notices(canvas: Canvas, view: View, room: Area) -> Area:
    """Sentences to be read, at the foot of the room."""
    cap, pad = canvas.small, round(0.7 * canvas.small)
    width = room.width - 4 * pad
    lines = [line for notice in view.notices for line in wrap(to_ascii(notice), cap, width, 3) if line]
    lines = lines[: max(0, room.height // 3 - pad) // (cap + pad)]
    if not lines:
        return room
    bar = Area(room.x1, room.y2 - len(lines) * (cap + pad) - pad, room.x2, room.y2)
    canvas.shade(bar)
    canvas.fill(bar._replace(x2=bar.x1 + max(2, pad // 2)), AMBER)
    for row, line in enumerate(lines):
        canvas.write(line, bar.x1 + 2 * pad, bar.y1 + pad + row * (cap + pad), AMBER, cap)
    return room._replace(y2=bar.y1)
