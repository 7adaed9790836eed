"""Random geometry, brightness and erasing as one Keras layer: one resampling an image, on any Keras backend."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from ferbench.recognizers.deep.recipe import Augmentation

_ERASED_AREA = (0.02, 0.4)
_ERASED_LOG_ASPECT = (math.log(0.3), -math.log(0.3))


class RandomChanges(keras.layers.Layer):  # type: ignore[misc]
    """Turns, shifts, zooms, mirrors, brightens and erases in each image on its own; the identity when not training.

    Input and output: float32 (n, height, width, 1), 0 to 255.
    """

    def __init__(self, settings: Augmentation, *, seed: int) -> None:
        super().__init__(name="random_changes", dtype="float32")
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
        return self._erase(changed, n, height, width) if self.settings.erasing else changed

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

    def _erase(self, images: Any, n: Any, height: int, width: int) -> Any:
        """Random erasing (Zhong et al., AAAI 2020, arXiv:1708.04896): a rectangle of noise, at the paper's sizes."""

        def between(low: float, high: float, shape: tuple[Any, ...] = (n, 1)) -> Any:
            return keras.random.uniform(shape, low, high, seed=self.random)

        area = between(*_ERASED_AREA) * (height * width)
        aspect = ops.exp(between(*_ERASED_LOG_ASPECT))
        rows = self._span(between(0.0, 1.0), ops.sqrt(area * aspect), height)
        columns = self._span(between(0.0, 1.0), ops.sqrt(area / aspect), width)
        chosen = between(0.0, 1.0) < self.settings.erasing
        erased = ops.logical_and(ops.expand_dims(ops.logical_and(rows, chosen), 2), ops.expand_dims(columns, 1))
        noise = between(0.0, 255.0, (n, height, width, 1))
        return ops.where(ops.expand_dims(erased, 3), noise, images)

    def _span(self, place: Any, size: Any, length: int) -> Any:
        """Which of `length` pixels lie in a span of `size`, (n, length); `place` is 0 at one border, 1 at the other."""
        size = ops.minimum(size, float(length))
        start = place * (length - size)
        pixels = ops.expand_dims(ops.arange(length, dtype="float32") + 0.5, 0)
        return ops.logical_and(pixels >= start, pixels < start + size)
