"""What an engine takes on disk where nothing but exported recognizers shall run."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import ferbench
from ferbench.engines.engine import Engine

_NEEDED = ("numpy", "pydantic")
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def installed_bytes(engine: type[Engine]) -> int:
    """Bytes of ferbench with its shipped weights, of the engine's library, and of all that the two import or need.

    Packages that only fitting, converting and the commands need are not counted, so neither TensorFlow nor Keras.
    """
    own = sum(path.stat().st_size for path in Path(ferbench.__file__).parent.rglob("*") if path.is_file())
    return own + sum(_with_needed(_NEEDED + tuple(packages_distributions().get(engine.library, ()))).values())


def _with_needed(names: tuple[str, ...]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    waiting = list(names)
    while waiting:
        try:
            found = distribution(waiting.pop())
        except PackageNotFoundError:  # for another system or Python
            continue
        if found.name in sizes:
            continue
        paths = [Path(str(file.locate())) for file in found.files or ()]
        sizes[found.name] = sum(path.stat().st_size for path in paths if path.is_file())
        required = [text for text in found.requires or () if "extra ==" not in text]
        waiting += [match[0] for text in required if (match := _NAME.match(text))]
    return sizes
