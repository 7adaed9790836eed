import numpy as np
import pytest
from pydantic import ValidationError

from ferbench.recognizers.deep.distillation import Distillation, lesson, soften

TAUGHT = np.array([[0.9, 0.09, 0.01], [0.2, 0.2, 0.6]], np.float32)
LABELS = np.array([0, 1])


def test_temperature_one_changes_nothing() -> None:
    assert soften(TAUGHT, 1.0) == pytest.approx(TAUGHT, abs=1e-6)


def test_softening_is_a_softmax_of_divided_logits() -> None:
    logits = np.array([[4.0, 1.0, -2.0]])
    odds, softer = np.exp(logits), np.exp(logits / 3)
    assert soften((odds / odds.sum()).astype(np.float32), 3.0) == pytest.approx(softer / softer.sum(), abs=1e-6)


def test_softening_keeps_the_order_and_survives_certainty() -> None:
    softened = soften(np.array([[1.0, 0.0, 0.0]], np.float32), 4.0)
    assert np.isfinite(softened).all() and softened.argmax() == 0 and softened.sum() == pytest.approx(1.0)
    assert (soften(TAUGHT, 5.0).argsort(axis=1, kind="stable") == TAUGHT.argsort(axis=1, kind="stable")).all()


@pytest.mark.parametrize(("weight", "expected"), [(0.0, np.eye(3)[LABELS]), (1.0, TAUGHT)])
def test_weight_goes_from_labels_to_the_teacher(weight, expected) -> None:
    settings = Distillation(teacher="t", temperature=1.0, weight=weight)
    assert lesson(TAUGHT, LABELS, settings) == pytest.approx(expected, abs=1e-6)


def test_votes_stand_in_for_labels() -> None:
    votes = np.full((2, 3), 1 / 3, np.float32)
    learnt = lesson(TAUGHT, LABELS, Distillation(teacher="t", temperature=1.0, weight=0.5), targets=votes)
    assert learnt == pytest.approx((TAUGHT + votes) / 2) and learnt.dtype == np.float32


@pytest.mark.parametrize("wrong", [{"temperature": 0.5}, {"weight": 1.5}, {"tempreature": 2}])
def test_settings_outside_their_range_are_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        Distillation(teacher="t", **wrong)
