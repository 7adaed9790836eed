from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression

from ferbench.errors import ConfigError, DataError
from ferbench.recognizers.base import sha256_of
from ferbench.recognizers.classical.feature_svm import FeatureSvm
from ferbench.recognizers.classical.hog_svm import HogSvm
from ferbench.recognizers.classical.jitter import jittered
from ferbench.recognizers.classical.lbp_svm import LbpSvm
from ferbench.recognizers.classical.linear_svm import LinearSvm

CLASSES = ("left", "right", "flat")
RECOGNIZERS = [HogSvm, LbpSvm]


def stripes(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Stripes rising to the left, to the right, or none, under noise; 24 x 24 pixels."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    rows, columns = np.mgrid[:24, :24]
    slope = np.array([1, -1, 0])[labels, None, None]
    waves = 60 * np.sin((rows + slope * columns + random.integers(0, 9, (n, 1, 1))) * 0.9) * (slope != 0)
    return (128 + waves + random.normal(0, 30, (n, 24, 24))).clip(0, 255).astype(np.uint8), labels


def fitted(recognizer: type[FeatureSvm], **params: Any) -> FeatureSvm:
    images, labels = stripes(90)
    params = {**recognizer.smoke_params(), **params}
    return recognizer(**params).fit(images, labels, classes=CLASSES, validation=stripes(45, seed=1))


@pytest.mark.parametrize("recognizer", RECOGNIZERS)
def test_it_learns_to_tell_stripes(recognizer: type[FeatureSvm]) -> None:
    images, labels = stripes(60, seed=2)
    assert np.mean(fitted(recognizer).predict(images).label_ids == labels) > 0.9


@pytest.mark.parametrize("recognizer", RECOGNIZERS)
def test_probabilities_are_those_of_the_calibrated_scikit_learn_classifier(recognizer: type[FeatureSvm]) -> None:
    images, _ = stripes(30, seed=2)
    model = fitted(recognizer)
    assert isinstance(model.classifier_, CalibratedClassifierCV)
    expected = model.classifier_.predict_proba(model._features(images))
    np.testing.assert_allclose(model.predict_proba(images), expected, atol=1e-6)


@pytest.mark.parametrize("recognizer", RECOGNIZERS)
def test_one_by_one_equals_batch(recognizer: type[FeatureSvm]) -> None:
    images, _ = stripes(30, seed=2)
    model = fitted(recognizer)
    one_by_one = np.concatenate([model.predict_proba(images[row : row + 1]) for row in range(len(images))])
    np.testing.assert_allclose(model.predict_proba(images), one_by_one, atol=1e-6)


def test_c_is_the_one_most_accurate_on_validation_and_curve_tells_each() -> None:
    images, labels = stripes(90)
    validation = stripes(45, seed=1)
    curve: list[dict[str, float]] = []
    model = HogSvm(**{**HogSvm.smoke_params(), "c": (1.0, 1e-6, 0.1)})
    model.fit(
        images, labels, classes=CLASSES, validation=validation, on_epoch=lambda _, values: curve.append({**values})
    )
    assert [row["c"] for row in curve] == [1e-6, 0.1, 1.0]
    best = max(curve, key=lambda row: row["validation_accuracy"])
    assert model.c_ == best["c"]
    assert np.mean(model.predict(validation[0]).label_ids == validation[1]) == best["validation_accuracy"]


def test_the_smallest_c_wins_a_tie() -> None:
    assert fitted(HogSvm, c=(0.5, 0.5000001, 0.4999999)).c_ == 0.4999999


def test_without_validation_the_middle_c_is_taken_and_the_temperature_is_one() -> None:
    images, labels = stripes(90)
    model = HogSvm(**{**HogSvm.smoke_params(), "c": (1.0, 0.01, 0.1)}).fit(images, labels, classes=CLASSES)
    assert isinstance(model.classifier_, LinearSvm)
    assert (model.c_, model.inverse_temperature_) == (0.1, 1)


def test_validation_without_some_class_chooses_c_and_leaves_the_temperature() -> None:
    images, labels = stripes(90)
    judged, answers = stripes(45, seed=1)
    few = HogSvm(**HogSvm.smoke_params()).fit(
        images, labels, classes=CLASSES, validation=(judged[answers < 2], answers[answers < 2])
    )
    assert few.inverse_temperature_ == 1


def test_training_without_some_class_never_predicts_it() -> None:
    images, labels = stripes(90)
    model = HogSvm(**HogSvm.smoke_params()).fit(images[labels < 2], labels[labels < 2], classes=CLASSES)
    assert set(model.predict(images).label_ids) == {0, 1}


def test_two_classes_have_two_columns() -> None:
    images, labels = stripes(90)
    images, labels = images[labels < 2], labels[labels < 2]
    model = HogSvm(**HogSvm.smoke_params()).fit(images, labels, classes=CLASSES[:2], validation=(images, labels))
    probabilities = model.predict_proba(images)
    assert probabilities.shape == (60, 2)
    np.testing.assert_allclose(probabilities, model.classifier_.predict_proba(model._features(images)), atol=1e-6)
    assert np.mean(probabilities.argmax(axis=1) == labels) > 0.9


def test_mirrored_training_gives_a_face_and_its_mirror_image_nearly_the_same_answer() -> None:
    images, labels = stripes(90)
    images, labels = images[labels != 1], labels[labels != 1] // 2
    differences = []
    for mirror in (True, False):
        params = {**HogSvm.smoke_params(), "orientations": 8, "mirror": mirror}
        model = HogSvm(**params).fit(images, labels, classes=("tilted", "flat"))
        differences.append(np.abs(model.predict_proba(images) - model.predict_proba(images[:, :, ::-1])).mean())
    assert differences[0] < 0.5 * differences[1]


def test_jittered_copies_are_learnt_from_and_the_seed_decides_them() -> None:
    images, labels = stripes(90)
    params = {**HogSvm.smoke_params(), "seed": 3}
    plain, moved = (HogSvm(**params, jitter=n).fit(images, labels, classes=CLASSES) for n in (0, 2))
    again = HogSvm(**params, jitter=2).fit(images, labels, classes=CLASSES)
    assert np.array_equal(moved.svm_.coef_, again.svm_.coef_)
    other = HogSvm(**{**params, "seed": 4}, jitter=2).fit(images, labels, classes=CLASSES)
    assert not np.array_equal(moved.svm_.coef_, plain.svm_.coef_)
    assert not np.array_equal(moved.svm_.coef_, other.svm_.coef_)
    with pytest.raises(ConfigError, match="jitter of 0 copies"):
        HogSvm(**params, jitter=-1).fit(images, labels, classes=CLASSES)


def test_jitter_moves_a_face_by_a_few_pixels_at_most() -> None:
    faces = np.zeros((200, 48, 48), np.uint8)
    faces[:, 22:26, 22:26] = 255
    moved = jittered(faces, np.random.default_rng(0))
    rows, columns = np.mgrid[:48, :48]
    weights = moved / moved.sum(axis=(1, 2), keepdims=True)
    places = np.stack([(weights * rows).sum(axis=(1, 2)), (weights * columns).sum(axis=(1, 2))]) - 23.5
    assert 2 < np.abs(places).max() < 0.06 * 48 * 1.1 and abs(places.mean()) < 0.3
    assert np.array_equal(moved, jittered(faces, np.random.default_rng(0)))


def test_symmetric_features_are_learnt_like_mirrored_training_images() -> None:
    images, labels = stripes(90)
    images, labels = images[labels != 1], labels[labels != 1] // 2
    params = {**HogSvm.smoke_params(), "orientations": 8, "interpolated": True}
    halves = HogSvm(**{**params, "symmetric": True, "c": (0.05,)}).fit(images, labels, classes=("tilted", "flat"))
    twice = HogSvm(**{**params, "mirror": True, "c": (0.05,)}).fit(images, labels, classes=("tilted", "flat"))
    asked, _ = stripes(30, seed=2)
    np.testing.assert_allclose(halves.predict_proba(asked), twice.predict_proba(asked), atol=0.01)
    np.testing.assert_allclose(halves.predict_proba(asked), halves.predict_proba(asked[:, :, ::-1]), atol=1e-5)


@pytest.mark.parametrize("root", [False, True])
def test_answers_without_sums_are_those_of_the_sums(root: bool) -> None:
    params = {"orientations": 8, "cell": 6, "levels": 2, "interpolated": True, "symmetric": True, "root": root}
    model = fitted(HogSvm, **params)
    images, _ = stripes(30, seed=2)
    expected = model.classifier_.predict_proba(model._features(images))
    np.testing.assert_allclose(model.predict_proba(images), expected, atol=1e-5)


def test_soft_targets_count_for_their_most_probable_class() -> None:
    images, labels = stripes(90)
    targets = np.full((90, 3), 0.2, np.float32)
    targets[np.arange(90), labels] = 0.6
    soft = HogSvm(**HogSvm.smoke_params()).fit(images, np.zeros(90, np.int64), classes=CLASSES, targets=targets)
    hard = HogSvm(**HogSvm.smoke_params()).fit(images, labels, classes=CLASSES)
    np.testing.assert_array_equal(soft.predict_proba(images), hard.predict_proba(images))


def test_progress_ends_at_its_total_for_each_stage() -> None:
    images, labels = stripes(90)
    told: dict[str, list[tuple[int, int]]] = {}
    HogSvm(**{**HogSvm.smoke_params(), "c": (0.01, 0.1)}).fit(
        images,
        labels,
        classes=CLASSES,
        validation=stripes(45, seed=1),
        on_progress=lambda stage, done, total: told.setdefault(stage, []).append((done, total)),
    )
    last = {stage: counts[-1] for stage, counts in told.items()}
    assert last == {
        "features": (90, 90),
        "validation features": (45, 45),
        "svm": (200, 200),
        "temperature": (1, 1),
    }
    assert told["svm"] == sorted(told["svm"]) and len(set(told["svm"])) > 4


@pytest.mark.parametrize("recognizer", RECOGNIZERS)
def test_a_saved_one_predicts_the_same_and_knows_its_size(recognizer: type[FeatureSvm], tmp_path: Path) -> None:
    images, _ = stripes(30, seed=2)
    model = fitted(recognizer)
    model.save(tmp_path / "model")
    loaded = recognizer.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_proba(images), model.predict_proba(images))
    assert loaded.c_ == model.c_
    n_parameters, size_bytes = loaded._size()
    assert n_parameters == 3 * model._features(images).shape[1] + 3 + 1
    assert abs(size_bytes - (tmp_path / "model" / "classifier.skops").stat().st_size) < 100


