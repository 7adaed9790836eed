"""Recognizers to choose from while the loop runs.

Loading and warming happen in a thread of their own; what the loop sees is a name that joins between two frames.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from ferbench import registry
from ferbench.realtime.choice import Choice, free_name
from ferbench.recognizers.base import Recognizer

_WARM_SIZES = (1, 2, 3)  # faces in one call: a graph that has seen three numbers of them is ready for any


def warm(recognizer: Recognizer) -> Recognizer:
    """Have a recognizer do untimed what its first calls would otherwise pay for, for one face and for several."""
    for n in _WARM_SIZES:
        recognizer.warm_up(np.zeros((n, *recognizer.image_size), np.uint8))
    return recognizer


def as_spelled(name: str) -> str:
    """What a name or path, typed where capitals cannot be, is called in truth; itself where nothing is called so.

    OpenCV's windows on Linux tell capital letters as small ones.
    """
    for known in registry.shipped():
        if known.casefold() == name.casefold():
            return known
    found = Path(name).expanduser()
    spelled = Path(found.anchor)
    for part in found.parts[1 if found.anchor else 0 :]:
        if not (spelled / part).exists() and spelled.is_dir():
            alike = [entry.name for entry in spelled.iterdir() if entry.name.casefold() == part.casefold()]
            part = alike[0] if len(alike) == 1 else part
        spelled /= part
    return str(spelled) if spelled.exists() else name


class Lineup(Choice[Recognizer]):
    """The recognizers that can be chosen, ready and warm, and those on their way.

    Args:
        recognizers: (name, recognizer) pairs, at least one; the first is current.
        load: From a name or path to a recognizer, for those that join later.

    Raises:
        ConfigError: there is none, or two have one name.
    """

    def __init__(
        self,
        recognizers: Iterable[tuple[str, Recognizer]],
        *,
        load: Callable[[str], Recognizer] = registry.load,
    ) -> None:
        super().__init__("recognizer", recognizers)
        self._load = load
        self._arrived: SimpleQueue[tuple[str, Recognizer | Exception, float]] = SimpleQueue()

    @classmethod
    def of(cls, names: Sequence[str]) -> Lineup:
        """Recognizers that come with ferbench, by name, and saved ones, by folder; warmed.

        Raises:
            ConfigError: there is none.
            UnknownNameError, DataError: see `registry.load`.
        """
        loaded: dict[str, Recognizer] = {}
        for name in names:
            recognizer = warm(registry.load(name))
            loaded[free_name(_title(name, recognizer), list(loaded))] = recognizer
        return cls(loaded.items())

    def request(self, name: str) -> None:
        """Load and warm another recognizer in the background, by name or path; `collect` says what became of it."""
        threading.Thread(target=self._fetch, args=(name,), name=f"load {name}", daemon=True).start()

    def collect(self) -> list[str]:
        """Let those in that have become ready, the last of them current; a sentence for each, failures too."""
        sentences: list[str] = []
        while not self._arrived.empty():  # nobody else takes from it
            name, loaded, seconds = self._arrived.get_nowait()
            if isinstance(loaded, Exception):
                sentences.append(f"{name} cannot be loaded: {loaded}")
            else:
                self.add(_title(name, loaded), loaded)
                sentences.append(f"{self.name} joined, ready after {seconds:.1f} s.")
        return sentences

    def _fetch(self, name: str) -> None:
        start = time.perf_counter()
        try:
            loaded: Recognizer | Exception = warm(self._load(name))
        except Exception as error:  # whatever a plug-in raises, the loop goes on and says it
            loaded = error
        self._arrived.put((name, loaded, time.perf_counter() - start))


def _title(asked: str, recognizer: Recognizer) -> str:
    return asked if asked in registry.shipped() else recognizer.display_name
