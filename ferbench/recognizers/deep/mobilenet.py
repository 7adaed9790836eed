"""`mobilenet`: inverted residuals around depthwise filters, made for telephones.

Source: Sandler et al., "MobileNetV2: Inverted residuals and linear bottlenecks", CVPR 2018, arXiv:1801.04381. For
48 x 48 pixels the picture is halved four times, not five, the stage of 320 channels is left out, and the 1280 channels
in front of the softmax are scaled with the width like all others.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from ferbench.recognizers.deep.blocks import convolution, inverted_residual, round_to
from ferbench.recognizers.deep.keras_recognizer import KerasRecognizer
from ferbench.recognizers.deep.recipe import Training

_STAGES = ((24, 2, 2), (32, 3, 1), (64, 4, 2), (96, 3, 1), (160, 3, 2))


class Mobilenet(KerasRecognizer):
    """A strided convolution, stages of inverted residuals, a 1x1 convolution and softmax.

    Args:
        width: What the paper's channels are multiplied by.
        stages: (channels, blocks, strides) of each stage, before the multiplication.
        expansion: How many times wider a block is in the middle.
        dropout: Share of values dropped before the softmax.
        training: The recipe.
        seed: Fixes initial weights, dropout, order and augmentation.
    """

    name = "mobilenet"

    def __init__(
        self,
        *,
        width: float = 0.5,
        stages: tuple[tuple[int, int, int], ...] = _STAGES,
        expansion: int = 6,
        dropout: float = 0.2,
        training: Training = Training(),  # noqa: B008 - frozen
        seed: int = 0,
    ) -> None:
        super().__init__(training=training, seed=seed)
        self.width = width
        self.stages = stages
        self.expansion = expansion
        self.dropout = dropout

    def build(self, height: int, width: int) -> keras.Model:
        """See `KerasRecognizer.build`."""
        inputs = keras.Input((height, width, 1))
        x = layers.Rescaling(1 / 127.5, -1)(inputs)
        x = convolution(x, self._scaled(32), strides=2, activation="relu6")
        x = inverted_residual(x, self._scaled(16), expansion=1)
        for channels, blocks, strides in self.stages:
            for block in range(blocks):
                x = inverted_residual(
                    x, self._scaled(channels), expansion=self.expansion, strides=strides if block == 0 else 1
                )
        x = convolution(x, self._scaled(1280), 1, activation="relu6")
        x = layers.Dropout(self.dropout)(layers.GlobalAveragePooling2D()(x))
        return keras.Model(inputs, layers.Dense(len(self.classes), activation="softmax", dtype="float32")(x))

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """An eighth of the width and two stages of one block, one epoch."""
        return {"width": 0.125, "stages": ((24, 1, 2), (32, 1, 1)), "expansion": 2, **super().smoke_params()}

    def _scaled(self, channels: int) -> int:
        return round_to(self.width * channels, 4)
