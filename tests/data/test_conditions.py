from __future__ import annotations

import numpy as np
import pytest

from ferbench.data.conditions import SETTINGS, Setting, covered_percent, draw_at
from ferbench.data.synthetic import DrawnFaces, draw_splits

LEVELS = [(name, setting) for name, settings in SETTINGS.items() for setting in settings]


def draw(setting: Setting, n: int = 21) -> DrawnFaces:
    return draw_at(setting, n, rng=np.random.default_rng(4))


@pytest.mark.parametrize(("name", "setting"), LEVELS, ids=lambda value: str(value))
def test_every_level_shows_the_same_persons_and_expressions(name: str, setting: Setting) -> None:
    free, drawn = draw({}), draw(setting)
    for column in ("labels", "persons", "units"):
        np.testing.assert_array_equal(getattr(drawn, column), getattr(free, column))
    np.testing.assert_array_equal(drawn.identity.skin, free.identity.skin)


@pytest.mark.parametrize(("name", "setting"), LEVELS, ids=lambda value: str(value))
def test_every_level_sets_its_columns_and_leaves_the_others(name: str, setting: Setting) -> None:
    free, drawn = draw({}).scene, draw(setting).scene
    for column in free.__slots__:
        if column in setting:
            assert np.abs(getattr(drawn, column)).tolist() == pytest.approx([setting[column]] * 21)
        elif column != "occlusion_x":
            np.testing.assert_array_equal(getattr(drawn, column), getattr(free, column))


@pytest.mark.parametrize(
    ("column", "setting"),
    [("yaw", {"yaw": 30.0}), ("light_yaw", {"light_yaw": 60.0}), ("occlusion_x", SETTINGS["hand"][1])],
)
def test_right_and_left_take_turns(column: str, setting: Setting) -> None:
    assert np.sign(getattr(draw(setting).scene, column)).tolist() == [1, -1] * 10 + [1]


def test_settings_start_with_none_and_grow() -> None:
    assert list(SETTINGS) == ["yaw", "light", "hand", "eyes", "mouth"]
    for settings in SETTINGS.values():
        strengths = [tuple(setting.values()) for setting in settings]
        assert strengths == sorted(strengths) and set(strengths[0]) == {0.0}


@pytest.mark.parametrize("kind", ["hand", "eyes", "mouth"])
def test_a_larger_occlusion_covers_more(kind: str) -> None:
    bare, *covered = (draw(setting) for setting in SETTINGS[kind])
    shares = [covered_percent(bare, faces) for faces in covered]
    assert covered_percent(bare, bare) == 0 < shares[0]
    assert shares == sorted(shares) and shares[-1] < 30


def test_the_emotions_are_equally_frequent_whatever_is_set() -> None:
    assert np.bincount(draw({"yaw": 45.0}, 70).labels).tolist() == [10] * 7


def test_nobody_is_in_a_dataset_of_the_same_seed() -> None:
    known = np.concatenate([split.identity.skin for split in draw_splits((210, 70, 70), seed=0)])
    drawn = draw_at({}, 210, rng=np.random.default_rng((0, 1)))
    assert not set(known.tolist()) & set(drawn.identity.skin.tolist())
