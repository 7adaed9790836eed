"""Layers that several networks put together the same way. Each takes a Keras tensor and gives one.

Batch normalization (Ioffe and Szegedy 2015, arXiv:1502.03167) remembers 0.9 of its averages from step to step: with
Keras' 0.99 they still lag behind the weights when validation looks at them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import layers

_MOMENTUM = 0.9


def normalize(x: Any) -> Any:
    """Batch normalization."""
    return layers.BatchNormalization(momentum=_MOMENTUM)(x)


def convolution(
    x: Any, filters: int, size: int = 3, *, strides: int = 1, padding: str = "same", activation: str | None = "relu"
) -> Any:
    """A convolution without bias, batch normalization, then the activation; None: none."""
    x = normalize(layers.Conv2D(filters, size, strides=strides, padding=padding, use_bias=False)(x))
    return layers.Activation(activation)(x) if activation else x


def residual(x: Any, channels: int, *, strides: int = 1, refine: Callable[[Any], Any] = lambda y: y) -> Any:
    """Two 3x3 convolutions and a shortcut, the basic block of He et al. (CVPR 2016, arXiv:1512.03385).

    Args:
        x: What comes in.
        channels: What goes out.
        strides: Of the first convolution and the shortcut.
        refine: What attention does to the second convolution's output before the shortcut is added.
    """
    shortcut = x
    if strides > 1 or x.shape[-1] != channels:
        shortcut = convolution(x, channels, 1, strides=strides, activation=None)
    y = convolution(x, channels, strides=strides)
    y = refine(convolution(y, channels, activation=None))
    return layers.ReLU()(layers.Add()([y, shortcut]))


def inverted_residual(
    x: Any,
    channels: int,
    *,
    expansion: int,
    size: int = 3,
    strides: int = 1,
    activation: str = "relu6",
    refine: Callable[[Any], Any] = lambda y: y,
) -> Any:
    """Widen, filter each channel on its own, narrow: the block of MobileNetV2 (CVPR 2018, arXiv:1801.04381).

    Args:
        x: What comes in.
        channels: What goes out, without an activation.
        expansion: How many times wider the middle is; 1 leaves the widening out.
        size: Of the depthwise filters.
        strides: Of the depthwise convolution; the shortcut is there where it is 1 and the width stays.
        activation: After the first two convolutions.
        refine: What attention does to the wide middle.
    """
    y = convolution(x, expansion * x.shape[-1], 1, activation=activation) if expansion > 1 else x
    y = normalize(layers.DepthwiseConv2D(size, strides=strides, padding="same", use_bias=False)(y))
    y = refine(layers.Activation(activation)(y))
    y = convolution(y, channels, 1, activation=None)
    return layers.Add()([y, x]) if strides == 1 and x.shape[-1] == channels else y


def round_to(value: float, multiple: int) -> int:
    """The nearest multiple, at least one, as MobileNetV2 and EfficientNet round scaled widths."""
    return max(multiple, int(value + multiple / 2) // multiple * multiple)
