"""What a network costs and sees, counted from the network as it was built, whatever its file says.

No recognizer, dataset or clock is known here: time is measured in `ferbench.timing`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
from keras import layers

_Window: TypeAlias = tuple[float, int] | None
"""(side of the receptive field, pixels between two neighbors), both in input pixels; None: the whole picture."""


@dataclass(frozen=True, slots=True)
class Account:
    """A network in numbers.

    Attributes:
        n_parameters: All weights, those of batch normalization included.
        weight_bytes: Bytes they take in memory.
        multiply_adds: Multiplications, each with its addition, that one picture costs in convolutions and dense layers.
            Batch normalization folds into the convolution before it, and like activations and poolings is not counted.
        receptive_field: Side, in input pixels, of what the most far-seeing local value depends on; it may be larger
            than the picture. What is pooled over the whole picture (squeeze-and-excitation, the head) is not local.
    """

    n_parameters: int
    weight_bytes: int
    multiply_adds: int
    receptive_field: int


def account(network: keras.Model) -> Account:
    """Walk a functional network from its input to its output.

    Args:
        network: Each of its layers is called once, on square filters and strides.
    """
    operations = [operation for operation in network.operations if not isinstance(operation, layers.InputLayer)]
    windows: dict[int, _Window] = {id(tensor): (1, 1) for tensor in network.inputs}
    for operation in operations:
        windows[id(operation.output)] = _window(operation, [windows[id(tensor)] for tensor in _inputs(operation)])
    return Account(
        n_parameters=int(network.count_params()),
        weight_bytes=sum(math.prod(weight.shape) * _item_size(weight.dtype) for weight in network.weights),
        multiply_adds=sum(_multiply_adds(operation) for operation in operations),
        receptive_field=int(max(window[0] for window in windows.values() if window)),
    )


def _inputs(operation: Any) -> list[Any]:
    return operation.input if isinstance(operation.input, list) else [operation.input]


def _item_size(dtype: str) -> int:
    return int(keras.backend.standardize_dtype(dtype)[-2:]) // 8


def _multiply_adds(operation: Any) -> int:
    if isinstance(operation, layers.Dense):
        return int(math.prod(operation.input.shape[1:]) * operation.units)
    if not isinstance(operation, layers.Conv2D | layers.DepthwiseConv2D | layers.SeparableConv2D):
        return 0
    taps, channels = math.prod(operation.kernel_size), int(operation.input.shape[-1])
    if isinstance(operation, layers.DepthwiseConv2D):
        each = taps * channels * int(operation.depth_multiplier)
    elif isinstance(operation, layers.SeparableConv2D):
        each = channels * int(operation.depth_multiplier) * (taps + int(operation.filters))
    else:
        each = taps * channels // int(operation.groups) * int(operation.filters)
    return int(math.prod(operation.output.shape[1:3]) * each)


def _window(operation: Any, before: list[_Window]) -> _Window:
    local = [window for window in before if window]
    if not local or isinstance(operation, layers.Dense | layers.Flatten) or _pools_all(operation):
        return None
    side, step = max(local)
    size = getattr(operation, "kernel_size", None) or getattr(operation, "pool_size", None)
    if size is None:
        return side, step
    dilation = getattr(operation, "dilation_rate", (1,))[0]
    return side + (size[0] - 1) * dilation * step, step * operation.strides[0]


def _pools_all(operation: Any) -> bool:
    return isinstance(operation, layers.GlobalAveragePooling2D | layers.GlobalMaxPooling2D)
