"""`lenet5`: two convolutions and three dense layers, where the field began.

Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", Proceedings of
the IEEE 86(11), 1998: 5x5 convolutions, averaging and tanh, at the paper's widths. Softmax stands where the paper has
radial basis functions, and every map is connected to every one before it.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from ferbench.recognizers.deep.keras_recognizer import KerasRecognizer
from ferbench.recognizers.deep.recipe import Training


class Lenet5(KerasRecognizer):
    """Two 5x5 convolutions, each averaged down to half, and two hidden dense layers, all tanh.

    Args:
        widths: Filters of the two convolutions.
        dense: Units of the hidden dense layers.
        training: The recipe.
        seed: Fixes initial weights, dropout, order and augmentation.
    """

    name = "lenet5"

    def __init__(
        self,
        *,
        widths: tuple[int, ...] = (6, 16),
        dense: tuple[int, ...] = (120, 84),
        training: Training = Training(),  # noqa: B008 - frozen
        seed: int = 0,
    ) -> None:
        super().__init__(training=training, seed=seed)
        self.widths = widths
        self.dense = dense

    def build(self, height: int, width: int) -> keras.Model:
        """See `KerasRecognizer.build`."""
        inputs = keras.Input((height, width, 1))
        x = layers.Rescaling(1 / 127.5, -1)(inputs)
        for filters in self.widths:
            x = layers.Conv2D(filters, 5, activation="tanh")(x)
            x = layers.AveragePooling2D(2)(x)
        x = layers.Flatten()(x)
        for units in self.dense:
            x = layers.Dense(units, activation="tanh")(x)
        return keras.Model(inputs, layers.Dense(len(self.classes), activation="softmax", dtype="float32")(x))

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """Two filters a layer, one epoch."""
        return {"widths": (2, 2), "dense": (8,), **super().smoke_params()}
