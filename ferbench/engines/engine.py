"""What every engine is: from files and pixels to probabilities. No engine's library is imported here.

An engine is registered under "engines"; its module imports without its library, which is loaded on first use.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ferbench.errors import DataError, MissingLibraryError
from ferbench.types import Probabilities

Precision: TypeAlias = Literal["float32", "float16", "int8", "int8_dynamic"]
"""float16: weights are kept so and calculated with as float32. int8: weights and values between layers are whole, in
ranges that calibration found. int8_dynamic: weights are whole, values are float32 between layers and whole inside a
convolution or a dense layer, in the range that the face at hand shows; nothing is calibrated."""

Pixels: TypeAlias = NDArray[np.uint8]
"""Gray faces with a channel axis, (n, height, width, 1)."""

Files: TypeAlias = Mapping[str, bytes]
"""The content of a network's files by name."""


class Engine(ABC):
    """Runs one network. Several threads may call it at once.

    A subclass takes `(files, threads=1)`, raises DataError where they are no network of its kind, and uses that many
    threads a call.

    Attributes:
        name: Under which it is registered.
        library: The module that it runs on.
        extra: The extra of ferbench that installs it.
        filenames: Of the files that `convert` gives and the constructor takes.
        precisions: That `convert` knows.
    """

    name: ClassVar[str]
    library: ClassVar[str]
    extra: ClassVar[str]
    filenames: ClassVar[tuple[str, ...]]
    precisions: ClassVar[tuple[Precision, ...]] = ("float32", "float16", "int8")

    @abstractmethod
    def __init__(self, files: Files, *, threads: int = 1) -> None: ...

    @abstractmethod
    def __call__(self, pixels: Pixels) -> Probabilities:
        """Probabilities, float32 (n, n_classes), of uint8 (n, height, width, 1), n at least 1."""

    @classmethod
    @abstractmethod
    def convert(cls, network: Any, precision: Precision, calibration: Pixels | None) -> dict[str, bytes]:
        """The files that run a `keras.Model` on this engine.

        Args:
            network: From gray values 0 to 255, (n, height, width, 1), to probabilities.
            precision: One of `precisions`.
            calibration: Training faces that show int8 which values occur; None where it is not asked for.

        Raises:
            MissingLibraryError: what converts is not installed.
            ConfigError: Keras runs on a backend that cannot be converted from.
        """

    @classmethod
    def is_installed(cls) -> bool:
        """Whether its library can be imported, without doing so."""
        return find_spec(cls.library) is not None

    @classmethod
    def check_converter(cls) -> None:
        """Raise what `convert` would raise of any network, before there is one.

        Raises:
            MissingLibraryError: what converts is not installed.
            ConfigError: Keras runs on a backend that cannot be converted from.
        """
        cls.load_library()

    @classmethod
    def load_library(cls, module: str | None = None) -> Any:
        """Import its library, or another module of its extra.

        Raises:
            MissingLibraryError: it is not installed; the message has the command.
        """
        try:
            return importlib.import_module(module or cls.library)
        except ImportError as error:
            raise MissingLibraryError(
                f"The engine '{cls.name}' needs {module or cls.library} ({error}): pip install 'ferbench[{cls.extra}]'."
            ) from error

    @classmethod
    def foreign(cls, error: Exception) -> DataError:
        """What to raise where `filenames` are no network that this engine can run."""
        files = " and ".join(cls.filenames)
        verb = "are" if len(cls.filenames) > 1 else "is"
        return DataError(f"{files} {verb} no network that {cls.name} can run ({last_line(error)}): export it again.")


def last_line(error: Exception) -> str:
    """Of an engine's message, the line that says what is wrong; those before it say where in its own source."""
    lines = [line.strip(" .") for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
