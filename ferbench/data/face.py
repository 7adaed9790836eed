"""The front of heads as a surface that can be painted and modelled, many at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ferbench.data.appearance import Identity
from ferbench.data.expressions import ACTION_UNITS, Units
from ferbench.data.geometry import Plane, column

Window: TypeAlias = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """The front of heads, ready to be painted.

    Attributes:
        x: Plane, to the right of the picture.
        y: Plane, down.
        albedo: Plane, share of light reflected; painted in place.
        slope_x: Plane, how relief tilts the surface; changed in place.
        slope_y: Plane, likewise.
        softness: Column, width of a pixel.
        au: Column of each action unit, by number.
        who: Column of each attribute of `Identity`, by name.
        gaze: Column.
        bounds: Lowest and highest y of each row of the picture, smallest |x| of each column.
    """

    x: Plane
    y: Plane
    albedo: Plane
    slope_x: Plane
    slope_y: Plane
    softness: Plane
    au: dict[int, Plane]
    who: dict[str, Plane]
    gaze: Plane
    bounds: tuple[Plane, Plane, Plane]

    @classmethod
    def of(cls, x: Plane, y: Plane, softness: Plane, units: Units, identity: Identity, gaze: Plane) -> Face:
        """Bare faces at these points of the head."""
        who = {name: column(getattr(identity, name)) for name in Identity.__slots__}
        au = {unit: column(units[:, place]) for place, unit in enumerate(ACTION_UNITS)}
        bounds = (y.min(axis=(0, 2)), y.max(axis=(0, 2)), np.abs(x).min(axis=(0, 1)))
        return cls(
            x, y, who["skin"] + np.zeros_like(x), np.zeros_like(x), np.zeros_like(x), softness, au, who, gaze, bounds
        )

    def window(self, low: float, high: float, reach: float) -> Window:
        """The part of the picture outside of which no face has a y from `low` to `high` and an |x| up to `reach`."""
        lowest, highest, nearest = self.bounds
        return slice(None), _span((highest > low) & (lowest < high)), _span(nearest < reach)

    def part(self, low: float, high: float, reach: float) -> Face:
        """That part, as a face whose planes are views."""
        window = self.window(low, high, reach)
        lowest, highest, nearest = self.bounds
        return replace(
            self,
            x=self.x[window],
            y=self.y[window],
            albedo=self.albedo[window],
            slope_x=self.slope_x[window],
            slope_y=self.slope_y[window],
            bounds=(lowest[window[1]], highest[window[1]], nearest[window[2]]),
        )

    def take(self, rows: NDArray[np.intp]) -> Face:
        """Some of the faces, copied."""
        return replace(
            self,
            x=self.x[rows],
            y=self.y[rows],
            albedo=self.albedo[rows],
            slope_x=self.slope_x[rows],
            slope_y=self.slope_y[rows],
            softness=self.softness[rows],
            au={unit: values[rows] for unit, values in self.au.items()},
            who={name: values[rows] for name, values in self.who.items()},
            gaze=self.gaze[rows],
        )

    def darken(self, mask: Plane) -> None:
        """Take away a share of the reflected light."""
        self.albedo[...] *= 1 - mask

    def raise_(self, x: Plane, y: Plane, rx: Plane | float, ry: Plane | float, height: Plane | float) -> None:
        """Add a hill to the relief, around x = 0 and y = 0."""
        steep = np.maximum(1 - np.square(x / rx) - np.square(y / ry), 0) * (4 * height)
        self.slope_x[...] += steep * x * (1 / np.square(rx))
        self.slope_y[...] += steep * y * (1 / np.square(ry))


def _span(hits: NDArray[np.bool_]) -> slice:
    places = np.flatnonzero(hits)
    return slice(places[0], places[-1] + 1) if len(places) else slice(0, 0)
