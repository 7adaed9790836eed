"""Frames with known faces in them, made from the faces of a dataset. Time and its passing are not known here."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ferbench.data.dataset import Split
from ferbench.data.images import import_cv2
from ferbench.errors import ConfigError, DataError
from ferbench.realtime.backdrop import draw_backdrop
from ferbench.realtime.frames import Truth
from ferbench.types import Boxes, FrameImage, Images

_N_BACKDROPS, _FRAMES_A_BACKDROP, _PAN = 6, 150, 48
_FRAMES_A_LIGHT_CYCLE = 97
_GROWTH = 0.07
_ORDER, _EMPTINESS, _BACKDROPS, _PLACES = range(4)
_NOBODY, _NOWHERE = np.empty(0, np.int64), np.empty((0, 4), np.int32)


class SceneSettings(BaseModel):
    """What a replay shows.

    Attributes:
        n_frames: Frames in all; None: as many as show every face once.
        width: Of a frame, in pixels.
        height: Of a frame, in pixels.
        face_sizes: Smallest and largest side of a face, in pixels; less where the faces of a frame need the room.
        faces_per_frame: Faces at a time, each in a part of the frame of its own.
        frames_per_face: Frames that a face stays; then another one comes.
        empty_share: Share of the stretches of so many frames in which there is no face.
        motion: Pixels that a face moves at most a frame.
        light: Share of the light that comes and goes.
        surroundings: How far a face goes on beyond its box, in sides of it, mirrored and fading into what is behind: no
            camera sees a face end at a straight edge. 0: it does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_frames: int | None = Field(None, ge=1)
    width: int = Field(640, ge=32, le=7680)
    height: int = Field(480, ge=32, le=4320)
    face_sizes: tuple[int, int] = (144, 220)
    faces_per_frame: int = Field(1, ge=0, le=256)
    frames_per_face: int = Field(30, ge=1)
    empty_share: float = Field(0.0, ge=0, lt=1)
    motion: float = Field(3.0, ge=0)
    light: float = Field(0.25, ge=0, lt=1)
    surroundings: float = Field(0.2, ge=0, le=0.5)


class Scene(NamedTuple):
    """A frame of a replay and what is in it."""

    image: FrameImage
    truth: Truth


