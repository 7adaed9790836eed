import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ferbench.errors import SourceError
from ferbench.faces.detectors import WholeFrame
from ferbench.realtime.choice import Choice
from ferbench.realtime.lineup import Lineup
from ferbench.realtime.prompts import Prompts
from ferbench.realtime.rows import RowLog
from ferbench.realtime.session import Session, SessionSettings
from ferbench.realtime.summary import summarize
from ferbench.realtime.tables import read_rows
from ferbench.realtime.true_boxes import TrueBoxes
from ferbench.types import EMOTIONS


class Broken(WholeFrame):
    """Finds faces until it does not."""

    name = "broken"

    def detect(self, image):
        raise RuntimeError("the model is gone")


@pytest.fixture
def watch(tmp_path: Path, clock):
    def run(source, recognizers, detectors=None, **settings):
        lineup = recognizers if isinstance(recognizers, Lineup) else Lineup(recognizers)
        prompts = settings.pop("prompts", None)
        with RowLog(tmp_path / "rows") as log:
            session = Session(
                source,
                Choice("detector", [(detector.name, detector) for detector in detectors or (TrueBoxes(),)]),
                lineup,
                log,
                settings=SessionSettings(**settings),
                prompts=prompts,
                clock=clock,
            )
            session.run()
        return read_rows(tmp_path / "rows")

    return run


def test_every_frame_of_a_waiting_source_has_a_row_and_every_face_one(watch, replay, scripted) -> None:
    rows = watch(replay(21), [("happy", scripted(3))])
    assert rows.frames["frame"].tolist() == list(range(21))
    assert set(rows.frames["outcome"]) == {"done"} and set(rows.frames["recognizer"]) == {"happy"}
    assert len(rows.faces) == len(rows.truths) == 21
    assert set(rows.faces["emotion"]) == {"happiness"}


def test_accuracy_is_that_of_the_labels(watch, replay, scripted) -> None:
    (summary,) = summarize(watch(replay(21, frames_per_face=1), [("happy", scripted(3))]))
    assert summary.labelled.accuracy.value == pytest.approx(3 / 21)
    assert summary.labelled.detection_rate.value == 1.0


def test_late_frames_of_a_paced_source_are_dropped_and_have_rows(watch, replay, clock, scripted) -> None:
    rows = watch(replay(30, fps=30), [("slow", scripted(clock=clock, seconds=0.1))])
    assert rows.frames["frame"].tolist() == list(range(30))
    counts = Counter(rows.frames["outcome"])
    assert counts["dropped"] >= 19 and counts["done"] >= 9
    assert len(rows.truths) == 30


