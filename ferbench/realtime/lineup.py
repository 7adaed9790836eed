"""Recognizers to choose from while the loop runs.

Loading and warming happen in a thread of their own; what the loop sees is a name that joins between two frames.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import numpy as np

from ferbench import registry
from ferbench.errors import ConfigError
from ferbench.recognizers.base import Recognizer

_WARM_SIZES = (1, 2, 3)  # faces in one call: a graph that has seen three numbers of them is ready for any


@dataclass(frozen=True, slots=True, eq=False)
class Entrant:
    """A recognizer that is ready, under the name that the screen and the rows give it."""

    name: str
    recognizer: Recognizer


def warm(recognizer: Recognizer) -> Recognizer:
    """Have a recognizer do untimed what its first calls would otherwise pay for, for one face and for several."""
    for n in _WARM_SIZES:
        recognizer.warm_up(np.zeros((n, *recognizer.image_size), np.uint8))
    return recognizer


class Lineup:
    """The recognizers that can be chosen and the one that is.

    Args:
        entrants: Those ready before the first frame, at least one; the first is current.
        load: From a name or path to a recognizer, for those that join later.

    Raises:
        ConfigError: there is none, or two have one name.
    """

    def __init__(
        self, entrants: Sequence[Entrant], *, load: Callable[[str], Recognizer] = lambda name: registry.load(name)
    ) -> None:
        self.entrants = list(entrants)
        self.position = 0
        self._load = load
        self._before = 0
        self._failed: set[int] = set()
        self._arrived: SimpleQueue[tuple[str, Recognizer | Exception, float]] = SimpleQueue()
        if not self.entrants:
            raise ConfigError("There must be at least one recognizer: name one with --recognizers.")
        if len(set(self.names)) < len(self.entrants):
            raise ConfigError(f"Every recognizer needs a name of its own, got {', '.join(self.names)}.")

    @classmethod
    def of(cls, names: Sequence[str]) -> Lineup:
        """A lineup of recognizers that come with ferbench, by name, and of saved ones, by folder; warmed.

        Raises:
            ConfigError: a name stands twice, or there is none.
            UnknownNameError, DataError: see `registry.load`.
        """
        entrants: list[Entrant] = []
        for name in names:
            recognizer = warm(registry.load(name))
            entrants.append(Entrant(_free(recognizer.name, [entrant.name for entrant in entrants]), recognizer))
        return cls(entrants)

    @property
    def current(self) -> Entrant:
        """The one that the next frame goes to."""
        return self.entrants[self.position]

    @property
    def names(self) -> tuple[str, ...]:
        """All that can be chosen, in the order of their keys."""
        return tuple(entrant.name for entrant in self.entrants)

    def select(self, position: int) -> bool:
        """Give the next frame to the entrant at `position`; False where there is none."""
        if not 0 <= position < len(self.entrants):
            return False
        if position != self.position:
            self._before, self.position = self.position, position
        self._failed.discard(position)
        return True

    def next(self) -> None:
        """Give the next frame to the one after the current one."""
        self.select((self.position + 1) % len(self.entrants))

    def request(self, name: str) -> None:
        """Load and warm another recognizer in the background, by name or path; `collect` says what became of it."""
        threading.Thread(target=self._fetch, args=(name,), name=f"load {name}", daemon=True).start()

    def collect(self) -> list[str]:
        """Let those in that have become ready, the last of them current; a sentence for each, failures too."""
        sentences: list[str] = []
        while True:
            try:
                name, loaded, seconds = self._arrived.get_nowait()
            except Empty:
                return sentences
            if isinstance(loaded, Exception):
                sentences.append(f"{name} cannot be loaded: {loaded}")
                continue
            self.entrants.append(Entrant(_free(loaded.name, self.names), loaded))
            self.select(len(self.entrants) - 1)
            sentences.append(f"{self.current.name} joined, ready after {seconds:.1f} s.")

    def fail(self, error: Exception) -> str | None:
        """Give up on the current one, which raised `error`, for the one before it, or any other that has not failed.

        Returns:
            A sentence; None where no other is left, and the current one stays.
        """
        name = self.current.name
        self._failed.add(self.position)
        others = [self._before, *range(len(self.entrants))]
        for position in others:
            if position not in self._failed:
                self.position = self._before = position
                return f"{name} failed, {self.current.name} carries on: {error}"
        return None

    def _fetch(self, name: str) -> None:
        start = time.perf_counter()
        try:
            loaded: Recognizer | Exception = warm(self._load(name))
        except Exception as error:  # whatever a plug-in raises, the loop goes on and says it
            loaded = error
        self._arrived.put((name, loaded, time.perf_counter() - start))


def _free(name: str, taken: Sequence[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name} {number}" in taken:
        number += 1
    return f"{name} {number}"
