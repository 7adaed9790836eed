"""A Keras network as a TensorFlow Lite flatbuffer, the file that LiteRT runs and OpenVINO reads."""

from __future__ import annotations

import contextlib
import importlib
import io
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferbench.engines.engine import Pixels, Precision
from ferbench.errors import ConfigError


def to_tflite(network: Any, precision: Precision, calibration: Pixels | None, *, n_images: int | None) -> bytes:
    """Convert a network; see `Engine.convert`.

    int8 is full-integer quantization after training (Jacob et al., CVPR 2018, arXiv:1712.05877): weights by output
    channel, values by layer, in the ranges that calibration shows. It takes uint8 pixels as they are; the other
    precisions take float32. All give float32. int8_dynamic finds the range of a layer's values in each face anew.

    Args:
        network: The `keras.Model`.
        precision: See `Precision`.
        calibration: For int8.
        n_images: Images a call; None: any number.
    """
    with tempfile.TemporaryDirectory() as folder, quiet_conversion():
        path = Path(folder) / "network.tflite"
        settings = _settings(precision, calibration)
        signature = input_signature(network, n_images)
        network.export(path, format="litert", verbose=False, input_signature=signature, **settings)
        return path.read_bytes()


def input_signature(network: Any, n_images: int | None) -> list[Any]:
    """What a converter is told of the network's input: float32, and how many images a call, None for any number."""
    keras = importlib.import_module("keras")
    return [keras.InputSpec(shape=(n_images, *network.input_shape[1:]), dtype="float32")]


def check_backend() -> None:
    """Raise ConfigError unless Keras runs on TensorFlow, which all converters read from."""
    backend = importlib.import_module("keras").backend.backend()
    if backend != "tensorflow":
        raise ConfigError(f"Networks are exported from TensorFlow and Keras runs on {backend}: set KERAS_BACKEND.")


@contextlib.contextmanager
def quiet_conversion() -> Iterator[None]:
    """Let converters neither print nor warn about their own insides."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def _settings(precision: Precision, calibration: Pixels | None) -> dict[str, Any]:
    if precision == "float32":
        return {}
    tensorflow = importlib.import_module("tensorflow")  # the converter's settings exist nowhere else
    optimized: dict[str, Any] = {"optimizations": [tensorflow.lite.Optimize.DEFAULT]}
    if precision == "float16":
        return {**optimized, "target_spec": {"supported_types": [tensorflow.float16]}}
    if precision == "int8_dynamic":
        return optimized
    if calibration is None:
        raise ConfigError("int8 needs training faces to calibrate on.")
    faces = calibration

    def one_by_one() -> Iterator[list[NDArray[np.float32]]]:
        for face in faces:
            yield [face[None].astype(np.float32)]

    return {
        **optimized,
        "representative_dataset": one_by_one,
        "inference_input_type": tensorflow.uint8,
        "target_spec": {"supported_ops": [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]},
    }
