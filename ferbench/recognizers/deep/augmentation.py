"""Random geometry and brightness as one Keras layer: one resampling an image, on any Keras backend."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from ferbench.recognizers.deep.recipe import Augmentation


class RandomChanges(keras.layers.Layer):  # type: ignore[misc]
    """Turns, shifts, zooms, mirrors and brightens each image of a batch on its own; the identity when not training.

    Input and output: float32 (n, height, width, 1), 0 to 255.
    """

    def __init__(self, settings: Augmentation, *, seed: int) -> None:
        super().__init__(name="random_changes")
        self.settings = settings
        self.random = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        """Changed images, of the same shape."""
        if not training:
            return images
        n, height, width = ops.shape(images)[0], images.shape[1], images.shape[2]
        changed = ops.image.affine_transform(
            images, self._transforms(n, height, width), interpolation="bilinear", fill_mode="nearest"
        )
        if self.settings.brightness:
            limit = 255.0 * self.settings.brightness
            changed = ops.clip(changed + self._uniform((n, 1, 1, 1), limit), 0.0, 255.0)
        return changed

    def _uniform(self, shape: tuple[Any, ...], limit: float) -> Any:
        return keras.random.uniform(shape, -limit, limit, seed=self.random)

    def _transforms(self, n: Any, height: int, width: int) -> Any:
        """A row (a0, a1, a2, b0, b1, b2, 0, 0) an image: output pixel (x, y) comes from (a, b)·(x, y, 1)."""
        settings = self.settings
        angle = self._uniform((n,), math.radians(settings.rotation))
        scale = 1.0 / (1.0 + self._uniform((n,), settings.zoom))
        mirror = ops.sign(self._uniform((n,), 1.0)) if settings.flip else ops.ones((n,))
        shift_x = self._uniform((n,), settings.translation * width)
        shift_y = self._uniform((n,), settings.translation * height)
        center_x, center_y = (width - 1) / 2, (height - 1) / 2
        cos, sin = ops.cos(angle) * scale, ops.sin(angle) * scale
        a0, a1, b0, b1 = cos * mirror, -sin, sin * mirror, cos
        a2 = center_x + shift_x - a0 * center_x - a1 * center_y
        b2 = center_y + shift_y - b0 * center_x - b1 * center_y
        zeros = ops.zeros_like(a0)
        return ops.stack([a0, a1, a2, b0, b1, b2, zeros, zeros], axis=1)
