"""`resnet18`: eight basic residual blocks, the backbone of half the field, for small pictures.

Source: He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016, arXiv:1512.03385, with widths
(64, 128, 256, 512). A 3x3 convolution with stride 2 stands where 224 pixels are reduced four times before the first
block. Added: dropout before the softmax.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from ferbench.recognizers.deep.blocks import convolution, residual
from ferbench.recognizers.deep.keras_recognizer import KerasRecognizer
from ferbench.recognizers.deep.recipe import Training


class Resnet18(KerasRecognizer):
    """A strided convolution, then stages of residual blocks, each with twice the channels at half the size.

    Args:
        widths: Channels of the stages.
        blocks: Residual blocks in each stage.
        dropout: Share of values dropped before the softmax.
        training: The recipe.
        seed: Fixes initial weights, dropout, order and augmentation.
    """

    name = "resnet18"

    def __init__(
        self,
        *,
        widths: tuple[int, ...] = (32, 64, 128, 256),
        blocks: int = 2,
        dropout: float = 0.2,
        training: Training = Training(),  # noqa: B008 - frozen
        seed: int = 0,
    ) -> None:
        super().__init__(training=training, seed=seed)
        self.widths = widths
        self.blocks = blocks
        self.dropout = dropout

    def build(self, height: int, width: int) -> keras.Model:
        """See `KerasRecognizer.build`."""
        inputs = keras.Input((height, width, 1))
        x = convolution(layers.Rescaling(1 / 127.5, -1)(inputs), self.widths[0], strides=2)
        for stage, channels in enumerate(self.widths):
            for block in range(self.blocks):
                x = residual(x, channels, strides=2 if stage > 0 and block == 0 else 1)
        x = layers.Dropout(self.dropout)(layers.GlobalAveragePooling2D()(x))
        return keras.Model(inputs, layers.Dense(len(self.classes), activation="softmax", dtype="float32")(x))

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """Two narrow stages of one block, one epoch."""
        return {"widths": (4, 4), "blocks": 1, **super().smoke_params()}