class Scenes:
    """Frames by number, the same bytes for the same faces, settings and seed, in whatever order they are asked for.

    Every face is shown once, in an order that the seed decides, before any is shown again. A face is enlarged and
    pasted as it is, after what surrounds it.

    Args:
        faces: What is shown; its `groups` become those of the truths.
        classes: Names of the classes.
        settings: How it is shown.
        seed: Decides order, places, sizes, motion and backdrops.

    Raises:
        DataError: there are no faces.
        ConfigError: the faces do not fit into the frame.
    """

    def __init__(
        self, faces: Split, classes: tuple[str, ...], settings: SceneSettings | None = None, *, seed: int = 0
    ) -> None:
        self.settings = settings = settings or SceneSettings()
        self.classes = classes
        smallest, largest = settings.face_sizes
        if not 8 <= smallest <= largest <= min(settings.width, settings.height):
            raise ConfigError(
                f"face_sizes must be 8 to the frame's {min(settings.width, settings.height)} pixels, smallest first, "
                f"got {smallest} and {largest}."
            )
        if len(faces) == 0:
            raise DataError("There is nothing to replay: the dataset's split has no faces.")
        self._faces, self._seed = faces, seed
        self._order = self._rng(_ORDER).permutation(len(faces))
        self._cells = _cells(settings)
        self._first_faces = self._plan()
        self._backdrops = _backdrops(settings.height + _PAN, settings.width + _PAN, seed)
        self._held: dict[int, Scene] = {}

    def __len__(self) -> int:
        return self._n_frames

    def __getitem__(self, index: int) -> Scene:
        """The frame `index` and its faces."""
        return self._held.get(index) or self._drawn(index)

    def hold(self, frames: range) -> None:
        """Draw these frames now and keep them, in place of those kept before, so that reading one takes no time.

        A camera's frame is not drawn by who looks at it; and several that look at the same frames draw them once. A
        frame of 640 x 480 pixels takes 0.9 MB.
        """
        self._held = {index: self._drawn(index) for index in frames}
        for image, _ in self._held.values():
            image.flags.writeable = False

    def truth(self, index: int) -> Truth:
        """The faces of frame `index`, without drawing it."""
        return self._truth(*self._layout(index))

    def _drawn(self, index: int) -> Scene:
        shown, boxes = self._layout(index)
        light = self._light(index)
        image = self._backdrop(index, light)
        enlarged = [_enlarge(self._faces.images[face], box, light) for face, box in zip(shown, boxes, strict=True)]
        for face, box in zip(enlarged, boxes.tolist(), strict=True):
            _surround(image, face, box, self.settings.surroundings)
        for face, (x1, y1, x2, y2) in zip(enlarged, boxes.tolist(), strict=True):
            image[y1:y2, x1:x2] = face
        return Scene(image, self._truth(shown, boxes))

    def _plan(self) -> NDArray[np.int64]:
        """For each stretch of `frames_per_face` frames, how many faces came before it; one more entry at the end."""
        settings = self.settings
        if settings.n_frames is None:
            n_shown = -(-len(self._faces) // max(settings.faces_per_frame, 1))
            n_empty = round(n_shown * settings.empty_share / (1 - settings.empty_share))
            self._n_frames = (n_shown + n_empty) * settings.frames_per_face
        else:
            self._n_frames = settings.n_frames
            n_stretches = -(-self._n_frames // settings.frames_per_face)
            n_empty = round(n_stretches * settings.empty_share)
            n_shown = n_stretches - n_empty
        counts = np.repeat(np.array([settings.faces_per_frame, 0], np.int64), [n_shown, n_empty])
        return np.concatenate([[0], np.cumsum(self._rng(_EMPTINESS).permutation(counts))])

    def _layout(self, index: int) -> tuple[NDArray[np.int64], Boxes]:
        stretch, moment = divmod(index, self.settings.frames_per_face)
        first, end = self._first_faces[stretch : stretch + 2].tolist()
        if first == end:
            return _NOBODY, _NOWHERE
        rng = self._rng(_PLACES, stretch)
        cells = rng.permutation(len(self._cells)) if len(self._cells) > 1 else (0,)
        draws = rng.random((end - first, 6)).tolist()
        boxes = [self._box(self._cells[cell], draw, moment) for cell, draw in zip(cells, draws, strict=False)]
        return self._order[np.arange(first, end) % len(self._order)], np.array(boxes, np.int32)

    def _box(self, cell: tuple[int, int, int, int], draw: list[float], moment: int) -> tuple[int, int, int, int]:
        """Where a face is after so many frames: it starts anywhere in its cell, and drifts and grows ever slower."""
        settings = self.settings
        (left, top, right, bottom), (x, y, size, drift_x, drift_y, growth) = cell, draw
        smallest, largest = settings.face_sizes
        passed = moment / settings.frames_per_face
        passed *= 2 - passed
        path = passed * settings.motion * settings.frames_per_face / 2
        wanted = (smallest + size * (largest - smallest)) * (1 + _GROWTH * (2 * growth - 1) * passed)
        side = min(max(round(wanted), smallest), largest, right - left, bottom - top)
        x1 = left + min(max(round(x * (right - left - side) + (2 * drift_x - 1) * path), 0), right - left - side)
        y1 = top + min(max(round(y * (bottom - top - side) + (2 * drift_y - 1) * path), 0), bottom - top - side)
        return x1, y1, x1 + side, y1 + side

    def _truth(self, shown: NDArray[np.int64], boxes: Boxes) -> Truth:
        return Truth(boxes, self._faces.labels[shown], self.classes, self._faces.groups[shown])

    def _light(self, index: int) -> float:
        return 1 - self.settings.light * (0.5 - 0.5 * math.cos(2 * math.pi * index / _FRAMES_A_LIGHT_CYCLE))

    def _backdrop(self, index: int, light: float) -> FrameImage:
        number, moment = divmod(index, _FRAMES_A_BACKDROP)
        turn = 2 * math.pi * moment / _FRAMES_A_BACKDROP
        x, y = round(_PAN * (0.5 + 0.5 * math.cos(turn))), round(_PAN * (0.5 + 0.5 * math.sin(turn)))
        whole = self._backdrops[number % _N_BACKDROPS]
        view = whole[y : y + self.settings.height, x : x + self.settings.width]
        return np.asarray(import_cv2().convertScaleAbs(view, alpha=light))

    def _rng(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng((self._seed, *stream))


@lru_cache(maxsize=4)
def _backdrops(height: int, width: int, seed: int) -> tuple[FrameImage, ...]:
    rngs = [np.random.default_rng((seed, _BACKDROPS, number)) for number in range(_N_BACKDROPS)]
    return tuple(draw_backdrop(height, width, rng) for rng in rngs)


def _cells(settings: SceneSettings) -> list[tuple[int, int, int, int]]:
    """A grid with room for each face of a frame: x1, y1, x2, y2 of its cells."""
    n, width, height = max(settings.faces_per_frame, 1), settings.width, settings.height
    n_columns = math.ceil(math.sqrt(n * width / height))
    n_rows = math.ceil(n / n_columns)
    x = [width * column // n_columns for column in range(n_columns + 1)]
    y = [height * row // n_rows for row in range(n_rows + 1)]
    return [(x[i], y[j], x[i + 1], y[j + 1]) for j in range(n_rows) for i in range(n_columns)]


def _enlarge(face: Images, box: NDArray[np.int32], light: float) -> FrameImage:
    cv2 = import_cv2()
    width, height = int(box[2] - box[0]), int(box[3] - box[1])
    interpolation = cv2.INTER_AREA if face.shape[0] >= height and face.shape[1] >= width else cv2.INTER_LINEAR
    gray = cv2.convertScaleAbs(cv2.resize(face, (width, height), interpolation=interpolation), alpha=light)
    enlarged: FrameImage = cv2.merge((gray, gray, gray))
    return enlarged


def _surround(image: FrameImage, face: FrameImage, box: list[int], share: float) -> None:
    """Go on with the mirrored face around its box, weaker and weaker; without a share, mix its edge half and half."""
    cv2 = import_cv2()
    x1, y1, x2, y2 = box
    margin = round(share * (x2 - x1))
    if margin == 0:
        for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
            face[edge] = face[edge] // 2 + image[y1:y2, x1:x2][edge] // 2
        return
    height, width = image.shape[:2]
    left, top = max(x1 - margin, 0), max(y1 - margin, 0)
    right, bottom = min(x2 + margin, width), min(y2 + margin, height)
    mirrored = cv2.copyMakeBorder(face, y1 - top, bottom - y2, x1 - left, right - x2, cv2.BORDER_REFLECT_101)
    beside = np.arange(left, right, dtype=np.float32)
    above = np.arange(top, bottom, dtype=np.float32)[:, None]
    away = np.maximum(np.maximum(x1 - beside, beside - x2 + 1), np.maximum(y1 - above, above - y2 + 1))
    weight = np.clip(1 - away / (margin + 1), 0, 1)
    seen = image[top:bottom, left:right]
    seen[:] = cv2.blendLinear(mirrored, np.ascontiguousarray(seen), weight, 1 - weight)