def test_an_uncalibrated_one_is_saved_and_loaded_too(tmp_path: Path) -> None:
    images, labels = stripes(30)
    model = HogSvm(**HogSvm.smoke_params()).fit(images, labels, classes=CLASSES)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(HogSvm.load(tmp_path / "model").predict_proba(images), model.predict_proba(images))


def replace_classifier(directory: Path, classifier: Any) -> None:
    skops.io.dump(classifier, directory / "classifier.skops")
    header = json.loads((directory / "recognizer.json").read_text())
    header["files"]["classifier.skops"] = sha256_of(directory / "classifier.skops")
    (directory / "recognizer.json").write_text(json.dumps(header))


class Foreign:
    """A type that no recognizer has a use for."""


@pytest.mark.parametrize(
    ("classifier", "message"),
    [
        ({"svm": Foreign()}, "Foreign"),
        (LogisticRegression(), "LogisticRegression"),
        (LinearSvm().fit(np.eye(4, dtype=np.float32), np.arange(4)), "tells 4 classes apart"),
    ],
)
def test_a_file_with_something_else_in_it_is_refused(classifier: Any, message: str, tmp_path: Path) -> None:
    fitted(HogSvm).save(tmp_path / "model")
    replace_classifier(tmp_path / "model", classifier)
    with pytest.raises(DataError, match=message):
        HogSvm.load(tmp_path / "model")


@pytest.mark.parametrize("c", [(), (0.0, 1.0)])
def test_an_impossible_c_is_refused(c: tuple[float, ...]) -> None:
    images, labels = stripes(9)
    with pytest.raises(ConfigError, match="at least one c"):
        HogSvm(c=c, cell=8).fit(images, labels, classes=CLASSES)
