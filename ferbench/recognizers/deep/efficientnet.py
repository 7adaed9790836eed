"""`efficientnet`: inverted residuals with channel attention and swish, scaled in width and depth together.

Source: Tan and Le, "EfficientNet: Rethinking model scaling for convolutional neural networks", ICML 2019,
arXiv:1905.11946, table 1 (B0); squeeze-and-excitation of Hu et al., CVPR 2018, arXiv:1709.01507. For 48 x 48 pixels the
picture is halved four times, not five.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers

from ferbench.recognizers.deep.blocks import convolution, inverted_residual, round_to
from ferbench.recognizers.deep.keras_recognizer import KerasRecognizer
from ferbench.recognizers.deep.recipe import Training

_EXPANSION = 6
_SQUEEZE = 4 * _EXPANSION
_STAGES = ((24, 2, 1, 3), (40, 2, 2, 5), (80, 3, 2, 3), (112, 3, 1, 5), (192, 4, 2, 5), (320, 1, 1, 3))


class Efficientnet(KerasRecognizer):
    """A strided convolution, stages of inverted residuals with squeeze-and-excitation, a 1x1 convolution and softmax.

    Args:
        width: What the channels of B0 are multiplied by.
        depth: What the blocks of each stage of B0 are multiplied by, rounded up.
        stages: (channels, blocks, strides, filter size) of each stage, before the multiplication.
        dropout: Share of values dropped before the softmax.
        training: The recipe.
        seed: Fixes initial weights, dropout, order and augmentation.
    """

    name = "efficientnet"

    def __init__(
        self,
        *,
        width: float = 0.5,
        depth: float = 0.5,
        stages: tuple[tuple[int, int, int, int], ...] = _STAGES,
        dropout: float = 0.2,
        training: Training = Training(),  # noqa: B008 - frozen
        seed: int = 0,
    ) -> None:
        super().__init__(training=training, seed=seed)
        self.width = width
        self.depth = depth
        self.stages = stages
        self.dropout = dropout

    def build(self, height: int, width: int) -> keras.Model:
        """See `KerasRecognizer.build`."""
        inputs = keras.Input((height, width, 1))
        x = layers.Rescaling(1 / 127.5, -1)(inputs)
        x = convolution(x, self._scaled(32), strides=2, activation="swish")
        x = inverted_residual(x, self._scaled(16), expansion=1, activation="swish", refine=_excite)
        for channels, blocks, strides, size in self.stages:
            for block in range(math.ceil(self.depth * blocks)):
                x = inverted_residual(
                    x,
                    self._scaled(channels),
                    expansion=_EXPANSION,
                    size=size,
                    strides=strides if block == 0 else 1,
                    activation="swish",
                    refine=_excite,
                )
        x = convolution(x, self._scaled(1280), 1, activation="swish")
        x = layers.Dropout(self.dropout)(layers.GlobalAveragePooling2D()(x))
        return keras.Model(inputs, layers.Dense(len(self.classes), activation="softmax", dtype="float32")(x))

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """An eighth of the width and two stages of one block, one epoch."""
        return {"width": 0.125, "stages": ((24, 1, 2, 3), (40, 1, 1, 5)), **super().smoke_params()}

    def _scaled(self, channels: int) -> int:
        return round_to(self.width * channels, 4)


def _excite(x: Any) -> Any:
    """Weigh each channel by what the whole picture says of it."""
    weights = layers.GlobalAveragePooling2D(keepdims=True)(x)
    weights = layers.Conv2D(max(x.shape[-1] // _SQUEEZE, 4), 1, activation="swish")(weights)
    return layers.Multiply()([x, layers.Conv2D(x.shape[-1], 1, activation="sigmoid")(weights)])
