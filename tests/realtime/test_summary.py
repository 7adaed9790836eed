"""Every number by hand, in virtual time."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ferbench.faces.matching import match
from ferbench.realtime.agreement import accuracy_difference, agreements
from ferbench.realtime.answers import answered, paired
from ferbench.realtime.frames import Truth
from ferbench.realtime.rows import FrameRow, RowLog
from ferbench.realtime.summary import (
    RealtimeSummary,
    drop_rate,
    fps,
    frame_interval,
    macro_f1,
    percentiles,
    streaming_accuracy,
    summarize,
)
from ferbench.realtime.tables import Rows, read_rows
from ferbench.types import EMOTIONS

HERE, THERE = (100, 100, 200, 200), (400, 100, 500, 200)
ANGER, FEAR, HAPPINESS, SADNESS = 0, 2, 3, 4


class Said:
    """Faces at boxes, each with one emotion."""

    def __init__(self, *faces: tuple[tuple[int, int, int, int], int]) -> None:
        self.boxes = np.array([box for box, _ in faces], np.int32).reshape(-1, 4)
        self.scores = np.ones(len(faces), np.float32)
        self.probabilities = np.eye(7, dtype=np.float32)[[label for _, label in faces]]
        self.classes = EMOTIONS


def true(*faces: tuple[tuple[int, int, int, int], int], groups: list[int] | None = None) -> Truth:
    boxes = np.array([box for box, _ in faces], np.int32).reshape(-1, 4)
    return Truth(boxes, np.array([label for _, label in faces], np.int64), EMOTIONS, groups and np.array(groups))


def done(index: int, arrived_at: float, done_at: float, who: str = "cnn9", detector: str = "haar", **more) -> FrameRow:
    return FrameRow(index, arrived_at, "done", who, detector, done_at=done_at, **more)


def dropped(index: int, arrived_at: float, who: str = "cnn9") -> FrameRow:
    return FrameRow(index, arrived_at, "dropped", who, "haar")


@pytest.fixture
def logged(tmp_path: Path) -> Callable[..., Rows]:
    def read(*entries: tuple) -> Rows:
        with RowLog(tmp_path / "rows") as log:
            for entry in entries:
                log.add(*entry)
        return read_rows(tmp_path / "rows")

    return read


# Speed


def test_rate_counts_intervals_not_frames(logged) -> None:
    rows = logged(*[(done(index, index, 10 + 0.5 * index),) for index in range(5)])
    assert fps(rows) == pytest.approx(2.0)


def test_rate_leaves_out_swaps_and_pauses(logged) -> None:
    rows = logged(
        (done(0, 0.0, 0.0),),
        (done(1, 0.1, 0.1),),
        (done(2, 5.0, 5.0, "hog_svm"),),
        (done(3, 9.0, 9.0),),
        (done(4, 9.3, 9.3),),
        (FrameRow(5, 20.0, "paused", "cnn9", "haar"),),
        (done(6, 30.0, 30.0),),
        (done(7, 30.1, 30.1),),
    )
    assert fps(rows.select("cnn9", "haar")) == pytest.approx(3 / 0.5)
    assert fps(rows.select("hog_svm", "haar")) is None


def test_drop_rate_leaves_out_what_came_in_a_pause(logged) -> None:
    rows = logged(
        (done(0, 0, 1),), (dropped(1, 0.5),), (dropped(2, 0.6),), (done(3, 1, 2),), (FrameRow(4, 3, "paused"),)
    )
    assert drop_rate(rows) == 0.5


def test_age_runs_from_arrival_and_stages_are_those_that_were_timed(logged) -> None:
    rows = logged(*[(done(i, i, i + 0.001 * (i + 1), detect_ms=2.0 * i, recognize_ms=1.0),) for i in range(11)])
    summary = summarize(rows)[0]
    assert (
        summary.age is not None and summary.age.p50_ms == pytest.approx(6) and summary.age.p90_ms == pytest.approx(10)
    )
    assert set(summary.stages) == {"detect", "recognize"}
    assert summary.stages["detect"].p50_ms == pytest.approx(10) and summary.stages["detect"].n == 11


@pytest.mark.parametrize(("n", "has_p99"), [(999, False), (1000, True)])
def test_tail_is_left_out_below_a_thousand_frames(n: int, has_p99: bool) -> None:
    found = percentiles(np.arange(n, dtype=np.float64))
    assert found is not None and (found.p99_ms is not None) == has_p99
    assert found.p95_ms == pytest.approx(np.percentile(np.arange(n), 95))


def test_interval_is_that_between_arrivals_dropped_or_not(logged) -> None:
    rows = logged((done(0, 0.0, 1),), (dropped(1, 0.1),), (dropped(2, 0.2),), (done(3, 0.3, 1.3),), (done(4, 9, 9.1),))
    assert frame_interval(rows) == pytest.approx(0.1)


# Right and wrong


def test_accuracy_is_that_of_the_whole_path(logged) -> None:
    face, off = (100, 100, 200, 200), (180, 180, 280, 280)
    rows = logged(
        (done(0, 0, 1), true((face, FEAR)), Said((face, FEAR))),
        (done(1, 1, 2), true((face, FEAR)), Said((face, ANGER))),
        (done(2, 2, 3), true((face, FEAR)), Said((off, FEAR))),
        (done(3, 3, 4), true((face, ANGER)), Said()),
        (done(4, 4, 5), true(), Said((face, ANGER))),
    )
    labelled = summarize(rows)[0].labelled
    assert labelled is not None
    assert labelled.n_frames == 5
    assert labelled.accuracy.value == 0.25 and labelled.accuracy.n == 4
    assert labelled.detection_rate.value == 0.5
    assert labelled.accuracy_on_found.value == 0.5 and labelled.accuracy_on_found.n == 2
    assert labelled.n_false_faces == 2 and labelled.false_faces_per_frame == pytest.approx(0.4)


def test_macro_f1_by_hand(logged) -> None:
    rows = logged(
        (done(0, 0, 1), true((HERE, FEAR)), Said((HERE, FEAR))),
        (done(1, 1, 2), true((HERE, FEAR)), Said((HERE, ANGER))),
        (done(2, 2, 3), true((HERE, ANGER)), Said((HERE, ANGER))),
        (done(3, 3, 4), true((HERE, SADNESS)), Said()),
    )
    f1_fear, f1_anger, f1_sadness = 2 / 3, 2 / 3, 0.0
    assert macro_f1(answered(rows)) == pytest.approx((f1_fear + f1_anger + f1_sadness) / 3)


def test_failing_does_not_make_a_recognizer_better(logged) -> None:
    failed = FrameRow(1, 1, "failed", "cnn9", "haar", message="no memory")
    rows = logged((done(0, 0, 1), true((HERE, FEAR)), Said((HERE, FEAR))), (failed, true((HERE, FEAR))))
    summary = summarize(rows)[0]
    assert summary.n_failed == 1 and summary.labelled.accuracy.value == 0.5


def test_several_faces_are_matched_one_to_one(logged) -> None:
    rows = logged(
        (
            done(0, 0, 1),
            true((HERE, FEAR), (THERE, HAPPINESS)),
            Said((THERE, HAPPINESS), (HERE, FEAR), ((105, 100, 205, 200), ANGER)),
        )
    )
    labelled = summarize(rows)[0].labelled
    assert labelled.accuracy.value == 1.0 and labelled.n_false_faces == 1


def test_prompted_face_is_the_largest_one_found_and_nothing_is_called_false(logged) -> None:
    rows = logged(
        (done(0, 0, 1), Truth.anywhere(FEAR, EMOTIONS, 5), Said((HERE, FEAR), (THERE, ANGER))),
        (done(1, 1, 2), Truth.anywhere(FEAR, EMOTIONS, 5), Said((HERE, ANGER), (THERE, FEAR))),
        (done(2, 2, 3), None, Said((HERE, ANGER))),
    )
    labelled = summarize(rows)[0].labelled
    assert labelled.n_frames == 2 and labelled.accuracy.value == 0.5 and labelled.accuracy.n == 2
    assert labelled.n_false_faces == 0 and labelled.false_faces_per_frame is None


def test_interval_counts_faces_that_show_the_same_once(logged) -> None:
    rows = logged(
        *[
            (done(i, i, i + 1), true((HERE, FEAR), groups=[i // 20]), Said((HERE, FEAR if i < 20 else ANGER)))
            for i in range(40)
        ]
    )
    accuracy = summarize(rows)[0].labelled.accuracy
    assert (accuracy.value, accuracy.low, accuracy.high) == (0.5, 0.0, 1.0)


# Streaming accuracy


def test_prediction_counts_only_when_finished_at_the_deadline(logged) -> None:
    rows = logged(*[(done(i, i, i + 0.4), true((HERE, i % 7)), Said((HERE, i % 7))) for i in range(8)])
    assert streaming_accuracy(rows, 0.5).value == 1.0
    assert streaming_accuracy(rows, 0.3).value == 0.0
    assert streaming_accuracy(rows).value == 1.0


def test_dropped_frames_are_judged_by_what_is_on_the_screen(logged) -> None:
    """Two seconds a frame, a frame a second; read one second after arrival.

    Frame 0 (fear) is done at 2, frame 2 (anger) at 4. On the screen: at 1 nothing, at 2 and 3 fear, at 4 anger.
    """
    rows = logged(
        (done(0, 0.0, 2.0), true((HERE, FEAR)), Said((HERE, FEAR))),
        (dropped(1, 1.0), true((HERE, FEAR))),
        (done(2, 2.0, 4.0), true((HERE, ANGER)), Said((HERE, ANGER))),
        (dropped(3, 3.0), true((HERE, ANGER))),
    )
    right = [False, True, False, True]
    found = streaming_accuracy(rows, 1.0)
    assert found.n == 4 and found.value == np.mean(right)


def test_screen_must_show_the_face_where_it_is_now(logged) -> None:
    rows = logged(
        (done(0, 0.0, 1.5), true((HERE, FEAR)), Said((HERE, FEAR))),
        (dropped(1, 1.0), true((THERE, FEAR))),
        (dropped(2, 1.5), true(((110, 100, 210, 200), FEAR))),
    )
    assert streaming_accuracy(rows, 1.0).value == pytest.approx(1 / 3)


def test_each_frame_may_use_the_same_prediction_once_a_face(logged) -> None:
    rows = logged(
        (done(0, 0.0, 0.5), true((HERE, FEAR), (THERE, ANGER)), Said((HERE, FEAR), (THERE, ANGER))),
        (dropped(1, 1.0), true((HERE, FEAR), (THERE, ANGER))),
        (dropped(2, 2.0), true((HERE, FEAR), (HERE, FEAR))),
    )
    assert streaming_accuracy(rows, 1.0).value == pytest.approx(5 / 6)


def test_paused_frames_and_answers_from_before_a_swap_or_pause_do_not_count(logged) -> None:
    face = true((HERE, FEAR))
    rows = logged(
        (done(0, 0.0, 0.5), face, Said((HERE, FEAR))),
        (FrameRow(1, 1.0, "paused", "cnn9", "haar"), face),
        (dropped(2, 2.0), face),
        (done(3, 3.0, 3.5, "hog_svm"), face, Said((HERE, FEAR))),
        (dropped(4, 4.0), face),
    )
    assert streaming_accuracy(rows.select("cnn9", "haar"), 1.0).value == pytest.approx(1 / 3)
    assert streaming_accuracy(rows.select("hog_svm", "haar"), 1.0).value == 1.0


def simulate(log: RowLog, who: str, seconds: float, hit_rate: float, *, n: int = 900, face_lasts: int = 6) -> None:
    """A camera with 30 frames a second before a recognizer that takes its time and is right so often."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 7, -(-n // face_lasts)).repeat(face_lasts)[:n]
    now, next_frame = 0.0, 0
    while next_frame < n:
        now = max(now, next_frame / 30)
        newest = min(max(int(now * 30 + 1e-6), next_frame), n - 1)
        for index in range(next_frame, newest):
            log.add(dropped(index, index / 30, who), true((HERE, labels[index])))
        said = labels[newest] if rng.random() < hit_rate else (labels[newest] + 1) % 7
        row = done(newest, newest / 30, now + seconds, who)
        log.add(row, true((HERE, labels[newest])), Said((HERE, said)))
        now, next_frame = now + seconds, newest + 1


