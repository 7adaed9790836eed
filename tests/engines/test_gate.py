from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ferbench.engines.gate import FILENAME, TOLERANCES, Reference, judge, read_verdict, write_verdict
from ferbench.errors import DataError
from ferbench.recognizers.prior import Prior


@pytest.fixture
def reference(tiny) -> Reference:
    return Reference(Prior().fit(tiny.train.images, tiny.train.labels), tiny.name, tiny.validation)


def shifted(reference: Reference, amount: float) -> Prior:
    """Answers as the reference, but for one class that gets more."""
    other = Prior().fit(reference.images, reference.labels)
    other.frequencies_ = reference.recognizer.frequencies_.copy()
    other.frequencies_[1] += amount
    other.frequencies_[2] -= amount
    return other


@pytest.mark.parametrize("precision", TOLERANCES)
def test_what_answers_the_same_passes(precision: str, reference: Reference) -> None:
    verdict = judge(reference, shifted(reference, 0.0), engine="litert", precision=precision)
    assert verdict.passed and verdict.failures == ()
    assert (verdict.agreement, verdict.max_difference, verdict.n) == (1.0, 0.0, 21)
    assert verdict.exported == verdict.reference
    low, high = verdict.latency_ratio_interval
    assert 0 < low <= verdict.latency_ratio <= high


def test_float32_may_not_change_a_label_nor_int8_lose_accuracy(reference: Reference, tiny) -> None:
    reference.recognizer.frequencies_ = np.eye(7, dtype=np.float32)[0] * 0.3 + np.float32(0.1)
    reference = Reference(reference.recognizer, "synthetic", tiny.validation.take(tiny.validation.labels == 0))
    other = shifted(reference, 0.0)
    other.frequencies_ = other.frequencies_[[1, 0, 2, 3, 4, 5, 6]]
    fine = judge(reference, other, engine="litert", precision="float32")
    assert fine.failures == (
        "a probability differs by 0.3, 0.0001 is allowed",
        "0.00 % of labels agree, 100 % are asked for",
    )
    coarse = judge(reference, other, engine="litert", precision="int8")
    assert "accuracy lost 100.00 points, 0.50 are allowed" in coarse.failures


def test_int8_may_differ_where_it_is_as_right(reference: Reference) -> None:
    assert judge(reference, shifted(reference, 0.01), engine="litert", precision="int8").passed


def test_verdict_is_written_and_read_back(reference: Reference, tmp_path: Path) -> None:
    verdict = judge(reference, shifted(reference, 0.01), engine="litert", precision="float32")
    write_verdict(verdict, tmp_path)
    assert read_verdict(tmp_path) == verdict and not verdict.passed


def test_no_verdict_is_none_and_a_damaged_one_an_error(tmp_path: Path) -> None:
    assert read_verdict(tmp_path) is None
    (tmp_path / FILENAME).write_text('{"passed": true')
    with pytest.raises(DataError, match=r"gate\.json is damaged"):
        read_verdict(tmp_path)
