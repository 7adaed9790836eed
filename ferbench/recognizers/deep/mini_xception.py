"""`mini_xception`: separable convolutions with shortcuts, the small network that most webcam tools carry.

Source: Arriaga, Valdenegro-Toro and Plöger, "Real-time convolutional neural networks for emotion and gender
classification", 2017, arXiv:1710.07557, after Xception (Chollet, CVPR 2017, arXiv:1610.02357). The paper's widths are
(16, 32, 64, 128), with 58 thousand parameters. The last two stages are wider here: on a picture that small they cost
little.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from ferbench.recognizers.deep.blocks import convolution, normalize
from ferbench.recognizers.deep.keras_recognizer import KerasRecognizer
from ferbench.recognizers.deep.recipe import Training


class MiniXception(KerasRecognizer):
    """Two convolutions, then residual stages of two separable convolutions, each half the size of the one before.

    Args:
        stem: Filters of the two convolutions in front.
        widths: Channels of the stages.
        training: The recipe.
        seed: Fixes initial weights, order and augmentation.
    """

    name = "mini_xception"

    def __init__(
        self,
        *,
        stem: int = 8,
        widths: tuple[int, ...] = (16, 32, 80, 176),
        training: Training = Training(),  # noqa: B008 - frozen
        seed: int = 0,
    ) -> None:
        super().__init__(training=training, seed=seed)
        self.stem = stem
        self.widths = widths

    def build(self, height: int, width: int) -> keras.Model:
        """See `KerasRecognizer.build`."""
        inputs = keras.Input((height, width, 1))
        x = layers.Rescaling(1 / 127.5, -1)(inputs)
        for _ in range(2):
            x = convolution(x, self.stem, padding="valid")
        for channels in self.widths:
            shortcut = convolution(x, channels, 1, strides=2, activation=None)
            x = layers.ReLU()(_separable(x, channels))
            x = layers.MaxPooling2D(3, strides=2, padding="same")(_separable(x, channels))
            x = layers.Add()([x, shortcut])
        x = layers.GlobalAveragePooling2D()(layers.Conv2D(len(self.classes), 3, padding="same")(x))
        return keras.Model(inputs, layers.Activation("softmax", dtype="float32")(x))

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """Two narrow stages, one epoch."""
        return {"stem": 2, "widths": (4, 4), **super().smoke_params()}


def _separable(x: Any, channels: int) -> Any:
    return normalize(layers.SeparableConv2D(channels, 3, padding="same", use_bias=False)(x))
