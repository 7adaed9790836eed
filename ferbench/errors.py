"""The errors ferbench raises on purpose. Each message says what was expected, what came, and what to do.

FerbenchError
├── ConfigError(ValueError)           bad YAML or bad parameters
│   └── UnknownNameError              no recognizer, dataset or label set of that name
├── DataError(ValueError)             a file that is missing, damaged or not what it claims to be
│   ├── ImagesError                   arrays of the wrong dtype or shape
│   └── DatasetMissingError           a dataset that has not been prepared on this machine
├── PluginError(ImportError)          a plug-in fails to import, or two claim one name
├── MissingLibraryError(ImportError)  a library, or a system library behind it, is not installed
├── NotFittedError(RuntimeError)      a recognizer was asked before it was fitted or loaded
├── ContractError(RuntimeError)       a recognizer broke the interface
├── SourceError(RuntimeError)         a camera, stream or video that gives no frames
└── RunFailedError(RuntimeError)      one or more experiments of a command did not finish
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FerbenchError(Exception):
    """Root of all errors raised on purpose; the command line turns one into a sentence and exit code 2."""


class ConfigError(FerbenchError, ValueError):
    """A configuration that cannot be run."""


class UnknownNameError(ConfigError):
    """A name that is not registered."""


class DataError(FerbenchError, ValueError):
    """A file or an array that cannot be used."""


class ImagesError(DataError):
    """Images of the wrong dtype or shape."""


class DatasetMissingError(DataError):
    """A dataset that has not been prepared on this machine."""


class PluginError(FerbenchError, ImportError):
    """A plug-in that fails to import, or a name claimed twice."""


class MissingLibraryError(FerbenchError, ImportError):
    """A library that is needed here and not installed."""


class NotFittedError(FerbenchError, RuntimeError):
    """A recognizer that was neither fitted nor loaded."""


class ContractError(FerbenchError, RuntimeError):
    """A recognizer that broke the interface."""


class SourceError(FerbenchError, RuntimeError):
    """A camera, stream, video or folder that gives no frames."""


class RunFailedError(FerbenchError, RuntimeError):
    """One or more experiments that did not finish."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The second half of an "unknown name" message: a suggestion where one is near, and the whole list."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    suggestion = f"Did you mean '{near[0]}'? " if near else ""
    return f"{suggestion}Known: {', '.join(known) or 'none'}."