def test_slow_and_accurate_loses_to_fast_and_less_accurate(tmp_path: Path) -> None:
    with RowLog(tmp_path / "rows") as log:
        simulate(log, "slow", 0.250, 0.90)
        simulate(log, "fast", 0.010, 0.65)
    slow, fast = summarize(read_rows(tmp_path / "rows"))
    assert slow.labelled.accuracy.value > 0.8 and 0.6 < fast.labelled.accuracy.value < 0.7
    assert slow.labelled.streaming_accuracy.value < 0.35 < 0.6 < fast.labelled.streaming_accuracy.value
    assert slow.labelled.streaming_accuracy.n == fast.labelled.streaming_accuracy.n == 900
    assert slow.drop_rate > 0.8 and fast.drop_rate == 0
    assert slow.fps == pytest.approx(4, rel=0.05) and fast.fps == pytest.approx(30, rel=0.01)
    assert fast.labelled.deadline_s == pytest.approx(1 / 30, abs=1e-5)


# Matching


def test_matching_in_tables_is_that_of_the_loop() -> None:
    n_frames, n = 200, 6
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 40, (2, n_frames, n, 2))
    boxes = np.concatenate([corners, corners + rng.integers(5, 40, corners.shape)], axis=3).astype(np.int32)
    place = np.tile(np.arange(n), n_frames)
    true_faces, found = (
        pd.DataFrame(table.reshape(-1, 4), columns=["x1", "y1", "x2", "y2"]).assign(
            row=np.repeat(np.arange(n_frames), n), face=place
        )
        for table in boxes
    )
    answers = paired(true_faces, found, true_faces["row"].to_numpy()).reshape(n_frames, n)
    for frame in range(n_frames):
        partner = match(boxes[1, frame], boxes[0, frame])
        expected = np.full(n, -1)
        expected[partner[partner >= 0]] = np.flatnonzero(partner >= 0) + frame * n
        assert answers[frame].tolist() == expected.tolist()


