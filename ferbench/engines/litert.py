"""`litert`: Google's LiteRT, formerly TensorFlow Lite, with its XNNPACK kernels."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from ferbench.engines.engine import Engine, Files, Pixels, Precision
from ferbench.engines.tflite import check_backend, to_tflite
from ferbench.types import Probabilities

_FILE = "network.tflite"


class Litert(Engine):
    """One interpreter a thread, since an interpreter may not be shared; all read the same weights.

    Images go through one by one: XNNPACK gains next to nothing from batches, and a network whose sizes are all fixed is
    planned once.
    """

    name = "litert"
    library = "ai_edge_litert"
    extra = "litert"
    filenames = (_FILE,)
    precisions = ("float32", "float16", "int8", "int8_dynamic")

    def __init__(self, files: Files, *, threads: int = 1) -> None:
        self._content = files[_FILE]
        self._threads = threads
        self._local = threading.local()
        self._plan()

    def __call__(self, pixels: Pixels) -> Probabilities:
        """See `Engine`."""
        local = self._local
        if not hasattr(local, "interpreter"):
            self._plan()
        interpreter = local.interpreter
        values = pixels.astype(np.float32) if local.table is None else local.table.take(pixels)
        probabilities = np.empty((len(values), local.n_classes), np.float32)
        for row in range(len(values)):
            interpreter.set_tensor(local.input, values[row : row + 1])
            interpreter.invoke()
            probabilities[row] = interpreter.get_tensor(local.output)[0]
        return probabilities

    @classmethod
    def convert(cls, network: Any, precision: Precision, calibration: Pixels | None) -> dict[str, bytes]:
        """See `Engine.convert`."""
        cls.check_converter()
        return {_FILE: to_tflite(network, precision, calibration, n_images=1)}

    @classmethod
    def check_converter(cls) -> None:
        """See `Engine.check_converter`."""
        check_backend()
        cls.load_library()

    def _plan(self) -> None:
        library = self.load_library("ai_edge_litert.interpreter")
        try:
            interpreter = library.Interpreter(model_content=self._content, num_threads=self._threads)
            interpreter.allocate_tensors()
            (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
        except (ValueError, RuntimeError) as error:
            raise self.foreign(error) from error
        scale, zero = taken["quantization"]
        self._local.interpreter = interpreter
        self._local.input, self._local.output = taken["index"], given["index"]
        self._local.n_classes = int(given["shape"][-1])
        self._local.table = None
        if taken["dtype"] != np.float32:
            gray = np.arange(256)
            whole = np.iinfo(taken["dtype"])
            self._local.table = np.clip(np.rint(gray / scale) + zero, whole.min, whole.max).astype(taken["dtype"])
