"""Text made to fit: letters that the font has, widths, and what is left of a line that is too long."""

from __future__ import annotations

import string

import numpy as np
import pytest

from ferbench.realtime.lettering import MIN_CAP, inked, shorten, text_width, to_ascii, wrap

WHITE = (255, 255, 255)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("hog_svm", "hog_svm"),
        ("Zoë's Straße", "Zoe's Strasse"),
        ("3 \N{MULTIPLICATION SIGN} 3 \N{EN DASH} 4", "3 x 3 - 4"),
        ("\N{LEFT DOUBLE QUOTATION MARK}a\N{RIGHT DOUBLE QUOTATION MARK}\N{HORIZONTAL ELLIPSIS}", '"a"...'),
        ("two\nlines\tand\x00more", "two lines and?more"),
        ("\N{GRINNING FACE}", "?"),
    ],
)
def test_to_ascii(text: str, shown: str) -> None:
    assert to_ascii(text) == shown


@pytest.mark.parametrize("cap", [MIN_CAP, 11, 40])
def test_ink_is_as_high_as_the_capitals_and_as_wide_as_the_text(cap: int) -> None:
    ink = inked("HAMBURG 0123", cap, WHITE)
    height, width = ink.cover.shape
    assert width == text_width("HAMBURG 0123", cap) + 2 * ink.left
    assert 0 <= ink.above <= 1 + cap // 8 and 0 <= height - cap - ink.above <= 1 + cap // 8
    assert ink.cover.min() >= 0 and ink.cover.max() <= 1
    assert ink.solid.shape == (height, width, 3) and (ink.solid == 255).all()
    np.testing.assert_allclose(ink.cover + ink.rest, 1, atol=1e-6)


@pytest.mark.parametrize("text", ["", " "])
def test_nothing_has_no_ink(text: str) -> None:
    assert not inked(text, 11, WHITE).cover.any()


def test_characters_can_be_told_from_each_other_but_for_capital_i() -> None:
    characters = [*string.ascii_letters.replace("I", ""), *string.digits, *" .,:;-_/%"]
    masks = {inked(character.ljust(2), MIN_CAP, WHITE).cover.tobytes() for character in characters}
    assert len(masks) == len(characters)


def test_bold_has_more_ink() -> None:
    assert inked("hog", 11, WHITE, True).cover.sum() > 1.2 * inked("hog", 11, WHITE).cover.sum()


@pytest.mark.parametrize("keep_end", [False, True])
@pytest.mark.parametrize("width", [0, 5, 20, 50, 99, 100, 150, 10_000])
def test_shorten_keeps_as_much_as_fits(width: int, keep_end: bool) -> None:
    text = "mini_xception_distilled"
    shown = shorten(text, 10, width, keep_end=keep_end)
    assert not shown or text_width(shown, 10) <= width
    if shown == text:
        return
    assert text_width(text, 10) > width
    if shown:
        assert text.endswith(shown[2:]) if keep_end else text.startswith(shown[:-2])


def test_wrap_breaks_between_words_and_shortens_the_last_line() -> None:
    text = "camera 0 is gone: trying again in 2 s"
    width = text_width("camera 0 is gone:", 10)
    assert wrap(text, 10, width, 3) == ["camera 0 is gone:", "trying again in 2", "s"]
    assert wrap(text, 10, width, 2) == ["camera 0 is gone:", shorten("trying again in 2 s", 10, width)]
    assert wrap("", 10, width, 2) == []
    assert wrap("averyveryverylongword and more", 10, text_width("averyveryve", 10), 3)[1:] == ["and more"]
