"""`vgg`: ten 3x3 convolutions and three dense layers, the VGG-13 of facial expression recognition.

Sources: Simonyan and Zisserman, ICLR 2015, arXiv:1409.1556; in the form of Barsoum et al., "Training deep networks for
facial expression recognition with crowd-sourced label distribution", ICMI 2016, arXiv:1608.01041, whose widths are
(64, 128, 256, 256) and 1024. Added: batch normalization, as Khaireddin and Chen (arXiv:2105.03588) have it.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from ferbench.recognizers.deep.blocks import convolution
from ferbench.recognizers.deep.keras_recognizer import KerasRecognizer
from ferbench.recognizers.deep.recipe import Training


class Vgg(KerasRecognizer):
    """Four blocks of 3x3 convolutions, each pooled and dropped out, then two hidden dense layers.

    Args:
        widths: Filters of the convolutions of each block.
        depths: Convolutions in each block.
        dense: Units of the two hidden dense layers.
        dropout: Share of values dropped after each hidden dense layer; half of it after each block.
        training: The recipe.
        seed: Fixes initial weights, dropout, order and augmentation.
    """

    name = "vgg"

    def __init__(
        self,
        *,
        widths: tuple[int, ...] = (32, 64, 128, 128),
        depths: tuple[int, ...] = (2, 2, 3, 3),
        dense: int = 256,
        dropout: float = 0.4,
        training: Training = Training(),  # noqa: B008 - frozen
        seed: int = 0,
    ) -> None:
        super().__init__(training=training, seed=seed)
        self.widths = widths
        self.depths = depths
        self.dense = dense
        self.dropout = dropout

    def build(self, height: int, width: int) -> keras.Model:
        """See `KerasRecognizer.build`."""
        inputs = keras.Input((height, width, 1))
        x = layers.Rescaling(1 / 127.5, -1)(inputs)
        for filters, depth in zip(self.widths, self.depths, strict=True):
            for _ in range(depth):
                x = convolution(x, filters)
            x = layers.Dropout(self.dropout / 2)(layers.MaxPooling2D(2)(x))
        x = layers.Flatten()(x)
        for _ in range(2):
            x = layers.Dropout(self.dropout)(layers.Dense(self.dense, activation="relu")(x))
        return keras.Model(inputs, layers.Dense(len(self.classes), activation="softmax", dtype="float32")(x))

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """Two blocks of one convolution, one epoch."""
        return {"widths": (2, 4), "depths": (1, 1), "dense": 8, **super().smoke_params()}
