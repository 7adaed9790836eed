"""`ferbench_net`: a small residual network with channel attention, ferbench's own trade-off of accuracy and cost.

Sources: residual blocks with the activation in front (He et al., "Identity mappings in deep residual networks",
ECCV 2016, arXiv:1603.05027) and squeeze-and-excitation (Hu et al., CVPR 2018, arXiv:1709.01507). The face is halved
before the first block, so that most of the work is done on 24 x 24 pixels and fewer.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from ferbench.recognizers.deep.keras_recognizer import KerasRecognizer
from ferbench.recognizers.deep.recipe import Training

_SQUEEZE = 8


class FerbenchNet(KerasRecognizer):
    """A strided convolution, then stages of residual blocks, each with twice the channels at half the size.

    Args:
        widths: Channels of the stages.
        blocks: Residual blocks in each stage.
        dropout: Share of values dropped before the softmax.
        training: The recipe.
        seed: Fixes initial weights, dropout, order and augmentation.
    """

    name = "ferbench_net"

    def __init__(
        self,
        *,
        widths: tuple[int, ...] = (32, 64, 128),
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
        x = layers.Rescaling(1 / 127.5, -1)(inputs)
        x = layers.Conv2D(self.widths[0], 5, strides=2, padding="same", use_bias=False)(x)
        for stage, channels in enumerate(self.widths):
            for block in range(self.blocks):
                x = _residual(x, channels, strides=2 if stage > 0 and block == 0 else 1)
        x = layers.GlobalAveragePooling2D()(_activate(x))
        x = layers.Dropout(self.dropout)(x)
        return keras.Model(inputs, layers.Dense(len(self.classes), activation="softmax", dtype="float32")(x))

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """Two narrow stages of one block, one epoch."""
        return {"widths": (8, 8), "blocks": 1, **super().smoke_params()}


def _activate(x: Any) -> Any:
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def _residual(x: Any, channels: int, strides: int) -> Any:
    active = _activate(x)
    shortcut = x
    if strides > 1 or x.shape[-1] != channels:
        pooled = layers.AveragePooling2D(strides, padding="same")(active) if strides > 1 else active
        shortcut = layers.Conv2D(channels, 1, use_bias=False)(pooled)
    y = layers.Conv2D(channels, 3, strides=strides, padding="same", use_bias=False)(active)
    y = layers.Conv2D(channels, 3, padding="same", use_bias=False)(_activate(y))
    return layers.Add()([shortcut, _excite(y, channels)])


def _excite(x: Any, channels: int) -> Any:
    """Weigh each channel by what the whole picture says of it."""
    weights = layers.GlobalAveragePooling2D(keepdims=True)(x)
    weights = layers.Conv2D(max(channels // _SQUEEZE, 4), 1, activation="relu")(weights)
    return layers.Multiply()([x, layers.Conv2D(channels, 1, activation="sigmoid")(weights)])
