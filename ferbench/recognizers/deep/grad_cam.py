"""Grad-CAM: which places of a face a network's answer rests on. Pure Keras 3, on any of its backends."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from ferbench.recognizers.deep.feature_maps import layer_output
from ferbench.recognizers.deep.keras_recognizer import KerasRecognizer
from ferbench.types import Images, Labels

_heads: WeakKeyDictionary[keras.Model, dict[str, keras.Model]] = WeakKeyDictionary()


def grad_cam(
    recognizer: KerasRecognizer, images: Images, labels: Labels | None = None, *, layer_name: str | None = None
) -> NDArray[np.float32]:
    """Heat maps by Selvaraju et al., "Grad-CAM", ICCV 2017, arXiv:1610.02391.

    The maps of a layer are summed, each weighed by the mean gradient of the class's score before the softmax; what
    speaks against the class is cut off.

    Args:
        recognizer: A fitted one.
        images: uint8, (n, height, width), of the size that it was fitted on.
        labels: The class asked about for each face, (n,); None: the one that it is most probable to be.
        layer_name: The layer whose maps are weighed, one that all of the network's paths run through; None: the last
            one whose output is still a picture.

    Returns:
        float32, (n, height, width), 0 to 1; all 0 where nothing speaks for the class.

    Raises:
        ConfigError: the network has no such layer.
    """
    network = recognizer.network_
    name = layer_name or _last_picture(network)
    features = layer_output(network, name)
    maps = np.asarray(keras.Model(network.inputs, features).predict_on_batch(images[..., None]), dtype=np.float32)
    asked = recognizer.predict_proba(images).argmax(axis=1) if labels is None else labels
    gradients = _gradients(network, features, maps, np.asarray(asked))
    heat = np.maximum((maps * gradients.mean(axis=(1, 2), keepdims=True)).sum(axis=3), 0.0)
    heat = np.asarray(ops.image.resize(heat[..., None], images.shape[1:], interpolation="bilinear"))[..., 0]
    highest = heat.max(axis=(1, 2), keepdims=True)
    return np.asarray(heat / np.where(highest > 0, highest, 1.0), dtype=np.float32)


class _Nudged(keras.Model):  # type: ignore[misc]
    """The network behind some maps, with something added to them: the only thing that can be learnt here.

    One step of gradient descent at learning rate 1 on a score turns that something from zeros into the score's negative
    gradient. Keras has no call for gradients that all its backends share; training is one.
    """

    def __init__(self, head: Callable[[Any], Any], kernel: NDArray[np.float32] | None, shape: tuple[int, ...]) -> None:
        super().__init__(name="nudged")
        self.head = head
        self.kernel = kernel
        self.nudge = self.add_weight(shape=shape, initializer="zeros", name="nudge")

    def call(self, maps: Any) -> Any:
        """Scores before the softmax but for a constant, (n, n_classes)."""
        last = self.head(maps + self.nudge)
        return last if self.kernel is None else ops.matmul(ops.cast(last, "float32"), self.kernel)


def _gradients(
    network: keras.Model, features: keras.KerasTensor, maps: NDArray[np.float32], labels: Labels
) -> NDArray[np.float32]:
    """The gradient of each face's score in its own maps, (n, height, width, channels)."""
    nudged = _Nudged(partial(_head(network, features), training=False), _kernel(network), maps.shape)
    nudged.compile(optimizer=keras.optimizers.SGD(1.0), loss=_score)
    nudged.train_on_batch(maps, np.eye(network.output_shape[-1], dtype=np.float32)[labels])
    return -np.asarray(nudged.nudge)


def _score(asked: Any, scores: Any) -> Any:
    """The score of the class asked about, summed over faces: Keras divides by their number, so multiply by it."""
    return ops.sum(asked * scores, axis=-1) * ops.cast(ops.shape(asked)[0], "float32")


def _head(network: keras.Model, features: keras.KerasTensor) -> keras.Model:
    """From the maps to the last layer's input, sharing the network's weights; made once, for layers keep every use."""
    heads = _heads.setdefault(network, {})
    if features.name not in heads:
        heads[features.name] = keras.Model(features, network.layers[-1].input)
    return heads[features.name]


def _kernel(network: keras.Model) -> NDArray[np.float32] | None:
    """What the scores before the softmax are made with, but for a constant; None: they are the last layer's input."""
    last = network.layers[-1]
    return np.asarray(last.kernel, dtype=np.float32) if isinstance(last, layers.Dense) else None


def _last_picture(network: keras.Model) -> str:
    """The input of the last flattening or pooling of everything, as a layer's name."""
    for layer in reversed(network.layers):
        if isinstance(layer, layers.Flatten | layers.GlobalAveragePooling2D) and layer.input.shape[1] > 1:
            return str(next(other.name for other in network.layers if other.output is layer.input))
    return str(next(layer.name for layer in reversed(network.layers) if len(layer.output.shape) == 4))
