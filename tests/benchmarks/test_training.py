"""What our training loop adds to a bare `model.fit` of the same network on the same arrays, and augmentation to that.

Each pair is an epoch of one and an epoch of the other, both compiled before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Semaphore, Thread
from typing import Any

import keras
import numpy as np
import pytest

from ferbench import registry
from ferbench.recognizers.deep.recipe import Training
from ferbench.recognizers.deep.training import train

NETWORKS = {"cnn3": ({"widths": [8, 16, 32], "dense": 64}, 20), "mini_xception": ({}, 5)}
"""By recognizer: its parameters, and how many batches make an epoch."""
BATCH, RATE = 64, 1e-3
MANY = 1000
PLAIN = Training(
    epochs=MANY, batch_size=BATCH, learning_rate=RATE, schedule="constant", label_smoothing=0, augmentation=None
)
AUGMENTED = PLAIN.model_copy(update={"augmentation": Training().augmentation})


class Closed(BaseException):
    """Ends a training from within its hook."""


class Stepped:
    """A training in a thread of its own that waits after each epoch until it is called for the next.

    Args:
        training: Called with a hook that it must call at the end of each epoch.
    """

    def __init__(self, training: Callable[[Callable[..., None]], object]) -> None:
        self._wanted, self._done, self._is_closed = Semaphore(0), Semaphore(0), False
        self._thread = Thread(target=self._run, args=(training,), daemon=True)
        self._thread.start()

    def __call__(self) -> None:
        assert self._thread.is_alive(), "the training has ended"
        self._wanted.release()
        self._done.acquire()

    def close(self) -> None:
        self._is_closed = True
        self._wanted.release()
        self._thread.join()

    def _run(self, training: Callable[[Callable[..., None]], object]) -> None:
        self._wanted.acquire()
        try:
            training(self._pause)
        except Closed:
            pass
        finally:
            self._done.release()

    def _pause(self, *_: Any) -> None:
        self._done.release()
        self._wanted.acquire()
        if self._is_closed:
            raise Closed


@contextmanager
def stepped(*trainings: Callable[[Callable[..., None]], object]) -> Iterator[list[Stepped]]:
    epochs = [Stepped(training) for training in trainings]
    try:
        yield epochs
    finally:
        for each in epochs:
            each.close()


class Case:
    """A network, and random faces as many as an epoch shows."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.params, n_batches = NETWORKS[name]
        random = np.random.default_rng(0)
        self.images = random.integers(0, 256, (n_batches * BATCH, 48, 48)).astype(np.uint8)
        self.labels = random.integers(0, 7, len(self.images))
        self.targets = np.eye(7, dtype=np.float32)[self.labels]

    def network(self) -> keras.Model:
        return registry.create("recognizers", self.name, self.params).build(48, 48)

    def ours(self, settings: Training) -> Callable[[Callable[..., None]], object]:
        network = self.network()
        return lambda hook: train(
            network,
            self.images,
            self.labels,
            self.targets,
            settings,
            validation=None,
            seed=0,
            on_epoch=hook,
            on_progress=lambda stage, done, total: None,
            checkpoints=None,
        )

    def bare(self) -> Callable[[Callable[..., None]], object]:
        network = self.network()
        optimizer = keras.optimizers.AdamW(RATE, weight_decay=PLAIN.weight_decay)
        network.compile(optimizer=optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
        return lambda hook: network.fit(
            self.images[..., None],
            self.targets,
            batch_size=BATCH,
            epochs=MANY,
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=hook)],
        )


@pytest.mark.parametrize("name", NETWORKS)
def test_training_costs_little_over_a_bare_fit(compare, name: str) -> None:
    case = Case(name)
    with stepped(case.bare(), case.ours(PLAIN)) as (bare, ours):
        assert compare(bare, ours) < 1.1


def test_augmentation_costs_little(compare) -> None:
    case = Case("mini_xception")
    with stepped(case.ours(PLAIN), case.ours(AUGMENTED)) as (plain, augmented):
        assert compare(plain, augmented) < 1.2
