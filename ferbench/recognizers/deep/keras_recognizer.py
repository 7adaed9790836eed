"""What all Keras networks share as recognizers: fitting by one recipe, predicting, saving weights and only weights."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ferbench.errors import NotFittedError
from ferbench.recognizers.base import Recognizer
from ferbench.recognizers.deep.accounting import Account, account
from ferbench.recognizers.deep.frozen import freeze
from ferbench.recognizers.deep.recipe import Training
from ferbench.recognizers.deep.training import forward, train
from ferbench.types import EpochHook, Images, Labels, Probabilities, ProgressHook

_WEIGHTS = "network.weights.h5"


class KerasRecognizer(Recognizer):
    """A recognizer whose `build` returns a Keras network.

    The file on disk holds weights alone. The network itself is built by the class, so that loading runs no code and no
    configuration out of a file.

    Args:
        training: The recipe.
        seed: Fixes initial weights, dropout, order and augmentation.

    Attributes:
        network_: The `keras.Model`, once fitted or loaded. The first answer freezes its weights: to change them later,
            assign the changed network anew.
        curve_: Loss and accuracies by epoch, once fitted.
        best_epoch_: The epoch, from 1, whose weights validation chose, once fitted.
    """

    family = "deep"
    network_: keras.Model
    _frozen: tuple[keras.Model, keras.Model] | None = None

    def __init__(self, *, training: Training = Training(), seed: int = 0) -> None:  # noqa: B008 - frozen
        self.training = training
        self.seed = seed

    @abstractmethod
    def build(self, height: int, width: int) -> keras.Model:
        """A network from gray values 0 to 255, (n, height, width, 1), to `len(self.classes)` probabilities."""

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """One epoch of small batches."""
        return {"training": {"epochs": 1, "batch_size": 16}}

    def account(self) -> Account:
        """Parameters, bytes, multiply-adds and receptive field of the fitted network."""
        if not self._fitted:
            raise NotFittedError(f"{self.name} is not fitted: its network is not built yet.")
        return account(self.network_)

    def choices(self) -> dict[str, Any]:
        """The epoch whose weights were kept."""
        return {"epoch": self.best_epoch_} if hasattr(self, "best_epoch_") else {}

    def _fit(
        self,
        images: Images,
        labels: Labels,
        *,
        targets: Probabilities | None,
        validation: tuple[Images, Labels] | None,
        on_epoch: EpochHook,
        on_progress: ProgressHook,
        checkpoints: Path | None,
    ) -> None:
        keras.utils.set_random_seed(self.seed)
        if targets is None:
            targets = np.eye(len(self.classes), dtype=np.float32)[labels]
        with _precision(self.training.precision):
            network = self.build(*self.image_size)
            progress = train(
                network,
                images,
                labels,
                targets,
                self.training,
                validation=validation,
                seed=self.seed,
                on_epoch=on_epoch,
                on_progress=on_progress,
                checkpoints=checkpoints,
            )
        if self.training.precision != "float32":
            trained, network = network, self.build(*self.image_size)
            network.set_weights(trained.get_weights())
        self.network_ = network
        self.curve_ = progress.curve
        self.best_epoch_ = progress.best_epoch

    def _predict_proba(self, images: Images) -> Probabilities:
        if self._frozen is None or self._frozen[0] is not self.network_:
            self._frozen = self.network_, freeze(self.network_)
        return forward(self._frozen[1], images)

    def _save(self, directory: Path) -> None:
        self.network_.save_weights(directory / _WEIGHTS)

    def _load(self, directory: Path) -> None:
        self.network_ = self.build(*self.image_size)
        self.network_.load_weights(directory / _WEIGHTS)

    def _counts(self) -> tuple[int, int]:
        counted = account(self.network_)
        return counted.multiply_adds, counted.receptive_field

    def _size(self) -> tuple[int, int]:
        n_parameters = int(self.network_.count_params())
        return n_parameters, sum(int(np.asarray(array).nbytes) for array in self.network_.get_weights())


@contextmanager
def _precision(policy: str) -> Iterator[None]:
    """Layers made in the block compute as the policy says."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
