"""What a camera loop reads: frames, what is known of them, and the one interface of everything that gives them.

All moments are seconds of one clock, `time.perf_counter` unless a source is given another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeAlias

import numpy as np

from ferbench.errors import DataError
from ferbench.types import Boxes, FrameImage, Groups, Labels

Clock: TypeAlias = Callable[[], float]
"""The present moment in seconds, from any origin."""

Wait: TypeAlias = Callable[[float], object]
"""Returns after so many seconds of the clock, or earlier."""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The labelled faces of one frame; none means that the frame is known to show no face.

    A box without area stands for a face whose place is not known: it is taken to be the largest one that is found.

    Attributes:
        boxes: int32, (k, 4): where the faces are.
        labels: int64, (k,), indices into `classes`.
        classes: Names of the classes.
        groups: int64, (k,): faces of any frames that are not independent share an id (one picture, one person, one
            prompt); None: the faces of one frame do.

    Raises:
        DataError: the arrays are not of one length.
    """

    boxes: Boxes
    labels: Labels
    classes: tuple[str, ...]
    groups: Groups | None = None

    def __post_init__(self) -> None:
        n = len(self.labels)
        if self.boxes.shape != (n, 4) or (self.groups is not None and self.groups.shape != (n,)):
            groups = "" if self.groups is None else f" and groups {self.groups.shape}"
            raise DataError(f"A truth of {n} labels needs boxes ({n}, 4), got {self.boxes.shape}{groups}.")

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def anywhere(cls, label: int, classes: tuple[str, ...], group: int | None = None) -> Truth:
        """One face of a known emotion at a place that is not known, as of a person who was asked to show it."""
        groups = None if group is None else np.array([group], np.int64)
        return cls(np.zeros((1, 4), np.int32), np.array([label], np.int64), classes, groups)


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """A frame that came and will never be analyzed."""

    index: int
    arrived_at: float
    truth: Truth | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A frame to analyze.

    Attributes:
        index: Numbers the frames that arrived, dropped ones included; in a replay, the scene's number.
        arrived_at: When it could first have been looked at; decoding comes after.
        image: What it shows.
        truth: Its labelled faces; None: it carries no labels.
        capture_s: Seconds that decoding or rendering it cost.
        dropped: The frames that arrived since the one read before, oldest first.
    """

    index: int
    arrived_at: float
    image: FrameImage
    truth: Truth | None = None
    capture_s: float = 0.0
    dropped: tuple[Arrival, ...] = ()


class FrameSource(Protocol):
    """Where frames come from; a context manager that closes itself.

    Attributes:
        name: For people: "camera 0", "clip.avi".
        fps: Frames a second by its own account; None: it has none.
        classes: Classes of the truths; None: frames carry no labels.
        is_finished: Whether no frame will come any more.
        status: Empty, or one sentence for the screen about what is wrong just now.
    """

    name: str
    fps: float | None
    classes: tuple[str, ...] | None
    is_finished: bool
    status: str

    def read(self, timeout: float) -> Frame | None:
        """The next frame to analyze; None where none came within `timeout` seconds, or none will come any more."""

    def close(self) -> None:
        """Give back what it holds; a second call does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