def test_a_swap_between_two_frames_drops_nothing_and_names_every_row_right(watch, replay, clock, scripted) -> None:
    pair = [("happy", scripted(3, clock=clock, seconds=0.01)), ("sad", scripted(4, clock=clock, seconds=0.01))]
    rows = watch(replay(120, fps=30), pair, swap_seconds=1.0)
    assert set(rows.frames["outcome"]) == {"done"}
    said = dict(zip(rows.faces["recognizer"], rows.faces["emotion"], strict=True))
    assert said == {"happy": "happiness", "sad": "sadness"}
    assert rows.frames["recognizer"].tolist() == [("happy", "sad")[frame // 30 % 2] for frame in range(120)]


def test_a_recognizer_that_raises_is_replaced_on_the_same_frame(watch, replay, scripted) -> None:
    lineup = Lineup([("safe", scripted(3)), ("broken", scripted(4, fails_at=6))])
    lineup.select(1)
    rows = watch(replay(12), lineup)
    assert set(rows.frames["outcome"]) == {"done"}
    assert rows.frames["recognizer"].tolist() == ["broken"] * 5 + ["safe"] * 7
    assert "broken failed, safe carries on: the network is gone" in rows.frames["message"][5]


def test_the_only_recognizer_failing_marks_frames_and_the_loop_goes_on(watch, replay, scripted) -> None:
    rows = watch(replay(6), [("broken", scripted(fails_at=4))])
    assert rows.frames["outcome"].tolist() == ["done"] * 3 + ["failed"] * 3
    assert rows.frames["message"].str.contains("the network is gone").sum() == 3


def test_a_detector_that_raises_is_replaced(watch, replay, scripted) -> None:
    rows = watch(replay(3), [("a", scripted())], detectors=(Broken(), WholeFrame()))
    assert rows.frames["detector"].tolist() == ["whole_frame"] * 3
    assert "broken failed, whole_frame carries on" in rows.frames["message"][0]


def test_true_boxes_without_labels_fail_with_a_sentence(watch, replay) -> None:
    from ferbench.realtime.frames import Frame

    with pytest.raises(SourceError, match="needs frames with labelled faces"):
        TrueBoxes().find(Frame(0, 0.0, np.zeros((48, 48, 3), np.uint8)))


def test_a_session_ends_after_its_frames_or_its_seconds(watch, replay, scripted) -> None:
    assert len(watch(replay(20), [("a", scripted())], max_frames=5).frames) == 5


def test_a_session_ends_after_its_seconds(watch, replay, scripted) -> None:
    assert len(watch(replay(60, fps=30), [("a", scripted())], max_seconds=1.0).frames) == 31


def test_prompts_label_the_frames_of_a_source_and_end_the_session(watch, replay, scripted) -> None:
    prompts = Prompts(["happiness", "anger"], seconds=2, settle=1)
    rows = watch(replay(300, fps=10), [("happy", scripted(3))], detectors=(WholeFrame(),), prompts=prompts)
    assert 39 <= len(rows.frames) <= 42
    (summary,) = summarize(rows)
    assert summary.labelled.accuracy.n == 20
    assert summary.labelled.accuracy.value == 0.5


def test_frames_without_faces_are_done_and_cost_no_answer(watch, replay, scripted) -> None:
    rows = watch(replay(10, faces_per_frame=0), [("a", scripted())])
    assert set(rows.frames["outcome"]) == {"done"} and len(rows.faces) == 0


def test_thirty_faces_go_in_one_call(watch, replay, scripted) -> None:
    recognizer = scripted()
    rows = watch(replay(2, faces_per_frame=30, face_sizes=(48, 64)), [("a", recognizer)])
    assert recognizer.n_calls == 2 and len(rows.faces) == 60


def test_smoothing_starts_anew_after_a_swap(watch, replay, scripted) -> None:
    lineup = Lineup([("happy", scripted(3)), ("sad", scripted(4))])
    rows = watch(replay(4), lineup, smoothing=0.5)
    assert rows.faces["confidence"].tolist() == [1.0] * 4


def test_rows_so_far_are_safe_when_the_loop_is_interrupted(tmp_path, replay, clock, scripted) -> None:
    class Interrupted(WholeFrame):
        n_calls = 0

        def detect(self, image):
            self.n_calls += 1
            if self.n_calls == 4:
                raise KeyboardInterrupt
            return super().detect(image)

    with pytest.raises(KeyboardInterrupt), RowLog(tmp_path / "rows") as log:
        Session(replay(9), Choice("detector", [("x", Interrupted())]), Lineup([("a", scripted())]), log).run()
    with (tmp_path / "rows" / "frames.csv").open() as stream:
        assert [row["index"] for row in csv.DictReader(stream)] == ["0", "1", "2"]


def test_classes_of_a_recognizer_may_be_others_than_those_of_the_frames(watch, replay, scripted) -> None:
    fewer = scripted(0)
    fewer.classes = (*EMOTIONS[1:], EMOTIONS[0])
    rows = watch(replay(21, frames_per_face=1), [("a", fewer)])
    assert set(rows.faces["emotion"]) == {"disgust"}
