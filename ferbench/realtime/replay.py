"""Scenes as a source of frames: at their own pace like a camera, or one by one like a file."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from ferbench.data.dataset import Split
from ferbench.errors import ConfigError, DatasetMissingError
from ferbench.realtime.frames import Arrival, Clock, Frame, FrameSource, Wait
from ferbench.realtime.scenes import Scenes, SceneSettings
from ferbench.registry import create

_EARLY_S = 1e-6
_PARAMS = {"synthetic": {"n_train": 7, "n_test": 7}}  # validation faces are the same, and drawn in a second


class Replay(FrameSource):
    """Scenes that arrive one after the other, each frame with its truth. The first one arrives when it is asked for.

    Args:
        scenes: What is shown.
        name: For people.
        fps: Scenes a second: of those that arrived since the last read, the newest is given and the others are dropped.
            None: every scene waits to be read.
        frames: Which scenes, by number; frames keep these numbers. None: all.
        clock: Stamps the frames.
        wait: Passes the time until the next frame.

    Raises:
        ConfigError: `fps` is not above zero, or there are no such scenes.
    """

    def __init__(
        self,
        scenes: Scenes,
        *,
        name: str = "replay",
        fps: float | None = None,
        frames: range | None = None,
        clock: Clock = time.perf_counter,
        wait: Wait = time.sleep,
    ) -> None:
        if fps is not None and not 0 < fps < float("inf"):
            raise ConfigError(f"fps must be above zero, or none so that frames wait to be read, got {fps}.")
        frames = range(len(scenes)) if frames is None else frames
        if len(frames) and not 0 <= min(frames) <= max(frames) < len(scenes):
            raise ConfigError(f"The replay has frames 0 to {len(scenes) - 1}, got {frames.start} to {frames.stop - 1}.")
        self.name, self.fps, self.classes, self.status = name, fps, scenes.classes, ""
        self.is_finished = len(frames) == 0
        self._scenes, self._frames = scenes, frames
        self._clock, self._wait = clock, wait
        self._started_at: float | None = None
        self._place = 0

    def read(self, timeout: float) -> Frame | None:
        """The newest scene that arrived, or the next one within `timeout` seconds; None where there is none."""
        if self.is_finished:
            return None
        if self._started_at is None:
            self._started_at = self._clock()
        if self.fps is None:
            return self._frame(self._place, self._clock())
        place = self._newest(self.fps, self._started_at, timeout)
        return None if place is None else self._frame(place, self._started_at + place / self.fps)

    def close(self) -> None:
        """Show nothing more."""
        self.is_finished = True

    def _newest(self, fps: float, started_at: float, timeout: float) -> int | None:
        now = self._clock()
        due, deadline = started_at + self._place / fps, now + timeout
        while now < due - _EARLY_S:
            if now >= deadline - _EARLY_S:
                return None
            self._wait(min(due, deadline) - now)
            now = self._clock()
        return min(max(int((now - started_at + _EARLY_S) * fps), self._place), len(self._frames) - 1)

    def _frame(self, place: int, arrived_at: float) -> Frame:
        dropped = tuple(self._arrival(missed) for missed in range(self._place, place))
        started_at = self._clock()
        index = self._frames[place]
        image, truth = self._scenes[index]
        self._place = place + 1
        self.is_finished = self._place == len(self._frames)
        return Frame(index, arrived_at, image, truth, self._clock() - started_at, dropped)

    def _arrival(self, place: int) -> Arrival:
        arrived_at = (self._started_at or 0.0) + place / (self.fps or 1.0)
        index = self._frames[place]
        return Arrival(index, arrived_at, self._scenes.truth(index))


class ReplayFaces(NamedTuple):
    """Faces to replay: where they come from, for people, and what they are."""

    name: str
    faces: Split
    classes: tuple[str, ...]


def replay_dataset(name: str | None = None, *, notice: Callable[[str], None] = lambda text: None) -> ReplayFaces:
    """The validation faces of a dataset.

    Args:
        name: A registered dataset; None: FER2013, or rendered faces where it is not on this machine.
        notice: Told that rendered faces are used, and how to get FER2013.

    Raises:
        DatasetMissingError: the named dataset is not on this machine.
    """
    try:
        dataset = create("datasets", name or "fer2013", _PARAMS.get(name or ""))
    except DatasetMissingError as error:
        if name is not None:
            raise
        notice(f"FER2013 IS NOT HERE: RENDERED FACES ARE REPLAYED, WHICH SAY NOTHING ABOUT REAL ONES. {error}")
        dataset = create("datasets", "synthetic", _PARAMS["synthetic"])
    return ReplayFaces(f"{dataset.name} validation", dataset.validation, dataset.classes)


def open_replay(
    *,
    dataset: str | None = None,
    fps: float | None = 30.0,
    scenes: SceneSettings = SceneSettings(),  # noqa: B008  (frozen)
    seed: int = 0,
    clock: Clock = time.perf_counter,
    wait: Wait = time.sleep,
    notice: Callable[[str], None] = lambda text: None,
) -> Replay:
    """Replay the validation faces of a dataset.

    Args:
        dataset: A registered dataset; None: FER2013, or rendered faces where it is not on this machine.
        fps: Frames a second; None: every frame waits to be read.
        scenes: What is shown.
        seed: Decides order, places, sizes, motion and backdrops.
        clock: Stamps the frames.
        wait: Passes the time until the next frame.
        notice: Told what is used in place of what is missing.

    Raises:
        DatasetMissingError: the named dataset is not on this machine.
        ConfigError: the settings do not fit together.
    """
    name, faces, classes = replay_dataset(dataset, notice=notice)
    shown = Scenes(faces, classes, scenes, seed=seed)
    return Replay(shown, name=f"replay of {name}", fps=fps, clock=clock, wait=wait)
