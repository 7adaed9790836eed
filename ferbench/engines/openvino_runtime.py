"""`openvino`: Intel's OpenVINO on the CPU."""

from __future__ import annotations

import re
import tempfile
import threading
from pathlib import Path
from typing import Any

from ferbench.engines.engine import Engine, Files, Pixels, Precision
from ferbench.engines.tflite import check_backend, to_tflite
from ferbench.types import Probabilities

_NETWORK, _WEIGHTS = "network.xml", "network.bin"
_CONSTANT = re.compile(rb'offset="(\d+)" size="(\d+)"')


class OpenVino(Engine):
    """One request a thread. It is converted by way of a flatbuffer, int8 included.

    The network is compiled for one face, and once more for any number when more than one comes first: a size left open
    costs about a millisecond a call.
    """

    name = "openvino"
    library = "openvino"
    extra = "openvino"
    filenames = (_NETWORK, _WEIGHTS)

    def __init__(self, files: Files, *, threads: int = 1) -> None:
        library = self.load_library()
        settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
        settings["INFERENCE_PRECISION_HINT"] = "f32"  # some processors would otherwise calculate in bfloat16
        try:
            _check_weights(files[_NETWORK], files[_WEIGHTS])
            self._core, self._settings = library.Core(), settings
            self._network = self._core.read_model(files[_NETWORK], files[_WEIGHTS])
            (taken,), (_,) = self._network.inputs, self._network.outputs
            self._dtype = taken.element_type.to_dtype()
            self._height, self._width = (taken.partial_shape[axis].get_length() for axis in (1, 2))
            self._compiled = {True: self._compile(is_single=True)}
        except (RuntimeError, ValueError) as error:
            raise self.foreign(error) from error
        self._lock = threading.Lock()
        self._local = threading.local()

    def __call__(self, pixels: Pixels) -> Probabilities:
        """See `Engine`."""
        is_single = len(pixels) == 1
        request = getattr(self._local, "single" if is_single else "batch", None) or self._request(is_single)
        probabilities: Probabilities = request.infer([pixels.astype(self._dtype)])[0]
        return probabilities

    @classmethod
    def convert(cls, network: Any, precision: Precision, calibration: Pixels | None) -> dict[str, bytes]:
        """See `Engine.convert`."""
        cls.check_converter()
        library = cls.load_library()
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "network.tflite", Path(folder) / _NETWORK
            source.write_bytes(to_tflite(network, precision, calibration, n_images=None))
            library.save_model(library.Core().read_model(source), target, compress_to_fp16=precision == "float16")
            return {name: (Path(folder) / name).read_bytes() for name in cls.filenames}

    @classmethod
    def check_converter(cls) -> None:
        """See `Engine.check_converter`."""
        check_backend()
        cls.load_library()

    def _request(self, is_single: bool) -> Any:
        with self._lock:
            if is_single not in self._compiled:
                self._compiled[is_single] = self._compile(is_single)
            request = self._compiled[is_single].create_infer_request()
        setattr(self._local, "single" if is_single else "batch", request)
        return request

    def _compile(self, is_single: bool) -> Any:
        self._network.reshape([1 if is_single else -1, self._height, self._width, 1])
        return self._core.compile_model(self._network, "CPU", self._settings)


def _check_weights(network: bytes, weights: bytes) -> None:
    # OpenVINO notices weights that are too few, and takes those of a larger network for its own
    n_bytes = max((int(offset) + int(size) for offset, size in _CONSTANT.findall(network)), default=len(weights))
    if n_bytes != len(weights):
        raise ValueError(f"{_NETWORK} has {n_bytes:,} bytes of weights and {_WEIGHTS} {len(weights):,}")
