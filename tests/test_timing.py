import numpy as np
import pytest

from ferbench.errors import DataError
from ferbench.recognizers.prior import Prior
from ferbench.timing import TimingSettings, measure, summarize


class FakeClock:
    """Advances by a fixed step at every reading."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture
def prior(tiny) -> Prior:
    return Prior().fit(tiny.train.images, tiny.train.labels)


def test_stops_when_both_time_and_queries_are_enough(prior, tiny) -> None:
    settings = TimingSettings(warmup=1, min_seconds=0.05, min_queries=10)
    by_time = measure(prior, tiny.train.images, 1, settings, clock=FakeClock(0.001))
    assert by_time.n == pytest.approx(50, abs=1)
    by_queries = measure(prior, tiny.train.images, 1, settings, clock=FakeClock(1.0))
    assert by_queries.n == 10
    assert by_queries.p50_ms == pytest.approx(1000)
    assert by_queries.images_per_second == pytest.approx(1)


def test_larger_batches_need_as_many_images_not_as_many_calls(prior, tiny) -> None:
    settings = TimingSettings(warmup=1, min_seconds=0, min_queries=960)
    assert measure(prior, tiny.train.images, 32, settings, clock=FakeClock(1.0)).n == 30


def test_batch_larger_than_the_data_is_filled_by_repeating(prior, tiny) -> None:
    settings = TimingSettings(warmup=1, min_seconds=0, min_queries=1)
    latency = measure(prior, tiny.train.images[:3], 8, settings)
    assert latency.batch_size == 8 and latency.n == 20


def test_tail_is_left_out_below_a_thousand_calls() -> None:
    assert summarize([0.001] * 999, 1).p99_ms is None
    assert summarize([0.001] * 1000, 1).p99_ms == pytest.approx(1.0)


def test_percentiles_are_those_of_numpy() -> None:
    seconds = list(np.random.default_rng(0).random(1000))
    latency = summarize(seconds, 4)
    assert latency.p10_ms == pytest.approx(1e3 * np.percentile(seconds, 10))
    assert latency.p90_ms == pytest.approx(1e3 * np.percentile(seconds, 90))
    assert latency.images_per_second == pytest.approx(4000 / sum(seconds))


def test_nothing_to_time_is_refused(prior, tiny) -> None:
    with pytest.raises(DataError):
        measure(prior, tiny.train.images[:0], 1, TimingSettings())
