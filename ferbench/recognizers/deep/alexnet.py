"""`alexnet`: five convolutions and three dense layers, the network that began deep learning's run, for small pictures.

Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks", NeurIPS
2012; widths after "One weird trick" (Krizhevsky 2014, arXiv:1404.5997): (64, 192, 384, 256, 256) and 4096 at full
width. For 48 x 48 pixels the first filters are 5x5 with stride 2, not 11x11 with stride 4; batch normalization stands
where the paper normalizes local responses.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from ferbench.recognizers.deep.blocks import convolution
from ferbench.recognizers.deep.keras_recognizer import KerasRecognizer
from ferbench.recognizers.deep.recipe import Training


class Alexnet(KerasRecognizer):
    """Five convolutions, three overlapping poolings, two hidden dense layers under dropout.

    Args:
        widths: Filters of the five convolutions.
        dense: Units of the two hidden dense layers.
        dropout: Share of values dropped before each hidden dense layer.
        training: The recipe.
        seed: Fixes initial weights, dropout, order and augmentation.
    """

    name = "alexnet"

    def __init__(
        self,
        *,
        widths: tuple[int, int, int, int, int] = (32, 96, 192, 128, 128),
        dense: int = 512,
        dropout: float = 0.4,
        training: Training = Training(),  # noqa: B008 - frozen
        seed: int = 0,
    ) -> None:
        super().__init__(training=training, seed=seed)
        self.widths = widths
        self.dense = dense
        self.dropout = dropout

    def build(self, height: int, width: int) -> keras.Model:
        """See `KerasRecognizer.build`."""
        inputs = keras.Input((height, width, 1))
        first, second, *others = self.widths
        x = layers.Rescaling(1 / 127.5, -1)(inputs)
        x = _pool(convolution(x, first, 5, strides=2))
        x = _pool(convolution(x, second, 5))
        for filters in others:
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.Flatten()(_pool(x))
        for _ in range(2):
            x = layers.Dense(self.dense, activation="relu")(layers.Dropout(self.dropout)(x))
        return keras.Model(inputs, layers.Dense(len(self.classes), activation="softmax", dtype="float32")(x))

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """Two filters a layer, one epoch."""
        return {"widths": (2, 2, 2, 2, 2), "dense": 8, **super().smoke_params()}


def _pool(x: Any) -> Any:
    return layers.MaxPooling2D(3, strides=2, padding="same")(x)
