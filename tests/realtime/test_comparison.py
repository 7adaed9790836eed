import numpy as np
import pytest

from ferbench.faces.detectors import Faces, WholeFrame
from ferbench.faces.framing import Framing
from ferbench.realtime.comparison import compare, crop_cost
from ferbench.realtime.rows import RowLog
from ferbench.realtime.scenes import Scenes, SceneSettings
from ferbench.realtime.summary import summarize
from ferbench.realtime.tables import read_rows
from ferbench.realtime.true_boxes import TrueBoxes


class Every(TrueBoxes):
    """Finds the true boxes of even frames, and of odd ones only where a test says so."""

    name = "every"

    def find(self, frame):
        return super().find(frame) if frame.index % 2 == 0 else Faces.empty()


@pytest.fixture
def scenes(tiny) -> Scenes:
    return Scenes(tiny.validation, tiny.classes, SceneSettings(n_frames=21, frames_per_face=1), seed=0)


@pytest.fixture
def compared(tmp_path, scenes, clock, scripted):
    def run(detectors, recognizers, **settings):
        with RowLog(tmp_path / "rows") as log:
            compare(scenes, detectors, recognizers, log, clock=clock, wait=clock.wait, **settings)
        return read_rows(tmp_path / "rows")

    return run


def test_every_pair_is_shown_the_same_frames_and_another_begins_each_block(compared, scripted) -> None:
    rows = compared([TrueBoxes(), WholeFrame()], [("a", scripted(0)), ("b", scripted(3))], block=7)
    pairs = rows.frames.groupby(["recognizer", "detector"])["frame"].apply(list)
    assert len(pairs) == 4 and all(frames == list(range(21)) for frames in pairs)
    firsts = [rows.frames[rows.frames["frame"] == start].iloc[0] for start in (0, 7, 14)]
    assert [(row["recognizer"], row["detector"]) for row in firsts] == [
        ("a", "true_boxes"),
        ("b", "true_boxes"),
        ("a", "whole_frame"),
    ]


def test_a_scene_is_drawn_once_for_all_pairs_and_before_its_block(compared, scripted, scenes, monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr(
        Scenes, "_drawn", lambda self, index, own=Scenes._drawn: drawn.append(index) or own(self, index)
    )
    compared([TrueBoxes(), WholeFrame()], [("a", scripted(0)), ("b", scripted(3))], block=7)
    assert drawn == list(range(21))
    scenes[20]
    assert drawn[-2:] == [20, 20], "the last block is still in memory"


def test_a_paced_comparison_drops_what_comes_late(compared, scripted, clock) -> None:
    slow, fast = scripted(clock=clock, seconds=0.1), scripted()
    slow_seen, fast_seen = summarize(compared([TrueBoxes()], [("slow", slow), ("fast", fast)], fps=30.0))
    assert slow_seen.drop_rate > 0.5 and fast_seen.drop_rate == 0


def test_a_recognizer_that_fails_leaves_the_others_alone(compared, scripted) -> None:
    broken, fine = summarize(compared([TrueBoxes()], [("broken", scripted(fails_at=1)), ("fine", scripted())], block=5))
    assert broken.n_failed == 21 and fine.n_done == 21
    assert broken.labelled.accuracy.value == 0


def test_crop_cost_is_taken_on_found_faces_alone(compared, scripted, scenes) -> None:
    rows = compared([TrueBoxes(), Every()], [("a", scripted(3))])
    cost = crop_cost(rows, "a", "every")
    assert cost.n == 11 and cost.value == 0


def test_crop_cost_is_unknown_where_nothing_was_found(compared, scripted) -> None:
    class Blind(TrueBoxes):
        name = "blind"
        framing = Framing()

        def find(self, frame):
            return Faces(np.empty((0, 4), np.int32), np.empty(0, np.float32))

    rows = compared([TrueBoxes(), Blind()], [("a", scripted(3))])
    assert crop_cost(rows, "a", "blind") is None
