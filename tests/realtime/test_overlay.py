"""What is drawn: nothing outside or over other text, at any size, whatever there is to say."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from ferbench.data.emotions import LABEL_SETS
from ferbench.errors import ImagesError
from ferbench.realtime import overlay
from ferbench.realtime.canvas import Area, Canvas
from ferbench.realtime.lettering import MIN_CAP, text_width
from ferbench.realtime.overlay import draw
from ferbench.realtime.palette import RED, color_of, ink_on
from ferbench.realtime.panel import KEYS
from ferbench.realtime.view import UNCERTAIN, Prompt, View
from ferbench.types import EMOTIONS, FrameImage

SIZES = [
    *((64, 48), (160, 120), (320, 240), (240, 320), (640, 480), (1280, 720), (1920, 1080), (1080, 1920)),
    *((3840, 2160), (1, 1), (17, 400), (2000, 60)),
]
RECOGNIZERS = ("hog_svm", "cnn9", "lbp_svm", "mini_xception", "prior")
STAGES = {
    "capture": (2.14, 3.4),
    "detect": (6.2, 7.9),
    "crop": (0.13, 0.22),
    "recognize": (1.84, 112.41),
    "draw": (np.nan, np.inf),
}


def frame(size: tuple[int, int], kind: str = "noise") -> FrameImage:
    width, height = size
    if kind == "noise":
        return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return np.full((height, width, 3), {"black": 0, "white": 255, "gray": 128}[kind], np.uint8)


def faces(n: int, size: tuple[int, int], classes: tuple[str, ...] = EMOTIONS, share: float = 0.7) -> dict[str, object]:
    """`n` boxes spread over the frame and past its border, and probabilities that name one class after the other."""
    width, height = size
    rng = np.random.default_rng(n)
    corners = rng.uniform(-0.1, 0.9, (n, 2)) * (width, height)
    boxes = np.concatenate([corners, corners + rng.uniform(0.1, 0.6, (n, 1)) * height], axis=1)
    probabilities = np.full((n, len(classes)), (1 - share) / (len(classes) - 1))
    probabilities[np.arange(n), np.arange(n) % len(classes)] = share
    return {
        "boxes": np.clip(boxes, 0, (width, height, width, height)).astype(np.int32),
        "probabilities": probabilities.astype(np.float32),
        "classes": classes,
    }


def views(size: tuple[int, int]) -> dict[str, View]:
    right, down = np.array(size) / 10
    face = {**faces(1, size), "boxes": np.array([[5 * right, 3 * down, 8 * right, 7 * down]]).astype(np.int32)}
    plain = View(
        recognizer="hog_svm",
        detector="yunet",
        **face,
        certainty=0.4,
        fps=31.2,
        stages=STAGES,
        drop_rate=0.02,
        accuracy=(641, 1000),
        recognizers=RECOGNIZERS,
        current=0,
    )
    name = "acme.a_recognizer_with_a_name_that_is_far_too_long_for_any_screen"
    notices = ("camera 0 is gone: trying again in 2 s", "A sentence that goes on and on. " * 12)
    return {
        "nothing": View(),
        "plain": plain,
        "no face": replace(plain, **faces(0, size)),
        "two faces": replace(plain, **faces(2, size)),
        "thirty faces": replace(plain, **faces(30, size)),
        "whole frame": replace(plain, boxes=np.array([[0, 0, *size]], np.int32)),
        "empty box": replace(plain, boxes=np.zeros((1, 4), np.int32)),
        "outside": replace(plain, boxes=np.array([[-500, -500, -400, -400]], np.int32)),
        "not recognized": replace(plain, probabilities=np.zeros((0, 7), np.float32)),
        "not finite": replace(plain, probabilities=np.full((1, 7), np.nan, np.float32), fps=np.nan, drop_rate=np.nan),
        "uncertain": replace(plain, certainty=0.9),
        "eight classes": replace(plain, **faces(3, size, LABEL_SETS["ferplus8"])),
        "eleven classes": replace(plain, **faces(3, size, LABEL_SETS["rafdb11"])),
        "long names": replace(plain, recognizer=name, detector=name, recognizers=(name,) * 14, current=11),
        "other letters": replace(plain, recognizer="möwe \N{EN DASH} 認識", notices=("Die Kamera\n\tfällt aus",)),
        "none chosen": replace(plain, current=-1),
        "notices": replace(plain, notices=notices),
        "recording": replace(plain, is_recording=True),
        "prompt": replace(plain, prompt=Prompt("look surprised", 3.2, 5.0), is_recording=True, is_paused=True),
        "long prompt": replace(plain, prompt=Prompt("look " + "surprised " * 20, -1.0, 0.0)),
        "help": replace(plain, has_help=True, is_paused=True, notices=notices),
        "typed": replace(plain, typed="reports/" + "very_deep/" * 20 + "Model", is_recording=True),
        "typed nothing": replace(plain, typed=""),
    }


NAMES = tuple(views((64, 48)))


class Page(Canvas):
    """A canvas that remembers what was written and where."""

    def __init__(self, image: FrameImage) -> None:
        super().__init__(image)
        self.lines: list[tuple[str, Area, int]] = []
        PAGES.append(self)

    def write(self, text, x, y, color, cap, **options) -> None:  # type: ignore[no-untyped-def]
        super().write(text, x, y, color, cap, **options)
        if text:
            self.lines.append((text, Area(x, y, x + text_width(text, cap), y + cap), cap))


PAGES: list[Page] = []


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(overlay, "Canvas", Page)

    def lines(size: tuple[int, int], view: View) -> list[tuple[str, Area, int]]:
        PAGES.clear()
        draw(frame(size, "gray"), view)
        return PAGES[0].lines

    return lines


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_text_is_whole_and_large_enough_and_lies_on_no_other(name: str, size: tuple[int, int], written) -> None:  # type: ignore[no-untyped-def]
    lines = written(size, views(size)[name])
    for text, area, cap in lines:
        assert text.isascii() and text.isprintable()
        assert cap >= MIN_CAP
        assert Area(0, 0, *size).holds(area), text
    for (one, here, _), (other, there, _) in combinations(lines, 2):
        assert not here.overlaps(there), (one, other)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(64, 48), (320, 240), (640, 480)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_new_picture_of_the_same_size_comes_back(name: str, size: tuple[int, int]) -> None:
    image, view = frame(size), views(size)[name]
    before = image.copy()
    image.flags.writeable = False
    drawn = draw(image, view)
    assert drawn.shape == image.shape and drawn.dtype == np.uint8
    assert not np.shares_memory(drawn, image) and (image == before).all()
    assert (draw(image, view) == drawn).all()


def test_an_empty_view_shows_the_picture_as_it_is_on_a_tiny_frame() -> None:
    image = frame((64, 48))
    assert (draw(image, View()) == image).all()


def test_any_layout_of_memory_is_drawn_alike() -> None:
    image, view = frame((640, 480)), views((640, 480))["two faces"]
    assert (draw(np.asfortranarray(image), view) == draw(image, view)).all()
    assert (draw(image[:, ::-1], view) == draw(image[:, ::-1].copy(), view)).all()


def test_pixels_away_from_panels_and_faces_are_untouched() -> None:
    view = replace(views((640, 480))["plain"], boxes=np.array([[300, 200, 400, 300]], np.int32))
    image = frame((640, 480))
    drawn = draw(image, view)
    assert (drawn[203:297, 303:397] == image[203:297, 303:397]).all()
    assert (drawn[80:, 480:][:360] == image[80:, 480:][:360]).all()


def test_a_small_frame_says_what_matters(written) -> None:  # type: ignore[no-untyped-def]
    lines = [text for text, _, _ in written((320, 240), views((320, 240))["plain"])]
    assert {"hog_svm", "31.2 fps", "64.1% right of 1000", "anger 70%", *EMOTIONS, "1 hog_svm"} <= set(lines)
    assert not any("p50" in text for text in lines)


def test_a_larger_frame_says_everything(written) -> None:  # type: ignore[no-untyped-def]
    lines = [text for text, _, _ in written((640, 480), views((640, 480))["plain"])]
    assert {"yunet", "2% dropped", "p50 / p95 ms", "2.1 / 3.4", "1.8 / 112", "- / -", *STAGES} <= set(lines)
    assert {f"{number} {name}" for number, name in enumerate(RECOGNIZERS, 1)} <= set(lines)


@pytest.mark.parametrize("accuracy", [None, (0, 0)])
def test_nothing_is_right_or_wrong_without_labels(accuracy: tuple[int, int] | None, written) -> None:  # type: ignore[no-untyped-def]
    view = replace(views((1280, 720))["plain"], accuracy=accuracy)
    assert not any("right" in text for text, _, _ in written((1280, 720), view))


def test_a_face_below_the_threshold_reads_uncertain(written) -> None:  # type: ignore[no-untyped-def]
    lines = [text for text, _, _ in written((640, 480), views((640, 480))["uncertain"])]
    assert f"{UNCERTAIN} 70%" in lines and "anger 70%" not in lines


def test_every_face_with_room_has_a_label(written) -> None:  # type: ignore[no-untyped-def]
    size = (1920, 1080)
    x, y = np.meshgrid(np.arange(6) * 300 + 50, np.arange(5) * 170 + 170)
    boxes = np.stack([x.ravel(), y.ravel(), x.ravel() + 100, y.ravel() + 100], axis=1).astype(np.int32)
    view = replace(views(size)["thirty faces"], boxes=boxes)
    labels = [text for text, _, _ in written(size, view) if text.endswith(" 70%")]
    assert len(labels) == 30 - sum(_is_under_the_bars(box, size) for box in boxes)


def _is_under_the_bars(box: np.ndarray, size: tuple[int, int]) -> bool:
    return bool(box[0] < 460 and box[1] > 0.65 * size[1])


def test_help_explains_every_key(written) -> None:  # type: ignore[no-untyped-def]
    lines = [text for text, _, _ in written((320, 240), View(has_help=True))]
    assert {text for key in KEYS for text in key} <= set(lines)


def test_the_end_of_a_long_typed_path_is_seen(written) -> None:  # type: ignore[no-untyped-def]
    lines = [text for text, _, _ in written((320, 240), views((320, 240))["typed"])]
    assert any(text.startswith("..") and text.endswith("very_deep/Model") for text in lines)


def test_the_tab_in_use_is_shown_when_not_all_fit(written) -> None:  # type: ignore[no-untyped-def]
    names = tuple(f"recognizer_{number}" for number in range(20))
    lines = [text for text, _, _ in written((320, 240), View(recognizers=names, current=4))]
    assert "5 recognizer_4" in lines and "1 recognizer_0" not in lines


@pytest.mark.parametrize("size", [(64, 48), (320, 240), (1920, 1080)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_recording_is_always_marked_red(size: tuple[int, int]) -> None:
    off, on = (draw(frame(size, "gray"), View(is_recording=is_recording)) for is_recording in (False, True))
    assert not (off == RED).all(axis=2).any() and (on == RED).all(axis=2).any()


def test_pausing_shows() -> None:
    off, on = (draw(frame((64, 48), "gray"), View(is_paused=is_paused)) for is_paused in (False, True))
    assert (off != on).any()


@pytest.mark.parametrize("kind", ["black", "white", "gray", "noise"])
@pytest.mark.parametrize("size", [(320, 240), (1920, 1080)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_text_stands_out_on_any_background(kind: str, size: tuple[int, int], written) -> None:  # type: ignore[no-untyped-def]
    view = views(size)["plain"]
    lines = written(size, view)
    drawn = draw(frame(size, kind), view)
    for text, area, _ in lines:
        luminance = _luminance(drawn[area.y1 : area.y2, area.x1 : area.x2])
        light, dark = np.quantile(luminance, 0.97), np.quantile(luminance, 0.03)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, text


def test_bars_are_as_long_as_the_probabilities() -> None:
    share = {emotion: index / 10 for index, emotion in enumerate(EMOTIONS)}
    view = View(
        boxes=np.array([[500, 100, 600, 200]], np.int32), probabilities=np.array([[*share.values()]], np.float32)
    )
    drawn = draw(frame((640, 480), "black"), view)[250:450, :250]
    lengths = {emotion: int((drawn == color_of(emotion)).all(axis=2).sum(axis=1).max()) for emotion in EMOTIONS}
    whole = lengths["neutral"] / share["neutral"]
    for emotion in EMOTIONS[:-1]:
        assert lengths[emotion] == pytest.approx(share[emotion] * whole, abs=1.5)


def test_the_bars_are_those_of_the_largest_face() -> None:
    boxes = np.array([[400, 100, 420, 120], [500, 100, 600, 200]], np.int32)
    probabilities = np.eye(7, dtype=np.float32)[[0, 3]]
    drawn = draw(frame((640, 480), "black"), View(boxes=boxes, probabilities=probabilities))[250:450, :250]
    assert (drawn == color_of("happiness")).all(axis=2).any()
    assert not (drawn == color_of("anger")).all(axis=2).any()


def test_emotions_differ_in_color_and_can_be_written_on() -> None:
    colors = [color_of(emotion, index) for index, emotion in enumerate((*EMOTIONS, "contempt"))]
    assert len(set(colors)) == 8
    for color in colors:
        dark, light = sorted((_luminance(np.array(color)), _luminance(np.array(ink_on(color)))))
        assert (light + 0.05) / (dark + 0.05) >= 4.5
    assert color_of("happily_surprised", 9) == color_of("happily_surprised", 1)


def _luminance(pixels: np.ndarray) -> np.ndarray:
    """WCAG 2's relative luminance of BGR pixels."""
    parts = pixels / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ (0.0722, 0.7152, 0.2126)


@pytest.mark.parametrize(
    "image",
    [np.zeros((48, 64), np.uint8), np.zeros((48, 64, 4), np.uint8), np.zeros((48, 64, 3), np.float32)],
    ids=["gray", "alpha", "float"],
)
def test_draw_refuses_what_is_no_frame(image: np.ndarray) -> None:
    with pytest.raises(ImagesError, match=r"A frame must be uint8 \(height, width, 3\), got"):
        draw(image, View())


@pytest.mark.parametrize(
    ("boxes", "probabilities"),
    [((2, 3), (2, 7)), ((2, 4), (1, 7)), ((2, 4), (2, 8)), ((0, 4), (1, 7))],
)
def test_view_refuses_faces_that_do_not_fit(boxes: tuple[int, int], probabilities: tuple[int, int]) -> None:
    with pytest.raises(ImagesError, match="must be"):
        View(boxes=np.zeros(boxes, np.int32), probabilities=np.zeros(probabilities, np.float32))
