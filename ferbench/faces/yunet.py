"""YuNet, a small convolutional face detector: where its model file comes from, and what it finds."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from ferbench.data.dataset import data_home
from ferbench.data.images import import_cv2
from ferbench.errors import ConfigError, DataError
from ferbench.faces.detectors import Faces, check_input_size, check_picture, fit_within
from ferbench.faces.framing import Framing
from ferbench.faces.yunet_onnx import OnnxYuNet
from ferbench.types import FrameImage

VARIABLE = "FERBENCH_YUNET"
FILENAME = "face_detection_yunet_2023mar.onnx"
URL = f"https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/face_detection_yunet/{FILENAME}"
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"

_MIN_SIDE = 20
_MAX_OVERHANG = 2
_SAME_FACE = 0.3
_MAX_CANDIDATES = 5000


@dataclass(kw_only=True, eq=False)
class YuNet:
    """A convolutional network of 75,856 parameters (Wu, Peng and Yu, Machine Intelligence Research 2023).

    Finds faces of most poses, and both eyes of each.

    Args:
        path: The model file; None: the one that FERBENCH_YUNET names, else OpenCV Zoo's, fetched once and kept in
            `data_home()`.
        input_size: Width and height within which the picture is searched, its shape kept; a larger one finds smaller
            faces and takes longer.
        threshold: The score from which on something is a face, 0 to 1.
        level: Whether heads are turned upright by their eyes when faces are cut out.
        engine: What runs the network: "opencv", or "onnxruntime" (extra `onnx`), which finds the same faces more than
            twice as fast and needs a model file that takes pictures of any size.

    Raises:
        ConfigError: a value out of range.
    """

    name: ClassVar[str] = "yunet"

    path: str | None = None
    input_size: tuple[int, int] = (320, 240)
    threshold: float = 0.6
    level: bool = False
    engine: Literal["opencv", "onnxruntime"] = "opencv"
    _network: Any = field(default=None, init=False, repr=False)
    _searched_size: tuple[int, int] = field(default=(0, 0), init=False, repr=False)

    def __post_init__(self) -> None:
        check_input_size(self.input_size)
        if not 0 < self.threshold < 1:
            raise ConfigError(f"threshold must be above 0 and below 1, got {self.threshold:g}.")
        if self.engine not in ("opencv", "onnxruntime"):
            raise ConfigError(f"engine must be opencv or onnxruntime, got {self.engine}.")

    @property
    def framing(self) -> Framing:
        """How its boxes lie on a face."""
        return Framing(scale=1.1, down=-0.02, level=self.level)

    def detect(self, image: FrameImage) -> Faces:
        """The faces in a picture, with their eyes.

        Raises:
            ImagesError: it is not uint8 (height, width, 3).
            DataError: the model file is missing, damaged or no YuNet, or has to be fetched and cannot be.
        """
        check_picture(image)
        if self._network is None:
            self._network = self._load()
        searched, scale = fit_within(image, self.input_size, enlarge=True)
        height, width = searched.shape[:2]
        if min(height, width) < _MIN_SIDE:
            return Faces.empty()
        if (width, height) != self._searched_size:
            self._network.setInputSize((width, height))
            self._searched_size = (width, height)
        _, rows = self._network.detect(searched)
        if rows is None:
            return Faces.empty()
        rows = rows[(rows[:, 2:4] <= (_MAX_OVERHANG * width, _MAX_OVERHANG * height)).all(axis=1)]
        corners = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1) / scale
        return Faces.within(image, corners, rows[:, 14], rows[:, 4:8].reshape(-1, 2, 2) / scale)

    def _load(self) -> Any:
        cv2 = import_cv2()
        source, model = _read_model(self.path)
        if self.engine == "onnxruntime":
            return OnnxYuNet(model, self.threshold, _SAME_FACE, _MAX_CANDIDATES)
        try:
            network = cv2.FaceDetectorYN.create(
                "onnx",
                np.frombuffer(model, np.uint8),
                np.empty(0, np.uint8),
                self.input_size,
                self.threshold,
                _SAME_FACE,
                _MAX_CANDIDATES,
            )
            network.detect(np.zeros((*self.input_size[::-1], 3), np.uint8))
        except cv2.error as error:
            raise DataError(
                f"{source} is damaged or no YuNet that OpenCV {cv2.__version__} can run: give OpenCV Zoo's {FILENAME}."
            ) from error
        self._searched_size = self.input_size
        return network


def _read_model(path: str | None) -> tuple[Path, bytes]:
    chosen = path or os.environ.get(VARIABLE)
    source = Path(chosen) if chosen else _fetch(data_home() / "models")
    try:
        return source, source.read_bytes()
    except OSError as error:
        raise DataError(
            f"The YuNet model {source} cannot be read ({error.strerror}): "
            f"give OpenCV Zoo's {FILENAME} by path or in {VARIABLE}."
        ) from error


def _fetch(directory: Path) -> Path:
    import pooch

    pooch.get_logger().setLevel("WARNING")
    try:
        return Path(pooch.retrieve(URL, known_hash=f"sha256:{SHA256}", fname=FILENAME, path=directory))
    except (
        OSError,
        ValueError,
    ) as error:  # no network, no space, or other bytes than expected
        raise DataError(
            f"The YuNet model cannot be fetched to {directory} ({type(error).__name__}): "
            f"download {URL} by other means and give the file by path or in {VARIABLE}."
        ) from error
