"""From a trained Keras network to the files that an engine runs, in memory.

Networks only. Of a classical recognizer, a converter could take the linear map and the softmax, some microseconds of
its time; the features, which take the rest, have no operators in ONNX, and run on NumPy already.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from ferbench import registry
from ferbench.data.dataset import Dataset
from ferbench.data.images import resize
from ferbench.engines.engine import Engine, Pixels, Precision
from ferbench.errors import ConfigError, DatasetMissingError, FerbenchError
from ferbench.recognizers.base import Recognizer
from ferbench.recognizers.exported import Exported, Source
from ferbench.recognizers.header import read_header

N_CALIBRATION = 512
"""Training faces that int8 is calibrated on."""

_CONVERTERS = ("ferbench", "keras", "tensorflow", "tf2onnx", "onnx", "onnxruntime", "ai-edge-litert", "openvino")


def convert(
    origin: Path,
    recognizer: Recognizer,
    engine: str,
    precision: Precision = "float32",
    *,
    threads: int = 1,
    dataset: Dataset | None = None,
) -> Exported:
    """The recognizer saved in `origin` as one that answers through an engine.

    Raises:
        ConfigError: it is no Keras network, the engine has no such precision, or it cannot take this network.
        DatasetMissingError: int8 has no faces to be calibrated on.
    """
    network, target = network_of(origin, recognizer), engine_for(engine, precision)
    calibration = None
    if precision == "int8":
        if dataset is None:
            raise DatasetMissingError("int8 is calibrated on training faces: prepare the dataset, or name another one.")
        calibration = calibration_faces(dataset, recognizer.image_size)
    try:
        files = target.convert(network, precision, calibration)
    except FerbenchError:
        raise
    except Exception as error:  # converters' errors have no common ancestor but this
        raise ConfigError(
            f"{recognizer.name} cannot be converted to {precision} for {engine} ({_first_line(error)}): "
            "choose another engine or precision."
        ) from error
    source = Source(
        name=recognizer.name,
        params=recognizer.params(),
        files=read_header(origin).files,
        n_parameters=recognizer.info().n_parameters,
        calibration=None if calibration is None or dataset is None else (dataset.name, len(calibration)),
        libraries={library: found for library in _CONVERTERS if (found := _version(library))},
    )
    exported = Exported.of(
        files,
        source,
        engine=engine,
        precision=precision,
        threads=threads,
        classes=recognizer.classes,
        image_size=recognizer.image_size,
    )
    exported.temperature_ = recognizer.temperature_
    return exported


def engine_for(name: str, precision: Precision) -> type[Engine]:
    """The engine of that name.

    Raises:
        UnknownNameError: there is none.
        ConfigError: it has no such precision.
    """
    engine: type[Engine] = registry.get("engines", name)
    if precision not in engine.precisions:
        raise ConfigError(f"The engine '{name}' has no {precision}: take {', '.join(engine.precisions)}.")
    return engine


def network_of(origin: Path, recognizer: Recognizer) -> Any:
    """The `keras.Model` of the recognizer saved in `origin`.

    Raises:
        ConfigError: it has none.
    """
    if isinstance(recognizer, Exported):
        raise ConfigError(f"{origin} is exported already, for {recognizer.engine}: export what it came from.")
    network = getattr(recognizer, "network_", None)
    if network is None:
        raise ConfigError(f"{recognizer.name} is no Keras network, and only those run on another engine.")
    return network


def calibration_faces(dataset: Dataset, image_size: tuple[int, int]) -> Pixels:
    """Training faces, the same ones for every recognizer, uint8 (n, height, width, 1)."""
    faces = dataset.train.images
    n = min(N_CALIBRATION, len(faces))
    rows = np.sort(np.random.default_rng((0, N_CALIBRATION)).choice(len(faces), n, replace=False))
    chosen = np.asarray(faces[rows])
    return (chosen if chosen.shape[1:] == image_size else resize(chosen, image_size))[..., None]


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
