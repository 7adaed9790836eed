"""Benchmarks of facial-expression recognizers: which one to use, how right it is, how fast on this machine.

Importing ferbench loads no framework: each name below is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ferbench.checks import check_recognizer
    from ferbench.config import load_experiment
    from ferbench.data.dataset import Dataset, Split
    from ferbench.data.images import read_gray
    from ferbench.engines.exporting import export
    from ferbench.errors import FerbenchError
    from ferbench.experiment import evaluate, run
    from ferbench.faces.analyzer import FaceAnalyzer
    from ferbench.metrics import Scores, score
    from ferbench.recognizers.base import Recognizer
    from ferbench.recognizers.explanation import explain
    from ferbench.registry import create, load
    from ferbench.tuning import search
    from ferbench.types import EMOTIONS, Prediction

__version__ = "0.1.0"

_HOME = {
    "Dataset": "data.dataset",
    "EMOTIONS": "types",
    "FaceAnalyzer": "faces.analyzer",
    "FerbenchError": "errors",
    "Prediction": "types",
    "Recognizer": "recognizers.base",
    "Scores": "metrics",
    "Split": "data.dataset",
    "check_recognizer": "checks",
    "create": "registry",
    "evaluate": "experiment",
    "explain": "recognizers.explanation",
    "export": "engines.exporting",
    "load": "registry",
    "load_experiment": "config",
    "read_gray": "data.images",
    "run": "experiment",
    "score": "metrics",
    "search": "tuning",
}

__all__ = [
    "EMOTIONS",
    "Dataset",
    "FaceAnalyzer",
    "FerbenchError",
    "Prediction",
    "Recognizer",
    "Scores",
    "Split",
    "__version__",
    "check_recognizer",
    "create",
    "evaluate",
    "explain",
    "export",
    "load",
    "load_experiment",
    "read_gray",
    "run",
    "score",
    "search",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'ferbench' has no attribute '{name}'")
    value = getattr(import_module(f"ferbench.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
