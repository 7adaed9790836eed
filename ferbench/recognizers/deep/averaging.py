"""A moving average of a network's weights, kept beside them while they are trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import keras
import numpy as np
from numpy.typing import NDArray

Weights: TypeAlias = list[NDArray[Any]]

_EVERY = 8
"""Steps between two looks at the weights: what is averaged over a thousand steps loses nothing, and costs an eighth."""


class WeightAverage:
    """Exponential moving average of all weights, the statistics of batch normalization included.

    Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992. While few steps are
    done the average forgets faster, so that it does not remember the initial weights.

    Args:
        network: The network being trained.
        decay: What the average keeps at each step; 0: there is no average, and nothing here does anything.

    Attributes:
        arrays: The average, in the order of `network.get_weights()`; empty without one.
    """

    def __init__(self, network: keras.Model, decay: float) -> None:
        self.network = network
        self.decay = decay
        self.arrays: Weights = network.get_weights() if decay else []

    def follow(self, step: int) -> None:
        """Take in the network's weights after its step number `step`, counted from 1."""
        if not self.arrays or step % _EVERY:
            return
        n_before = step // _EVERY - 1
        kept = np.float32(min(self.decay**_EVERY, (1 + n_before) / (10 + n_before)))
        weights = self.network.get_weights()
        self.arrays = [kept * mean + (1 - kept) * new for mean, new in zip(self.arrays, weights, strict=True)]

    @contextmanager
    def shown(self) -> Iterator[None]:
        """For as long as the block lasts, the network has the average for weights."""
        if not self.arrays:
            yield
            return
        trained = self.network.get_weights()
        self.network.set_weights(self.arrays)
        try:
            yield
        finally:
            self.network.set_weights(trained)
