import numpy as np
import pytest

import ferbench
from ferbench.errors import ConfigError, DataError
from ferbench.recognizers.ensemble import Ensemble, pool_weights
from ferbench.recognizers.prior import Prior

PRIOR = {"name": "prior"}
LBP = {"name": "lbp_svm", "params": {"c": [0.1]}}


def fit(recognizer, data, **keywords):
    validation = (data.validation.images, data.validation.labels)
    return recognizer.fit(data.train.images, data.train.labels, validation=validation, **keywords)


def opinions(*members: np.ndarray) -> np.ndarray:
    return np.log(np.stack(members))


def test_weights_go_to_the_member_that_knows() -> None:
    labels = np.arange(200) % 2
    knowing = np.where(labels[:, None] == [0, 1], 0.8, 0.2)
    weights = pool_weights(opinions(knowing, np.random.default_rng(0).dirichlet((5, 5), 200)), labels)
    assert weights[0] > 1 and weights[1] < 0.3


def test_weights_are_those_of_the_least_loss() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, 300)
    heard = opinions(*rng.dirichlet(np.ones(4), (3, 300)))
    heard[:, np.arange(300), labels] += 1

    def loss(weights: np.ndarray) -> float:
        logits = np.einsum("m,mnk->nk", weights, heard)
        return float((np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(300), labels]).mean())

    weights = pool_weights(heard, labels)
    assert (weights >= 0).all()
    for other in rng.uniform(0, 1, (50, 3)):
        assert loss(weights) <= loss(other) + 1e-6


def test_members_that_never_were_right_do_no_harm() -> None:
    wrong = np.tile([1 - 1e-7, 1e-7], (5, 1))
    assert np.isfinite(pool_weights(opinions(wrong, wrong), np.ones(5, np.int64))).all()


def test_without_validation_all_weigh_the_same(tiny) -> None:
    ensemble = Ensemble(members=(PRIOR, PRIOR)).fit(tiny.train.images, tiny.train.labels)
    assert ensemble.choices() == {"weights": [0.5, 0.5]}


def test_it_answers_the_weighted_product(tiny) -> None:
    ensemble = fit(Ensemble(members=(PRIOR, LBP)), tiny)
    images = tiny.validation.images
    logits = sum(
        weight * np.log(member.predict_proba(images))
        for weight, member in zip(ensemble.weights_, ensemble.members_, strict=True)
    )
    product = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert ensemble.predict_proba(images) == pytest.approx(product, abs=1e-5)


def test_flipped_it_answers_alike_for_a_face_and_its_mirror_image(tiny) -> None:
    ensemble = fit(Ensemble(members=(LBP,), flip=True), tiny)
    images = tiny.validation.images
    mirrored = ensemble.predict_proba(np.ascontiguousarray(images[:, :, ::-1]))
    assert ensemble.predict_proba(images) == pytest.approx(mirrored, abs=1e-6)


def test_trained_members_are_loaded_and_travel_along(tiny, tmp_path) -> None:
    Prior().fit(tiny.train.images, tiny.train.labels).save(tmp_path / "prior")
    ensemble = fit(Ensemble(members=(str(tmp_path / "prior"), LBP)), tiny)
    ensemble.save(tmp_path / "ensemble")
    (tmp_path / "prior" / "recognizer.json").unlink()
    loaded = ferbench.load(tmp_path / "ensemble")
    images = tiny.validation.images
    assert np.array_equal(loaded.predict_proba(images), ensemble.predict_proba(images))


def test_a_member_of_other_classes_is_refused(tiny, tmp_path) -> None:
    Prior().fit(tiny.train.images, tiny.train.labels % 2, classes=("yes", "no")).save(tmp_path / "prior")
    with pytest.raises(DataError, match="yes, no"):
        fit(Ensemble(members=(str(tmp_path / "prior"),)), tiny)


@pytest.mark.parametrize("members", [(), ({"params": {}},), ({"name": "prior", "seed": 1},)])
def test_members_that_say_nothing_are_refused(tiny, members) -> None:
    with pytest.raises(ConfigError, match="member"):
        fit(Ensemble(members=members), tiny)
