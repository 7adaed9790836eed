from pathlib import Path

import numpy as np
import pytest

from ferbench.recognizers.deep.recipe import Augmentation, Training, epoch_order, learning_rate_at, sample_weights
from ferbench.results import read_result

REPORTS = Path(__file__).parents[2] / "reports"


def rates(**settings) -> list[float]:
    recipe = Training(epochs=10, learning_rate=1.0, **settings)
    return [learning_rate_at(epoch, recipe) for epoch in range(11)]


def test_constant_stays_after_its_warm_up() -> None:
    assert rates(schedule="constant", warmup_epochs=2)[:4] == [0.0, 0.5, 1.0, 1.0]


def test_cosine_falls_to_nothing() -> None:
    values = rates(schedule="cosine", warmup_epochs=0)
    assert values[0] == 1.0 and values[5] == pytest.approx(0.5) and values[10] == pytest.approx(0.0)
    assert values == sorted(values, reverse=True)


def test_step_falls_by_the_decay() -> None:
    values = rates(schedule="step", warmup_epochs=0, step_epochs=4, decay=0.1)
    assert values[3:5] == [1.0, pytest.approx(0.1)] and values[8] == pytest.approx(0.01)


LABELS = np.array([0] * 90 + [1] * 9 + [3])


def test_balanced_weights_make_classes_equal_and_average_one() -> None:
    weights = sample_weights(LABELS, 4, Training(class_weight="balanced"))
    totals = np.bincount(LABELS, weights=weights, minlength=4)
    assert totals == pytest.approx([100 / 3, 100 / 3, 0, 100 / 3])
    assert weights.mean() == pytest.approx(1.0)
    assert (sample_weights(LABELS, 4, Training()) == 1).all()


@pytest.mark.parametrize(("sampling", "size"), [("none", None), ("over", 90), ("under", 1)])
def test_sampling_evens_classes_out(sampling, size) -> None:
    order = epoch_order(LABELS, Training(sampling=sampling), np.random.default_rng(0))
    counts = np.bincount(LABELS[order], minlength=4)
    assert counts.tolist() == ([90, 9, 0, 1] if size is None else [size, size, 0, size])


def test_oversampling_repeats_evenly() -> None:
    order = epoch_order(LABELS, Training(sampling="over"), np.random.default_rng(0))
    repeats = np.bincount(order, minlength=100)[90:99]
    assert repeats.min() == repeats.max() == 10


def test_order_depends_on_the_generator_alone() -> None:
    first, again = (epoch_order(LABELS, Training(), np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, again)


def test_sqrt_weights_lie_between_none_and_balanced() -> None:
    weights = sample_weights(LABELS, 4, Training(class_weight="sqrt"))
    assert weights.mean() == pytest.approx(1.0)
    rare, frequent = weights[LABELS == 3][0], weights[LABELS == 0][0]
    assert rare / frequent == pytest.approx(np.sqrt((LABELS == 0).sum() / (LABELS == 3).sum()))


def test_later_fields_are_written_only_where_they_are_used() -> None:
    assert "mixup" not in Training().model_dump() and "erasing" not in Training().model_dump()["augmentation"]
    used = Training(mixup=0.2, augmentation=Augmentation(erasing=0.1))
    assert used.model_dump(mode="json")["mixup"] == 0.2
    assert used.model_dump(mode="json")["augmentation"]["erasing"] == 0.1
    assert Training.model_validate_json(used.model_dump_json()) == used
    assert Training.model_validate(Training().model_dump()) == Training()


@pytest.mark.parametrize("name", ["cnn3", "cnn9", "cnn9_fer6"])
def test_results_measured_before_a_field_came_keep_their_key(name: str) -> None:
    result = read_result(REPORTS / name / "fer2013" / "seed0" / "result.json")
    assert (
        result.config.result_key(result.dataset.fingerprint, result.environment.libraries["ferbench"])
        == result.config_hash
    )
