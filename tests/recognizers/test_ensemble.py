import numpy as np
import pytest

import ferbench
from ferbench.errors import ConfigError, DataError
from ferbench.recognizers.ensemble import Ensemble, mixture_weights
from ferbench.recognizers.prior import Prior

PRIOR = {"name": "prior"}
LBP = {"name": "lbp_svm", "params": {"c": [0.1]}}


def fit(recognizer, data, **keywords):
    validation = (data.validation.images, data.validation.labels)
    return recognizer.fit(data.train.images, data.train.labels, validation=validation, **keywords)


def test_weights_go_to_the_member_that_knows() -> None:
    rng = np.random.default_rng(0)
    knowing, guessing = rng.uniform(0.5, 0.9, 200), np.full(200, 1 / 7)
    weights = mixture_weights(np.stack([knowing, guessing], axis=1))
    assert weights == pytest.approx([1.0, 0.0], abs=1e-3)


def test_weights_are_the_most_probable_mixture() -> None:
    given = np.random.default_rng(1).dirichlet(np.ones(3), 300)
    weights = mixture_weights(given)
    best = np.log(given @ weights).mean()
    for other in np.random.default_rng(2).dirichlet(np.ones(3), 50):
        assert np.log(given @ other).mean() <= best + 1e-6
    assert weights.sum() == pytest.approx(1.0)


def test_members_that_never_were_right_do_no_harm() -> None:
    assert np.isfinite(mixture_weights(np.zeros((5, 2)))).all()


def test_without_validation_all_weigh_the_same(tiny) -> None:
    ensemble = Ensemble(members=(PRIOR, PRIOR)).fit(tiny.train.images, tiny.train.labels)
    assert ensemble.choices() == {"weights": [0.5, 0.5]}


def test_it_answers_the_weighted_mean(tiny) -> None:
    ensemble = fit(Ensemble(members=(PRIOR, LBP)), tiny)
    images = tiny.validation.images
    mean = sum(w * member.predict_proba(images) for w, member in zip(ensemble.weights_, ensemble.members_, strict=True))
    assert ensemble.predict_proba(images) == pytest.approx(mean, abs=1e-6)
    assert ensemble.weights_[1] > ensemble.weights_[0]


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
