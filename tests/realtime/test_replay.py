import numpy as np
import pytest

from ferbench import registry
from ferbench.errors import ConfigError, DatasetMissingError
from ferbench.realtime.replay import Replay, open_replay, replay_dataset
from ferbench.realtime.scenes import Scenes
from ferbench.types import EMOTIONS


def test_waiting_replay_gives_every_frame_with_its_truth(replay, clock) -> None:
    source = replay(5)
    frames = []
    while not source.is_finished:
        frames.append(source.read(0.0))
        clock.wait(10)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.arrived_at for frame in frames] == [100, 110, 120, 130, 140]
    assert all(len(frame.truth) == 1 and not frame.dropped for frame in frames)
    assert source.read(1.0) is None


def test_first_frame_of_a_paced_replay_arrives_when_it_is_asked_for(replay, clock) -> None:
    source = replay(fps=10)
    clock.wait(50)
    assert source.read(0.0).arrived_at == clock()


def test_paced_replay_waits_for_the_next_frame(replay, clock) -> None:
    source = replay(fps=10)
    source.read(1.0)
    frame = source.read(1.0)
    assert frame.index == 1 and frame.arrived_at == pytest.approx(100.1)
    assert clock() == pytest.approx(100.1)


def test_paced_replay_gives_nothing_before_its_time(replay, clock) -> None:
    source = replay(fps=10)
    source.read(0.0)
    assert source.read(0.04) is None
    assert clock() == pytest.approx(100.04)
    assert source.read(0.07).index == 1


def test_frames_that_come_while_nobody_reads_are_dropped_with_their_truths(replay, clock) -> None:
    source = replay(fps=10, frames_per_face=1)
    source.read(1.0)
    clock.wait(0.55)
    frame = source.read(1.0)
    assert frame.index == 5
    assert [arrival.index for arrival in frame.dropped] == [1, 2, 3, 4]
    assert [arrival.arrived_at for arrival in frame.dropped] == pytest.approx([100.1, 100.2, 100.3, 100.4])
    assert [arrival.truth.labels[0] for arrival in frame.dropped] == [
        source._scenes.truth(index).labels[0] for index in (1, 2, 3, 4)
    ]


@pytest.mark.parametrize("fps", [7.0, 29.97, 30.0, 1000 / 3])
def test_no_frame_is_lost_or_doubled_for_whoever_keeps_up(replay, fps: float) -> None:
    source = replay(200, fps=fps, width=64, height=64, face_sizes=(20, 30))
    frames = [source.read(1.0) for _ in range(200)]
    assert [frame.index for frame in frames] == list(range(200))
    assert not any(frame.dropped for frame in frames)
    assert source.is_finished


def test_every_frame_is_read_or_dropped_when_the_end_is_slept_through(replay, clock) -> None:
    source = replay(21, fps=30)
    source.read(1.0)
    clock.wait(100)
    last = source.read(1.0)
    assert last.index == 20 and len(last.dropped) == 19 and source.is_finished


def test_a_part_of_the_scenes_keeps_its_numbers(tiny, clock) -> None:
    scenes = Scenes(tiny.validation, tiny.classes)
    source = Replay(scenes, frames=range(7, 10), clock=clock, wait=clock.wait)
    frames = [source.read(0) for _ in range(3)]
    assert [frame.index for frame in frames] == [7, 8, 9] and source.is_finished
    assert np.array_equal(frames[1].image, scenes[8].image)


def test_closed_replay_gives_nothing(replay) -> None:
    with replay() as source:
        pass
    assert source.is_finished and source.read(1.0) is None


def test_rendering_is_the_cost_of_capture(tiny) -> None:
    ticks = iter(np.arange(1000) * 0.25)
    source = Replay(Scenes(tiny.validation, tiny.classes), clock=lambda: float(next(ticks)))
    assert source.read(0).capture_s == 0.25


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), float("inf")])
def test_senseless_pace_is_refused(replay, fps: float) -> None:
    with pytest.raises(ConfigError, match="fps must be above zero"):
        replay(fps=fps)


def test_frames_that_the_scenes_do_not_have_are_refused(tiny) -> None:
    with pytest.raises(ConfigError, match="The replay has frames 0 to 629, got 620 to 639"):
        Replay(Scenes(tiny.validation, tiny.classes), frames=range(620, 640))


def test_rendered_faces_stand_in_for_fer2013_and_it_is_said() -> None:
    said: list[str] = []
    source = open_replay(fps=None, notice=said.append)
    assert source.name == "replay of synthetic validation" and source.classes == EMOTIONS
    assert source.read(0).image.shape == (480, 640, 3)
    assert len(said) == 1 and "SAY NOTHING ABOUT REAL" in said[0] and "data prepare fer2013" in said[0]


def test_named_dataset_that_is_missing_is_not_replaced() -> None:
    with pytest.raises(DatasetMissingError):
        replay_dataset("fer2013")


def test_only_validation_faces_are_replayed(monkeypatch: pytest.MonkeyPatch, tiny) -> None:
    monkeypatch.setattr(registry, "_added", {})
    registry.add("datasets", "tiny", lambda: tiny)
    name, faces, classes = replay_dataset("tiny")
    assert name == "synthetic validation" and faces is tiny.validation and classes == EMOTIONS
