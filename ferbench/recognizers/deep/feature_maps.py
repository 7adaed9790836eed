"""What a network's layers answer to a face, as pictures."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from ferbench.errors import ConfigError
from ferbench.recognizers.deep.keras_recognizer import KerasRecognizer
from ferbench.types import Images


def feature_maps(
    recognizer: KerasRecognizer, images: Images, layer_names: list[str] | None = None
) -> dict[str, NDArray[np.float32]]:
    """The outputs of some layers.

    Args:
        recognizer: A fitted one.
        images: uint8, (n, height, width), of the size that it was fitted on.
        layer_names: Which layers; None: those that `shrinking_layers` finds.

    Returns:
        By layer name, in the order of the network: float32, (n, height, width, channels).

    Raises:
        ConfigError: the network has no such layer.
    """
    network = recognizer.network_
    wanted = shrinking_layers(network) if layer_names is None else layer_names
    outputs = [layer_output(network, name) for name in wanted]
    answers = keras.Model(network.inputs, outputs).predict_on_batch(images[..., None])
    answers = answers if isinstance(answers, list | tuple) else [answers]
    return {name: np.asarray(answer, dtype=np.float32) for name, answer in zip(wanted, answers, strict=True)}


def shrinking_layers(network: keras.Model) -> list[str]:
    """Names of the pooling layers; where strides shrink it too, of the last layer at each smaller size."""
    pooling: dict[str, int] = {}
    last_at: dict[int, str] = {}
    strided = set()
    for layer in network.layers:
        shape = layer.output.shape
        if len(shape) != 4 or not 1 < shape[1] < network.input_shape[1]:
            continue
        last_at[shape[1]] = layer.name
        if isinstance(layer, layers.MaxPooling2D | layers.AveragePooling2D):
            pooling[layer.name] = shape[1]
        elif max(getattr(layer, "strides", (1,))) > 1:
            strided.add(shape[1])
    return list(pooling) if pooling and strided <= set(pooling.values()) else list(last_at.values())


def layer_output(network: keras.Model, name: str) -> keras.KerasTensor:
    """The output of a layer.

    Raises:
        ConfigError: the network has no layer of that name whose output is a stack of maps.
    """
    known = {layer.name: layer.output for layer in network.layers}
    if name not in known or len(known[name].shape) != 4:
        choices = ", ".join(key for key, tensor in known.items() if len(tensor.shape) == 4)
        raise ConfigError(f"'{name}' is no layer whose output is a picture. Choose one of: {choices}.")
    return known[name]
