"""A replay in virtual time, and recognizers that do what a test wants."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ferbench.data.dataset import Dataset
from ferbench.realtime.replay import Replay
from ferbench.realtime.scenes import Scenes, SceneSettings
from ferbench.recognizers.prior import Prior


class FakeClock:
    """Seconds that pass only when someone waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


class Scripted(Prior):
    """Always says one class; takes its time on the fake clock; fails from the call `fails_at` on."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.answer, self.seconds, self.fails_at, self.clock = 0, 0.0, None, None
        self.n_calls = 0

    def _predict_proba(self, images):
        self.n_calls += 1
        if self.fails_at is not None and self.n_calls >= self.fails_at:
            raise RuntimeError("the network is gone")
        if self.clock is not None:
            self.clock.wait(self.seconds)
        return np.tile(np.eye(7, dtype=np.float32)[self.answer], (len(images), 1))


def _scripted(label: int = 0, *, clock: FakeClock | None = None, seconds: float = 0.0, fails_at: int | None = None):
    recognizer = Scripted().fit(np.zeros((7, 48, 48), np.uint8), np.arange(7))
    recognizer.answer, recognizer.clock, recognizer.seconds, recognizer.fails_at = label, clock, seconds, fails_at
    return recognizer


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def replay(tiny: Dataset, clock: FakeClock) -> Callable[..., Replay]:
    def make(n_frames: int = 21, *, fps: float | None = None, **settings) -> Replay:
        scenes = Scenes(tiny.validation, tiny.classes, SceneSettings(n_frames=n_frames, **settings), seed=0)
        return Replay(scenes, fps=fps, clock=clock, wait=clock.wait)

    return make


@pytest.fixture
def scripted() -> Callable[..., Scripted]:
    """A recognizer that always says one class; see `Scripted`."""
    return _scripted
