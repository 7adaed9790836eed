from itertools import pairwise

import pytest

from ferbench.errors import ConfigError
from ferbench.realtime.prompts import Prompts
from ferbench.types import EMOTIONS


def test_every_emotion_is_asked_for_once_a_round_and_never_twice_in_a_row() -> None:
    for seed in range(20):
        order = Prompts(EMOTIONS, rounds=3, seed=seed).order
        assert [sorted(order[start : start + 7]) for start in (0, 7, 14)] == [list(range(7))] * 3
        assert all(first != second for first, second in pairwise(order))


def test_the_order_follows_the_seed() -> None:
    assert Prompts(EMOTIONS, seed=1).order == Prompts(EMOTIONS, seed=1).order
    assert len({tuple(Prompts(EMOTIONS, seed=seed).order) for seed in range(10)}) > 5


def test_the_first_second_carries_no_label_and_the_rest_do() -> None:
    prompts = Prompts(EMOTIONS, seconds=5, settle=1)
    assert prompts.truth(0.99) is None
    assert prompts.truth(1.0).labels.tolist() == [prompts.order[0]]
    assert prompts.truth(4.99).labels.tolist() == [prompts.order[0]]
    assert prompts.truth(5.5) is None
    second = prompts.truth(6.0)
    assert second.labels.tolist() == [prompts.order[1]] and second.groups.tolist() == [1]


def test_what_is_shown_says_what_to_do_and_how_long() -> None:
    prompts = Prompts(["surprise"], seconds=5)
    shown = prompts.shown(2.0)
    assert (shown.text, shown.seconds_left, shown.seconds) == ("look surprised", 3.0, 5)


def test_nothing_is_asked_before_the_start_or_after_the_end() -> None:
    prompts = Prompts(EMOTIONS, seconds=2, settle=0.5)
    assert prompts.total_seconds == 14
    assert prompts.shown(-0.1) is None and prompts.shown(14.0) is None and prompts.truth(14.5) is None
    assert prompts.is_over(14.0) and not prompts.is_over(13.9)


@pytest.mark.parametrize(
    ("classes", "settings"),
    [((), {}), (EMOTIONS, {"rounds": 0}), (EMOTIONS, {"seconds": 1.0, "settle": 1.0}), (EMOTIONS, {"settle": -1.0})],
)
def test_settings_that_leave_nothing_to_count_are_refused(classes, settings) -> None:
    with pytest.raises(ConfigError):
        Prompts(classes, **settings)
