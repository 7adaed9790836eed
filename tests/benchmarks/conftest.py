"""How benchmarks compare: interleaved pairs in CPU time, the median ratio and its interval."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from ferbench.environment import Environment, git_commit


def interleaved_ratio(
    one: Callable[[], object], other: Callable[[], object], *, n_pairs: int = 20
) -> tuple[float, float, float]:
    """Median of time(other) / time(one) over pairs in alternating order, with the middle 95 % of resampled medians."""
    ratios = []
    for pair in range(n_pairs):
        order = (one, other) if pair % 2 == 0 else (other, one)
        seconds = {}
        for call in order:
            start = time.process_time()
            call()
            seconds[call] = time.process_time() - start
        ratios.append(seconds[other] / seconds[one])
    medians = np.median(np.random.default_rng(0).choice(ratios, (2000, n_pairs)), axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    return float(np.median(ratios)), float(low), float(high)


def pytest_benchmark_update_json(config, benchmarks, output_json) -> None:  # type: ignore[no-untyped-def]
    """Keep what can be quoted: medians, ratios with their intervals, hardware, versions; no samples, no host."""
    output_json["machine_info"] = Environment.capture().model_dump()
    output_json.pop("commit_info", None)
    for entry in output_json["benchmarks"]:
        stats = entry["stats"]
        entry["commit"] = git_commit()
        entry["stats"] = {key: stats[key] for key in ("median", "iqr", "rounds")}
        for key in ("options", "fullname", "params", "group", "param"):
            entry.pop(key, None)


@pytest.fixture
def compare(benchmark):  # type: ignore[no-untyped-def]
    """Times `one` under pytest-benchmark and keeps the ratio to `other` beside it."""

    def run(one, other, *, n_pairs: int = 20) -> float:  # type: ignore[no-untyped-def]
        one(), other()
        ratio, low, high = interleaved_ratio(one, other, n_pairs=n_pairs)
        benchmark.extra_info |= {"ratio": ratio, "low": low, "high": high, "n_pairs": n_pairs}
        benchmark.pedantic(one, rounds=3, iterations=1)
        print(f"\n{benchmark.name}: {ratio:.3f} [{low:.3f}, {high:.3f}] over {n_pairs} pairs")
        return ratio

    return run
