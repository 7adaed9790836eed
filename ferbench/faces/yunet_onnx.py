"""YuNet through ONNX Runtime: the answers of OpenCV's `FaceDetectorYN` in less than half of its time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferbench.data.images import import_cv2
from ferbench.errors import ConfigError, DataError, MissingLibraryError
from ferbench.types import FrameImage

_STRIDES = (8, 16, 32)
_OUTPUTS = [f"{kind}_{stride}" for stride in _STRIDES for kind in ("cls", "obj", "bbox", "kps")]


class OnnxYuNet:
    """Has the two methods of `cv2.FaceDetectorYN` that `YuNet` calls, on one thread.

    Each anchor, a point of a grid of 8, 16 or 32 pixels, tells whether a face is there, its box and five landmarks, all
    measured from the anchor in grid steps (Wu, Peng and Yu 2023); of boxes that overlap, the surest stays.

    Args:
        model: The content of the model file.
        threshold: The score from which on something is a face.
        overlap: Boxes that share more of their union than this are one face.
        n_candidates: At most so many boxes are compared, the surest first.

    Raises:
        MissingLibraryError: ONNX Runtime is not installed.
        DataError: the file is no network.
        ConfigError: the network takes pictures of one size only, as OpenCV Zoo's file of March 2023 does.
    """

    def __init__(self, model: bytes, threshold: float, overlap: float, n_candidates: int) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingLibraryError(
                f"YuNet with engine 'onnxruntime' needs it ({error}): pip install 'ferbench[onnx]', or engine 'opencv'."
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors have no common ancestor but this
            raise DataError(f"The YuNet model is damaged or no network that ONNX Runtime can run: {error}") from error
        (taken,) = self._session.get_inputs()
        if any(isinstance(size, int) for size in taken.shape[2:]):
            raise ConfigError(
                f"This YuNet model takes pictures of {taken.shape[3]} x {taken.shape[2]} only: take a newer file of "
                "OpenCV Zoo's, or engine 'opencv'."
            )
        self._input, self._threshold, self._overlap, self._n_candidates = taken.name, threshold, overlap, n_candidates
        self._anchors: dict[tuple[int, int], NDArray[np.float32]] = {}

    def setInputSize(self, size: tuple[int, int]) -> None:  # noqa: N802 - OpenCV's name
        """Nothing to prepare: any size will do."""

    def detect(self, image: FrameImage) -> tuple[int, NDArray[np.float32] | None]:
        """Faces, the surest first: x, y, width and height, five landmarks' x and y, score; None where there are none.

        Args:
            image: uint8 (height, width, 3), BGR.

        Returns:
            How many there are, and float32 (n, 15).
        """
        height, width = image.shape[:2]
        padded = np.zeros((1, 3, -(-height // 32) * 32, -(-width // 32) * 32), np.float32)
        padded[0, :, :height, :width] = image.transpose(2, 0, 1)
        found = self._session.run(_OUTPUTS, {self._input: padded})
        classes, objects, boxes, landmarks = (np.concatenate(found[kind::4], axis=1)[0] for kind in range(4))
        scores = np.sqrt(np.clip(classes[:, 0], 0, 1) * np.clip(objects[:, 0], 0, 1))
        (candidates,) = np.nonzero(scores >= self._threshold)
        if not len(candidates):
            return 0, None
        anchors = self._anchors_of(*padded.shape[2:])[candidates]
        rows = _decode(anchors, boxes[candidates], landmarks[candidates], scores[candidates])
        corners = rows[:, :4].astype(np.int32)  # whole pixels, as OpenCV compares them
        kept = import_cv2().dnn.NMSBoxes(
            corners.tolist(), rows[:, 14].tolist(), self._threshold, self._overlap, top_k=self._n_candidates
        )
        return len(kept), rows[np.asarray(kept, dtype=np.intp).ravel()]

    def _anchors_of(self, height: int, width: int) -> NDArray[np.float32]:
        """Column, row and stride of each anchor, (n, 3)."""
        if (height, width) not in self._anchors:
            grids = [np.indices((height // stride, width // stride)).reshape(2, -1)[::-1] for stride in _STRIDES]
            strides = np.repeat(_STRIDES, [grid.shape[1] for grid in grids])
            self._anchors = {(height, width): np.vstack([np.hstack(grids), strides]).T.astype(np.float32)}
        return self._anchors[height, width]


def _decode(anchors: Any, boxes: Any, landmarks: Any, scores: Any) -> NDArray[np.float32]:
    places, strides = anchors[:, :2], anchors[:, 2:]
    rows = np.empty((len(anchors), 15), np.float32)
    rows[:, 2:4] = np.exp(boxes[:, 2:]) * strides
    rows[:, :2] = (places + boxes[:, :2]) * strides - rows[:, 2:4] / 2
    rows[:, 4:14] = ((landmarks.reshape(-1, 5, 2) + places[:, None]) * strides[:, None]).reshape(-1, 10)
    rows[:, 14] = scores
    return rows
