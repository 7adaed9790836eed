"""`cnn9`: nine convolutions in three blocks, the network of the 2016 study (58 % on FER2013).

Source: the mememoji project's nine-layer network: three times (three 3x3 convolutions, 2x2 max pooling), then dropout,
dense layers and softmax. Added here: batch normalization (Ioffe and Szegedy 2015) after each convolution. Widths are
ours, so that an epoch of FER2013 takes about a minute on two CPU cores.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from ferbench.recognizers.deep.blocks import convolution
from ferbench.recognizers.deep.keras_recognizer import KerasRecognizer
from ferbench.recognizers.deep.recipe import Training


class Cnn9(KerasRecognizer):
    """Three blocks of three 3x3 convolutions and a max pooling, then dropout, a dense layer and softmax.

    Args:
        widths: Filters of the convolutions of each block.
        dense: Units of the hidden dense layers.
        dropout: Share of values dropped before each dense layer.
        training: The recipe.
        seed: Fixes initial weights, dropout, order and augmentation.
    """

    name = "cnn9"

    def __init__(
        self,
        *,
        widths: tuple[int, int, int] = (16, 32, 64),
        dense: tuple[int, ...] = (128,),
        dropout: float = 0.2,
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
        x = layers.Rescaling(1 / 255)(inputs)
        for filters in self.widths:
            for _ in range(3):
                x = convolution(x, filters)
            x = layers.MaxPooling2D(2)(x)
        x = layers.Dropout(self.dropout)(layers.Flatten()(x))
        for units in self.dense:
            x = layers.Dropout(self.dropout)(layers.Dense(units, activation="relu")(x))
        return keras.Model(inputs, layers.Dense(len(self.classes), activation="softmax", dtype="float32")(x))

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """Two filters a layer, one epoch."""
        return {"widths": (2, 2, 2), "dense": (8,), **super().smoke_params()}
