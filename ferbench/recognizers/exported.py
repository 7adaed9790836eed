"""A trained network that answers through an engine, loaded from its files alone: no Keras and no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from ferbench import registry
from ferbench.engines.engine import Engine, Precision, last_line
from ferbench.errors import ConfigError, DataError
from ferbench.recognizers.base import Recognizer
from ferbench.types import EpochHook, Images, Labels, Probabilities, ProgressHook
from ferbench.validation import explain

_SOURCE_FILE = "source.json"


class Source(BaseModel):
    """What a network was exported from.

    Attributes:
        name: The recognizer's.
        params: The recognizer's.
        files: sha256 of each of the recognizer's files.
        n_parameters: The recognizer's.
        calibration: The dataset whose training faces int8 was calibrated on, and how many; None: it was not.
        libraries: Versions of what converted it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    params: dict[str, Any]
    files: dict[str, str]
    n_parameters: int
    calibration: tuple[str, int] | None
    libraries: dict[str, str]


class Exported(Recognizer):
    """A network in the form that one engine runs; `ferbench.export` makes it.

    Args:
        source: The recognizer that it was exported from.
        engine: A registered engine.
        precision: See `Precision`.
        threads: How many a call may use.
        seed: The recognizer's.

    Attributes:
        source_: What it was exported from.
        engine_: The running engine.
    """

    name = "exported"
    family = "deep"

    def __init__(
        self,
        *,
        source: str = "",
        engine: str = "litert",
        precision: Precision = "float32",
        threads: int = 1,
        seed: int = 0,
    ) -> None:
        self.source = source
        self.engine = engine
        self.precision = precision
        self.threads = threads
        self.seed = seed

    @property
    def display_name(self) -> str:
        """Source, engine and precision."""
        return f"{self.source} {self.engine} {self.precision}"

    @classmethod
    def of(
        cls,
        files: Mapping[str, bytes],
        source: Source,
        *,
        engine: str,
        precision: Precision,
        threads: int,
        classes: tuple[str, ...],
        image_size: tuple[int, int],
    ) -> Self:
        """The recognizer made of what `Engine.convert` gave."""
        seed = int(source.params.get("seed", 0))
        recognizer = cls(source=source.name, engine=engine, precision=precision, threads=threads, seed=seed)
        recognizer.classes, recognizer.image_size = classes, image_size
        recognizer._start(files, source)
        recognizer._fitted = True
        return recognizer

    def with_threads(self, threads: int) -> Self:
        """The same network with another number of threads a call."""
        other = self.of(
            self._files,
            self.source_,
            engine=self.engine,
            precision=self.precision,
            threads=threads,
            classes=self.classes,
            image_size=self.image_size,
        )
        other.temperature_ = self.temperature_
        return other

    def _fit(
        self,
        images: Images,
        labels: Labels,
        *,
        targets: Probabilities | None,
        validation: tuple[Images, Labels] | None,
        on_epoch: EpochHook,
        on_progress: ProgressHook,
        checkpoints: Path | None,
    ) -> None:
        raise ConfigError(
            "An exported recognizer cannot be fitted: fit the one it came from, then python -m ferbench export it."
        )

    def _predict_proba(self, images: Images) -> Probabilities:
        probabilities = self.engine_(images[..., None])
        if self.precision == "int8":  # in steps of 1/256, rows sum to nearly 1
            probabilities /= probabilities.sum(axis=1, keepdims=True)
        return probabilities

    def _save(self, directory: Path) -> None:
        (directory / _SOURCE_FILE).write_text(self.source_.model_dump_json(indent=2) + "\n", encoding="utf-8")
        for name, content in self._files.items():
            (directory / name).write_bytes(content)

    def _load(self, directory: Path) -> None:
        try:
            source = Source.model_validate_json((directory / _SOURCE_FILE).read_bytes())
        except ValidationError as error:
            raise DataError(f"{directory / _SOURCE_FILE} is damaged: {explain(error, Source)}") from error
        names = registry.get("engines", self.engine).filenames
        self._start({name: (directory / name).read_bytes() for name in names}, source)

    def _size(self) -> tuple[int, int]:
        return self.source_.n_parameters, sum(len(content) for content in self._files.values())

    def _start(self, files: Mapping[str, bytes], source: Source) -> None:
        if self.threads < 1:
            raise ConfigError(f"threads must be at least 1, got {self.threads}.")
        self._files, self.source_ = dict(files), source
        self.engine_: Engine = registry.get("engines", self.engine)(files, threads=self.threads)
        try:
            answer = self.engine_(np.zeros((1, *self.image_size, 1), np.uint8))
        except Exception as error:  # engines' errors have no common ancestor but this
            height, width = self.image_size
            raise DataError(
                f"The exported network does not take a face of {height}x{width} pixels ({last_line(error)}): "
                "export it again."
            ) from error
        if answer.shape != (1, len(self.classes)):
            raise DataError(
                f"The exported network answers {answer.shape} for one face and {len(self.classes)} classes are named: "
                "export it again."
            )
