import pytest

from ferbench.realtime.rows import FrameRow, RowLog
from ferbench.realtime.swaps import swaps
from ferbench.realtime.tables import Rows, read_rows


@pytest.fixture
def rows(tmp_path):
    def write(*frames: tuple[str, str, float | None]) -> Rows:
        with RowLog(tmp_path / "rows") as log:
            for index, (recognizer, outcome, done_at) in enumerate(frames):
                log.add(FrameRow(index, index / 10, outcome, recognizer, "haar", done_at=done_at))
        return read_rows(tmp_path / "rows")

    return write


def test_gaps_are_told_apart_by_whether_a_swap_lay_in_them(rows) -> None:
    found = swaps(
        rows(
            ("a", "done", 0.0),
            ("a", "done", 0.1),
            ("b", "done", 0.25),
            ("b", "done", 0.35),
            ("b", "done", 0.75),
            ("a", "done", 0.80),
        )
    )
    assert (found.n, found.n_dropped) == (2, 0)
    assert found.longest_ms == pytest.approx(150)
    assert found.median_ms == pytest.approx(100)
    assert found.longest_other_ms == pytest.approx(400)


def test_frames_dropped_around_a_swap_are_counted(rows) -> None:
    found = swaps(
        rows(("a", "done", 0.0), ("a", "dropped", None), ("b", "dropped", None), ("b", "done", 0.4), ("b", "done", 0.5))
    )
    assert (found.n, found.n_dropped) == (1, 2)


def test_a_pause_is_no_swap(rows) -> None:
    found = swaps(rows(("a", "done", 0.0), ("a", "paused", None), ("b", "done", 9.0)))
    assert found.n == 0 and found.longest_ms is None and found.longest_other_ms is None


def test_no_frames_at_all_are_no_swaps(rows) -> None:
    assert swaps(rows()).n == 0
