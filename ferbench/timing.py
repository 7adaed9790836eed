"""How long a recognizer takes. Nothing but `predict_proba` runs inside the clock."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ferbench.errors import DataError
from ferbench.recognizers.base import Recognizer
from ferbench.types import Images

_IMAGES = 2048


class TimingSettings(BaseModel):
    """When enough has been timed: both `min_seconds` and `min_queries` must be reached.

    `min_queries` is meant for batch 1; larger batches need that many images instead, at least 20 queries.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_sizes: tuple[int, ...] = Field((1, 32), min_length=1)
    warmup: int = Field(20, ge=1)
    min_seconds: float = Field(2.0, ge=0.0)
    min_queries: int = Field(1000, ge=1)


class Latency(BaseModel):
    """Time of one call by percentile over `n` calls; `p99_ms` is left out below 1,000 of them.

    `p10_ms` is what a call takes while nothing else is in the way. Where the machine is shared, half of a core may be
    somebody else's at any moment, and the median tells how often it was. None in the
    oldest records.
    `images_per_second` is all images over all time in calls.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_size: int
    n: int
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float | None
    p10_ms: float | None = None
    images_per_second: float


def measure(
    recognizer: Recognizer,
    images: Images,
    batch_size: int,
    settings: TimingSettings,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Latency:
    """Time `predict_proba` on batches of real faces, a different batch each call, one call at a time.

    Args:
        recognizer: Fitted.
        images: uint8, (n, height, width): what the batches are drawn from, repeated where there are too few.
        batch_size: Images a call.
        settings: Warm-up and stop rule.
        clock: Seconds from any origin.
    """
    if len(images) == 0:
        raise DataError("There is nothing to time: images is empty.")
    pool = np.array(images[:_IMAGES])
    if len(pool) < batch_size:
        pool = np.tile(pool, (-(-batch_size // len(pool)), 1, 1))
    n_offsets = len(pool) - batch_size + 1
    recognizer.warm_up(pool[:batch_size])
    for index in range(settings.warmup):
        recognizer.predict_proba(_batch(pool, index, batch_size, n_offsets))
    min_queries = settings.min_queries if batch_size == 1 else max(20, settings.min_queries // batch_size)
    seconds: list[float] = []
    spent = 0.0
    while spent < settings.min_seconds or len(seconds) < min_queries:
        batch = _batch(pool, len(seconds), batch_size, n_offsets)
        start = clock()
        recognizer.predict_proba(batch)
        seconds.append(clock() - start)
        spent += seconds[-1]
    return summarize(seconds, batch_size)


def summarize(seconds: list[float], batch_size: int) -> Latency:
    """Percentiles and throughput of the durations of calls."""
    milliseconds = 1e3 * np.asarray(seconds)
    p10, p50, p90, p95, p99 = (float(value) for value in np.percentile(milliseconds, [10, 50, 90, 95, 99]))
    return Latency(
        batch_size=batch_size,
        n=len(seconds),
        p10_ms=p10,
        p50_ms=p50,
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99 if len(seconds) >= 1000 else None,
        images_per_second=float(batch_size * len(seconds) / max(sum(seconds), 1e-12)),
    )


def _batch(pool: Images, index: int, batch_size: int, n_offsets: int) -> Images:
    start = index * batch_size % n_offsets
    return pool[start : start + batch_size]