# Records


def test_one_record_a_recognizer_and_detector_that_survives_json(logged) -> None:
    rows = logged(
        (done(0, 0, 1), true((HERE, FEAR)), Said((HERE, FEAR))),
        (done(1, 1, 2, "hog_svm"), true((HERE, FEAR)), Said()),
        (done(2, 2, 3, "cnn9", "yunet"), None, Said((HERE, FEAR))),
        (dropped(3, 3.0), true((HERE, FEAR))),
    )
    records = summarize(rows)
    assert [(r.recognizer, r.detector) for r in records] == [("cnn9", "haar"), ("hog_svm", "haar"), ("cnn9", "yunet")]
    assert [r.n_arrived for r in records] == [2, 1, 1]
    for record in records:
        assert RealtimeSummary.model_validate_json(record.model_dump_json()) == record


def test_without_labels_nothing_is_called_accuracy(logged) -> None:
    rows = logged((done(0, 0, 1), None, Said((HERE, FEAR))), (done(1, 1, 2), None, Said((HERE, ANGER))))
    record = summarize(rows)[0]
    assert record.labelled is None and record.fps == 1.0
    assert "accuracy" not in record.model_dump_json()
    assert streaming_accuracy(rows) is None


def test_no_rows_give_no_records(logged) -> None:
    assert summarize(logged()) == ()


