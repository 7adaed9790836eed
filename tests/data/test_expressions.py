from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferbench.data.expressions import ACTION_UNITS, PROTOTYPES, VARIANTS, action_units, columns_of
from ferbench.errors import ConfigError
from ferbench.types import EMOTIONS


def test_every_emotion_has_a_prototype_of_units_that_can_be_drawn() -> None:
    for table in (PROTOTYPES, VARIANTS):
        assert tuple(sorted(table)) == tuple(sorted(EMOTIONS))
        assert all(set(units) <= set(ACTION_UNITS) for units in table.values())


def test_no_two_emotions_have_one_prototype() -> None:
    assert len(set(PROTOTYPES.values())) == len(EMOTIONS)


def test_action_units_are_those_of_the_prototype() -> None:
    happy = action_units(np.array([EMOTIONS.index("happiness")]))
    assert happy.dtype == np.float32 and happy.shape == (1, len(ACTION_UNITS))
    assert np.flatnonzero(happy[0]).tolist() == columns_of((6, 12))


def test_neutral_shows_nothing() -> None:
    assert not action_units(np.array([EMOTIONS.index("neutral")])).any()


@given(st.floats(0, 1, width=32), st.integers(0, 6))
def test_intensity_scales_the_prototype(intensity: float, label: int) -> None:
    labels = np.array([label])
    np.testing.assert_array_equal(action_units(labels, intensity), action_units(labels) * np.float32(intensity))


def test_intensity_may_differ_from_face_to_face() -> None:
    units = action_units(np.array([3, 3]), np.array([0.25, 1.0]))
    assert units.max(axis=1).tolist() == [0.25, 1.0]


@pytest.mark.parametrize("intensity", [-0.1, 1.1, np.nan])
def test_intensity_out_of_range_is_refused(intensity: float) -> None:
    with pytest.raises(ConfigError, match="intensity must lie in 0 to 1"):
        action_units(np.array([0]), intensity)


@pytest.mark.parametrize("label", [-1, 7])
def test_a_label_that_is_no_emotion_is_refused(label: int) -> None:
    with pytest.raises(ConfigError, match="labels must lie in 0 to 6"):
        action_units(np.array([label]))


def test_no_faces_have_no_units() -> None:
    assert action_units(np.empty(0, np.int64)).shape == (0, len(ACTION_UNITS))
