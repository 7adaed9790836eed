import pytest

from ferbench.realtime.monitor import STAGES, Monitor

MS = (1.0, 2.0, 3.0, 4.0, 5.0)


def test_nothing_is_said_before_there_is_something_to_say() -> None:
    monitor = Monitor()
    assert monitor.fps is None and monitor.drop_rate is None and monitor.accuracy is None
    assert monitor.stages(0.0) == {}


def test_frames_a_second_count_intervals() -> None:
    monitor = Monitor()
    for number in range(11):
        monitor.note(("a", "haar"), number / 10, MS, 0)
    assert monitor.fps == pytest.approx(10)


def test_stages_are_median_and_95th_percentile() -> None:
    monitor = Monitor()
    for number in range(101):
        monitor.note(("a", "haar"), float(number), (float(number), *MS[1:]), 0)
    assert tuple(monitor.stages(200.0)) == STAGES
    assert monitor.stages(200.0)["capture"] == pytest.approx((50, 95))


def test_stages_are_computed_anew_four_times_a_second() -> None:
    monitor = Monitor()
    monitor.note(("a", "haar"), 0.0, MS, 0)
    first = monitor.stages(0.0)
    monitor.note(("a", "haar"), 0.1, (9.0, *MS[1:]), 0)
    assert monitor.stages(0.1) is first
    assert monitor.stages(0.3) != first


def test_a_swap_starts_the_clock_anew_and_keeps_each_ones_accuracy() -> None:
    monitor = Monitor()
    for number in range(5):
        monitor.note(("a", "haar"), float(number), MS, 0)
        monitor.note_faces(1, 2)
    monitor.note(("b", "haar"), 5.0, MS, 0)
    assert monitor.fps is None and monitor.accuracy is None
    monitor.note(("a", "haar"), 6.0, MS, 0)
    assert monitor.accuracy == (5, 10)


def test_dropped_frames_are_a_share_of_those_that_arrived() -> None:
    monitor = Monitor()
    monitor.note(("a", "haar"), 0.0, MS, 0)
    monitor.note(("a", "haar"), 1.0, MS, 2)
    assert monitor.drop_rate == 0.5
