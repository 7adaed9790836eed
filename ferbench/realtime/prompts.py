"""Labels from a live camera: a person is asked to show an emotion, and the frames of that time carry it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ferbench.errors import ConfigError
from ferbench.realtime.frames import Truth
from ferbench.realtime.view import Prompt

_WORDS = {
    "anger": "angry",
    "disgust": "disgusted",
    "fear": "afraid",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprised",
    "neutral": "neutral",
    "contempt": "contemptuous",
}


class Prompts:
    """Every emotion once a round, in a random order, no emotion twice in a row where there are two or more.

    Args:
        classes: What to ask for.
        seconds: How long each is asked for.
        settle: How much of that, at its beginning, is not counted: a face takes time to change.
        rounds: How often every emotion comes up.
        seed: Of the order.

    Raises:
        ConfigError: `seconds` leaves nothing to count, or there is nothing to ask for.
    """

    def __init__(
        self, classes: Sequence[str], *, seconds: float = 5.0, settle: float = 1.0, rounds: int = 1, seed: int = 0
    ) -> None:
        if not classes or rounds < 1:
            raise ConfigError(f"A prompt needs classes and rounds of 1 or more, got {tuple(classes)} and {rounds}.")
        if not 0 <= settle < seconds:
            raise ConfigError(f"A prompt must last longer than it is not counted, got {seconds} s and {settle} s.")
        self.classes = tuple(classes)
        self.seconds = seconds
        self.settle = settle
        self.order = _order(len(self.classes), rounds, np.random.default_rng(seed))

    @property
    def total_seconds(self) -> float:
        """From the first prompt to the end of the last."""
        return len(self.order) * self.seconds

    def shown(self, elapsed: float) -> Prompt | None:
        """What is asked for so many seconds after the start; None before it and after the end."""
        number = self._number(elapsed)
        if number is None:
            return None
        name = self.classes[self.order[number]]
        left = (number + 1) * self.seconds - elapsed
        return Prompt(f"look {_WORDS.get(name, name)}", left, self.seconds)

    def truth(self, elapsed: float) -> Truth | None:
        """The label of a frame that arrived so many seconds after the start; None where it is not counted.

        Frames of one prompt are of one group: they are one moment of one person.
        """
        number = self._number(elapsed)
        if number is None or elapsed - number * self.seconds < self.settle:
            return None
        return Truth.anywhere(self.order[number], self.classes, group=number)

    def is_over(self, elapsed: float) -> bool:
        """Whether everything has been asked for."""
        return elapsed >= self.total_seconds

    def _number(self, elapsed: float) -> int | None:
        number = int(elapsed // self.seconds)
        return number if 0 <= number < len(self.order) else None


def _order(n_classes: int, rounds: int, rng: np.random.Generator) -> list[int]:
    order: list[int] = []
    for _ in range(rounds):
        following = rng.permutation(n_classes)
        if order and n_classes > 1 and following[0] == order[-1]:
            following = np.roll(following, 1)
        order += [int(label) for label in following]
    return order
