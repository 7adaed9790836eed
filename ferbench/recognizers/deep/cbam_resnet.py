"""`cbam_resnet`: a residual network that weighs channels and places, so that eyes and mouth can count for more.

Source: Woo, Park, Lee and Kweon, "CBAM: Convolutional block attention module", ECCV 2018, arXiv:1807.06521, in the
basic blocks of He et al. (arXiv:1512.03385), at the sizes of `resnet18`. The paper's reduction of 16 would leave the
first stage two units: it is 8 here.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from ferbench.recognizers.deep.blocks import convolution, residual
from ferbench.recognizers.deep.keras_recognizer import KerasRecognizer
from ferbench.recognizers.deep.recipe import Training

_REDUCTION = 8


class CbamResnet(KerasRecognizer):
    """The network of `resnet18` with channel attention, then spatial attention, in each block.

    Args:
        widths: Channels of the stages.
        blocks: Residual blocks in each stage.
        dropout: Share of values dropped before the softmax.
        training: The recipe.
        seed: Fixes initial weights, dropout, order and augmentation.
    """

    name = "cbam_resnet"

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
                strides = 2 if stage > 0 and block == 0 else 1
                x = residual(x, channels, strides=strides, refine=_attend)
        x = layers.Dropout(self.dropout)(layers.GlobalAveragePooling2D()(x))
        return keras.Model(inputs, layers.Dense(len(self.classes), activation="softmax", dtype="float32")(x))

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """Two narrow stages of one block, one epoch."""
        return {"widths": (8, 8), "blocks": 1, **super().smoke_params()}


def _attend(x: Any) -> Any:
    x = layers.Multiply()([x, _channel_weights(x)])
    return layers.Multiply()([x, _place_weights(x)])


def _channel_weights(x: Any) -> Any:
    """One weight a channel: mean and maximum, as two rows of one picture, go through the same two layers."""
    channels = x.shape[-1]
    pooled = [layers.GlobalAveragePooling2D(keepdims=True)(x), layers.GlobalMaxPooling2D(keepdims=True)(x)]
    weights = layers.Conv2D(channels // _REDUCTION, 1, activation="relu")(layers.Concatenate(axis=1)(pooled))
    weights = layers.Conv2D(channels, 1)(weights)
    return ops.sigmoid(ops.sum(weights, axis=1, keepdims=True))


def _place_weights(x: Any) -> Any:
    """One weight a place, from mean and maximum over the channels around it."""
    pooled = [ops.mean(x, axis=-1, keepdims=True), ops.max(x, axis=-1, keepdims=True)]
    return layers.Conv2D(1, 7, padding="same", activation="sigmoid", use_bias=False)(layers.Concatenate()(pooled))