def test_frames_known_to_show_nobody_are_labelled(logged) -> None:
    labelled = summarize(logged((done(0, 0, 1), true(), Said((HERE, FEAR)))))[0].labelled
    assert labelled.n_false_faces == 1 and labelled.accuracy is None and labelled.macro_f1 is None


def test_nothing_done_is_said_without_numbers(logged) -> None:
    record = summarize(logged((dropped(0, 0.0), true((HERE, FEAR)))))[0]
    assert record.fps is None and record.age is None and record.stages == {} and record.drop_rate == 1.0
    assert record.labelled.accuracy is None


# Two recognizers


def test_agreement_on_the_same_frames(logged) -> None:
    said = {"cnn9": (FEAR, FEAR, ANGER, FEAR), "hog_svm": (FEAR, ANGER, ANGER, SADNESS)}
    rows = logged(
        *[(done(i, i, i + 1, who), None, Said((HERE, label))) for who in said for i, label in enumerate(said[who])]
    )
    (agreement,) = agreements(rows)
    assert (agreement.one, agreement.other, agreement.detector) == ("cnn9", "hog_svm", "haar")
    assert agreement.basis == "same frames" and agreement.baseline is None
    assert agreement.share.value == 0.5 and agreement.share.n == 4


def test_agreement_leaves_out_faces_that_only_one_saw(logged) -> None:
    rows = logged(
        (done(0, 0, 1, "cnn9"), None, Said((HERE, FEAR), (THERE, ANGER))),
        (done(0, 0, 1, "hog_svm"), None, Said((THERE, ANGER))),
    )
    (agreement,) = agreements(rows)
    assert agreement.share.value == 1.0 and agreement.share.n == 1


