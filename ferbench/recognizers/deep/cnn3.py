"""`cnn3`: three convolutions, the plain network that the 2016 study starts from."""

from __future__ import annotations

import keras
from keras import layers

from ferbench.recognizers.deep.keras_recognizer import KerasRecognizer
from ferbench.recognizers.deep.recipe import Training


class Cnn3(KerasRecognizer):
    """Three 3x3 convolutions, each pooled, and one dense layer: no batch normalization, no dropout.

    Args:
        widths: Filters of the three convolutions.
        dense: Units of the hidden dense layer.
        training: The recipe.
        seed: Fixes initial weights, order and augmentation.
    """

    name = "cnn3"

    def __init__(
        self,
        *,
        widths: tuple[int, int, int] = (16, 32, 64),
        dense: int = 128,
        training: Training = Training(),  # noqa: B008 - frozen
        seed: int = 0,
    ) -> None:
        super().__init__(training=training, seed=seed)
        self.widths = widths
        self.dense = dense

    def build(self, height: int, width: int) -> keras.Model:
        """See `KerasRecognizer.build`."""
        inputs = keras.Input((height, width, 1))
        x = layers.Rescaling(1 / 255)(inputs)
        for filters in self.widths:
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
            x = layers.MaxPooling2D(2)(x)
        x = layers.Flatten()(x)
        x = layers.Dense(self.dense, activation="relu")(x)
        return keras.Model(inputs, layers.Dense(len(self.classes), activation="softmax", dtype="float32")(x))
