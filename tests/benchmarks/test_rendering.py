"""How many faces are drawn a second on one core."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ferbench.data.appearance import draw_identities, draw_scenes
from ferbench.data.expressions import action_units
from ferbench.data.rendering import render

N = 512


def test_a_thousand_faces_a_second(benchmark: Any) -> None:
    rng = np.random.default_rng(0)
    units, identity, scene = action_units(np.arange(N) % 7), draw_identities(N, rng), draw_scenes(N, rng)

    def cpu_seconds() -> float:
        start = time.process_time()
        render(units, identity, scene, 48)
        return time.process_time() - start

    rates = [N / cpu_seconds() for _ in range(8)]
    benchmark.extra_info.update(faces_a_second_of_cpu=float(np.median(rates)), best=max(rates), size=48)
    benchmark.pedantic(render, args=(units, identity, scene, 48), rounds=5, warmup_rounds=1)
    print(f"\n48 pixels: {np.median(rates):,.0f} faces a second of CPU time")
    assert max(rates) >= 1000