def test_agreement_on_a_live_camera_is_that_across_swaps_beside_its_baseline(logged) -> None:
    said = [("cnn9", FEAR), ("cnn9", FEAR), ("hog_svm", FEAR), ("hog_svm", ANGER), ("cnn9", FEAR), ("cnn9", FEAR)]
    rows = logged(
        *[(done(i, i / 10, i / 10 + 0.05, who), None, Said((HERE, label))) for i, (who, label) in enumerate(said)]
    )
    (agreement,) = agreements(rows)
    assert agreement.basis == "swaps"
    assert agreement.share.value == 0.5 and agreement.share.n == 2
    assert agreement.baseline == pytest.approx(2 / 3)


def test_swap_across_a_pause_or_a_long_time_is_no_comparison(logged) -> None:
    rows = logged(
        (done(0, 0.0, 0.1, "cnn9"), None, Said((HERE, FEAR))),
        (FrameRow(1, 0.2, "paused"),),
        (done(2, 0.4, 0.5, "hog_svm"), None, Said((HERE, FEAR))),
        (done(3, 5.0, 5.1, "cnn9"), None, Said((HERE, FEAR))),
    )
    assert agreements(rows) == ()


def test_difference_is_paired_face_by_face(logged) -> None:
    rows = logged(
        *[(done(i, i, i + 1, "cnn9"), true((HERE, FEAR)), Said((HERE, FEAR if i < 8 else ANGER))) for i in range(10)],
        *[
            (done(i, i, i + 1, "hog_svm"), true((HERE, FEAR)), Said((HERE, FEAR if i < 5 else ANGER)))
            for i in range(11)
        ],
    )
    difference = accuracy_difference(rows, ("cnn9", "haar"), ("hog_svm", "haar"))
    assert difference.n == 10 and difference.value == pytest.approx(0.3)
    assert 0 <= difference.low < 0.3 < difference.high <= 0.7
    assert accuracy_difference(rows, ("cnn9", "haar"), ("cnn9", "yunet")) is None
