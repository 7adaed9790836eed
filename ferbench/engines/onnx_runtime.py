"""`onnxruntime`: ONNX Runtime on the CPU."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ferbench.engines.engine import Engine, Files, Pixels, Precision
from ferbench.engines.tflite import check_backend, input_signature, quiet_conversion
from ferbench.errors import ConfigError
from ferbench.types import Probabilities

_FILE = "network.onnx"
_BATCH = 32


class OnnxRuntime(Engine):
    """One session for all threads. int8 is static quantization in the QDQ form, weights by output channel."""

    name = "onnxruntime"
    library = "onnxruntime"
    extra = "onnx"
    filenames = (_FILE,)

    def __init__(self, files: Files, *, threads: int = 1) -> None:
        library = self.load_library()
        options = library.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads would eat a core
        try:
            self._session = library.InferenceSession(files[_FILE], options, providers=["CPUExecutionProvider"])
            (taken,), (given,) = self._session.get_inputs(), self._session.get_outputs()
        except Exception as error:  # its errors have no common ancestor but this
            raise self.foreign(error) from error
        self._input, self._outputs = taken.name, [given.name]

    def __call__(self, pixels: Pixels) -> Probabilities:
        """See `Engine`."""
        probabilities: Probabilities = self._session.run(self._outputs, {self._input: pixels.astype(np.float32)})[0]
        return probabilities

    @classmethod
    def convert(cls, network: Any, precision: Precision, calibration: Pixels | None) -> dict[str, bytes]:
        """See `Engine.convert`."""
        cls.check_converter()
        with tempfile.TemporaryDirectory() as folder, quiet_conversion(), _quiet_log():
            path = Path(folder) / "float32.onnx"
            network.export(path, format="onnx", verbose=False, input_signature=input_signature(network, None))
            if precision == "float16":
                path = _halve(path)
            elif precision == "int8":
                path = _quantize(path, calibration)
            return {_FILE: path.read_bytes()}

    @classmethod
    def check_converter(cls) -> None:
        """See `Engine.check_converter`."""
        check_backend()
        for module in (None, "onnx", "tf2onnx"):
            cls.load_library(module)


def _halve(path: Path) -> Path:
    """Keep float32 weights as float16 and let the runtime widen them once, when it loads the network."""
    onnx = OnnxRuntime.load_library("onnx")
    model = onnx.load(path)
    widened = []
    for weights in model.graph.initializer:
        values = onnx.numpy_helper.to_array(weights)
        if values.dtype != np.float32 or values.size < 2:
            continue
        name = weights.name
        weights.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}_float16"))
        widened.append(onnx.helper.make_node("Cast", [weights.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*widened, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    target = path.with_name("float16.onnx")
    onnx.save(model, target)
    return target


def _quantize(path: Path, calibration: Pixels | None) -> Path:
    if calibration is None:
        raise ConfigError("int8 needs training faces to calibrate on.")
    quantization = OnnxRuntime.load_library("onnxruntime.quantization")
    onnx = OnnxRuntime.load_library("onnx")
    name = onnx.load(path).graph.input[0].name
    batches = [calibration[start : start + _BATCH] for start in range(0, len(calibration), _BATCH)]

    class Faces(quantization.CalibrationDataReader):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            self._batches = iter(batches)

        def get_next(self) -> dict[str, Any] | None:
            batch = next(self._batches, None)
            return None if batch is None else {name: batch.astype(np.float32)}

    target = path.with_name("int8.onnx")
    quantization.quantize_static(path, target, Faces(), per_channel=True)
    return target


@contextmanager
def _quiet_log() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
