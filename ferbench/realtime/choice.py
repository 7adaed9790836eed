"""Things of one kind to choose from while the loop runs, by name, any of which may fail in use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from ferbench.errors import ConfigError

T = TypeVar("T")


class Choice(Generic[T]):
    """Several named things, one of them current.

    Args:
        kind: What they are, for messages: "recognizer", "detector".
        items: (name, thing) pairs, at least one; the first is current.

    Raises:
        ConfigError: there is none, or two have one name.
    """

    def __init__(self, kind: str, items: Iterable[tuple[str, T]]) -> None:
        self._items = list(items)
        self._position = self._before = 0
        self._failed: set[int] = set()
        if not self._items:
            raise ConfigError(f"There must be at least one {kind}: name one with --{kind}s.")
        if len(set(self.names)) < len(self._items):
            raise ConfigError(f"Every {kind} needs a name of its own, got {', '.join(self.names)}.")

    @property
    def current(self) -> T:
        """The one that the next frame goes to."""
        return self._items[self._position][1]

    @property
    def name(self) -> str:
        """The name of the current one."""
        return self._items[self._position][0]

    @property
    def position(self) -> int:
        """Where the current one stands among `names`."""
        return self._position

    @property
    def items(self) -> list[tuple[str, T]]:
        """All (name, thing) pairs, in the order of their keys."""
        return list(self._items)

    @property
    def names(self) -> tuple[str, ...]:
        """All that can be chosen, in the order of their keys."""
        return tuple(name for name, _ in self._items)

    def __len__(self) -> int:
        return len(self._items)

    def select(self, position: int) -> bool:
        """Make the one at `position` current, also if it failed before; False where there is none."""
        if not 0 <= position < len(self._items):
            return False
        if position != self._position:
            self._before, self._position = self._position, position
        self._failed.discard(position)
        return True

    def next(self) -> None:
        """Make the following one current; the first follows the last."""
        self.select((self._position + 1) % len(self._items))

    def add(self, name: str, item: T) -> None:
        """One more, current from now on; a name that is taken gets a number."""
        self._items.append((free_name(name, self.names), item))
        self.select(len(self._items) - 1)

    def fail(self, error: Exception) -> str | None:
        """Give up on the current one, which raised `error`, for the one before it, or any that has not failed.

        Returns:
            A sentence; None where no other is left, and the current one stays.
        """
        failed = self.name
        self._failed.add(self._position)
        for position in (self._before, *range(len(self._items))):
            if position not in self._failed:
                self._position = self._before = position
                return f"{failed} failed, {self.name} carries on: {error}"
        return None


def free_name(name: str, taken: Sequence[str]) -> str:
    """`name`, or with the first number from 2 behind it that makes it a new one."""
    if name not in taken:
        return name
    number = 2
    while f"{name} {number}" in taken:
        number += 1
    return f"{name} {number}"
