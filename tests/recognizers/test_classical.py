"""What holds for every classical recognizer that learns from features, on faces that are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.svm import SVC

from ferbench import registry
from ferbench.data.synthetic import load_synthetic
from ferbench.errors import ConfigError
from ferbench.recognizers.base import Recognizer

NAMES = (
    "bovw_local_svm",
    "bovw_svm",
    "classical_ensemble",
    "fisher_svm",
    "gabor_svm",
    "hog_lbp_svm",
    "hog_rbf",
    "hog_svm",
    "lbp_svm",
    "patch_svm",
)
SYMMETRIC_HOG = {"interpolated": True, "symmetric": True}
MIRROR_INVARIANT = ("bovw_local_svm", "bovw_svm", "fisher_svm", "gabor_svm", "hog_lbp_svm", "hog_rbf", "patch_svm")
CACHED = ("bovw_local_svm", "bovw_svm", "fisher_svm", "patch_svm")
PARAMS: dict[str, dict[str, Any]] = {
    "fisher_svm": {"cells": [2.0], "step": 4.0},
    "bovw_svm": {"cells": [2.0], "step": 4.0},
    "bovw_local_svm": {"cells": [2.0], "step": 4.0},
}


@pytest.fixture(scope="module")
def faces():  # type: ignore[no-untyped-def]
    return load_synthetic(n_train=140, n_validation=42, n_test=42, seed=0)


@pytest.fixture(scope="module")
def fitted(faces):  # type: ignore[no-untyped-def]
    """Each recognizer with its smallest parameters, fitted when first asked for."""
    made: dict[str, Recognizer] = {}

    def get(name: str) -> Recognizer:
        if name not in made:
            params = registry.get("recognizers", name).smoke_params()
            made[name] = fit(registry.create("recognizers", name, params), faces)
        return made[name]

    return get


def fit(recognizer: Recognizer, faces: Any, **keywords: Any) -> Recognizer:
    validation = (faces.validation.images, faces.validation.labels)
    return recognizer.fit(faces.train.images, faces.train.labels, validation=validation, **keywords)


def degenerate(size: int) -> np.ndarray:
    """Black, white, gray, one bright pixel, one-pixel noise, and a step."""
    images = np.zeros((6, size, size), np.uint8)
    images[1], images[2], images[3, size // 2, size // 2] = 255, 128, 255
    images[4] = np.random.default_rng(0).integers(0, 2, (size, size)) * 255
    images[5, :, size // 2 :] = 255
    return images


def test_every_registered_classical_recognizer_is_among_the_names() -> None:
    modules = {name: registry.get("recognizers", name).__module__ for name in registry.names("recognizers")}
    assert tuple(sorted(name for name in modules if ".classical." in modules[name])) == NAMES


@pytest.mark.parametrize("size", [24, 48, 224])
@pytest.mark.parametrize("name", NAMES)
def test_degenerate_faces_get_probabilities(name: str, size: int, fitted: Any) -> None:
    probabilities = fitted(name).predict_proba(degenerate(size))
    assert np.isfinite(probabilities).all()
    assert probabilities.min() >= 0
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", sorted({*registry.shipped()} & {*NAMES}))
def test_degenerate_faces_get_probabilities_of_what_is_shipped(name: str) -> None:
    recognizer = registry.load(name)
    for size in (24, 48, 224):
        probabilities = recognizer.predict_proba(degenerate(size))
        assert np.isfinite(probabilities).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_degenerate_training_faces_do_not_break_a_fit(name: str) -> None:
    """Among other faces, and with one class of black ones alone."""
    images, labels = waves(60)
    images[labels == 2], images[:6] = 0, degenerate(24)
    params = registry.get("recognizers", name).smoke_params()
    recognizer = registry.create("recognizers", name, params)
    recognizer.fit(images, labels, classes=("down", "across", "black"), validation=(images, labels))
    assert np.isfinite(recognizer.predict_proba(images)).all()


@pytest.mark.parametrize("name", MIRROR_INVARIANT)
def test_a_face_and_its_mirror_image_get_the_same_answer(name: str, fitted: Any, faces: Any) -> None:
    images = faces.test.images[:12]
    there, back = fitted(name).predict_proba(images), fitted(name).predict_proba(images[:, :, ::-1])
    np.testing.assert_allclose(there, back, atol=2e-3)


def waves(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Waves that run down, waves that run across, or none, under noise; 24 x 24 pixels."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    rows, columns = np.mgrid[:24, :24]
    along = np.where(labels[:, None, None] == 0, rows, columns) + random.integers(0, 9, (n, 1, 1))
    images = 128 + 60 * np.sin(along * 0.9) * (labels != 2)[:, None, None] + random.normal(0, 30, (n, 24, 24))
    return images.clip(0, 255).astype(np.uint8), labels


@pytest.mark.parametrize("name", MIRROR_INVARIANT)
def test_it_learns_to_tell_waves(name: str) -> None:
    recognizer_class = registry.get("recognizers", name)
    recognizer = registry.create("recognizers", name, {**recognizer_class.smoke_params(), **PARAMS.get(name, {})})
    images, labels = waves(90)
    recognizer.fit(images, labels, classes=("down", "across", "flat"), validation=waves(45, seed=1))
    images, labels = waves(60, seed=2)
    assert np.mean(recognizer.predict(images).label_ids == labels) > 0.85


VARIANTS = [
    ("hog_svm", {**SYMMETRIC_HOG, "orientations": 8, "block": 2, "c": [1.0]}),
    (
        "hog_svm",
        {**SYMMETRIC_HOG, "orientations": 8, "cell": 6, "levels": 2, "root": True, "loss": "logistic", "c": [10.0]},
    ),
    ("hog_rbf", {"kernel": "exact"}),
    ("hog_rbf", {"kernel": "fourier", "whiten": True}),
    ("hog_lbp_svm", {"kernel": "chi2", "cells": []}),
    ("hog_lbp_svm", {"kernel": "intersection"}),
    ("hog_lbp_svm", {"loss": "logistic", "cells": [], "c": [10.0]}),
    ("hog_lbp_svm", {"normalization": "tan_triggs"}),
    ("hog_rbf", {"normalization": "tan_triggs"}),
    ("gabor_svm", {"normalization": "tan_triggs"}),
]


@pytest.mark.parametrize(("name", "params"), VARIANTS)
def test_a_variant_learns_and_keeps_the_contract(name: str, params: dict[str, Any], tmp_path: Path) -> None:
    recognizer_class = registry.get("recognizers", name)
    recognizer = registry.create("recognizers", name, {**recognizer_class.smoke_params(), **params})
    images, labels = waves(90)
    recognizer.fit(images, labels, classes=("down", "across", "flat"), validation=waves(45, seed=1))
    images, labels = waves(60, seed=2)
    probabilities = recognizer.predict_proba(images)
    assert np.mean(probabilities.argmax(axis=1) == labels) > 0.85
    alone = np.concatenate([recognizer.predict_proba(image[None]) for image in images])
    np.testing.assert_allclose(probabilities, alone, atol=1e-4)
    assert np.isfinite(recognizer.predict_proba(degenerate(24))).all()
    recognizer.save(tmp_path / "model")
    np.testing.assert_array_equal(registry.load(tmp_path / "model").predict_proba(images), probabilities)


def test_the_exact_kernel_has_the_labels_of_libsvm(faces: Any) -> None:
    params = {**registry.get("recognizers", "hog_rbf").smoke_params(), "kernel": "exact"}
    recognizer: Any = fit(registry.create("recognizers", "hog_rbf", params), faces)
    svc = SVC(C=recognizer.c_, gamma=recognizer.svm_.gamma, break_ties=True)
    svc.fit(recognizer._features(faces.train.images), faces.train.labels)
    expected = svc.predict(recognizer._features(faces.test.images))
    np.testing.assert_array_equal(recognizer.predict(faces.test.images).label_ids, expected)


def test_answers_are_of_features_cut_off_as_those_of_the_fit(faces: Any, fitted: Any) -> None:
    recognizer, images = fitted("bovw_svm"), faces.test.images
    unit = np.float32(recognizer._unit())
    assert recognizer._features(images).max() > 128 * unit
    learnt_from = recognizer._kept_features(images)["features"] * unit
    expected = recognizer.classifier_.predict_proba(learnt_from)
    np.testing.assert_allclose(recognizer.predict_proba(images), expected, atol=0.01)


@pytest.mark.parametrize("kernel", ["nystroem", "fourier"])
def test_whitening_values_that_do_not_vary_gives_finite_answers(faces: Any, kernel: str) -> None:
    params = {**registry.get("recognizers", "hog_rbf").smoke_params(), "whiten": True, "kernel": kernel}
    images = np.repeat(faces.train.images[:1], 14, axis=0)
    recognizer = registry.create("recognizers", "hog_rbf", params).fit(images, np.arange(14) % 7)
    assert np.isfinite(recognizer.predict_proba(faces.test.images)).all()


@pytest.mark.parametrize("name", CACHED)
def test_an_interrupted_fit_goes_on_from_its_features(name: str, faces: Any, tmp_path: Path) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if stage == "svm":
            raise KeyboardInterrupt

    params = registry.get("recognizers", name).smoke_params()
    with pytest.raises(KeyboardInterrupt):
        fit(registry.create("recognizers", name, params), faces, checkpoints=tmp_path, on_progress=stop)
    left = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "features").iterdir()}
    resumed = fit(registry.create("recognizers", name, params), faces, checkpoints=tmp_path)
    assert left == {path.name: path.stat().st_mtime_ns for path in (tmp_path / "features").iterdir()}
    afresh = fit(registry.create("recognizers", name, params), faces)
    images = faces.test.images
    np.testing.assert_array_equal(resumed.predict_proba(images), afresh.predict_proba(images))


@pytest.mark.parametrize("name", CACHED)
def test_a_fit_killed_in_mid_extraction_goes_on_where_it_was(
    name: str, faces: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferbench.recognizers.classical.feature_svm._CHUNK_IMAGES", 40)

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "features" and done == 80:
            raise KeyboardInterrupt

    params = registry.get("recognizers", name).smoke_params()
    afresh = fit(registry.create("recognizers", name, params), faces)
    with pytest.raises(KeyboardInterrupt):
        fit(registry.create("recognizers", name, params), faces, checkpoints=tmp_path, on_progress=stop)
    kept = tmp_path / "features"
    left = {path: path.stat().st_mtime_ns for path in kept.iterdir()}
    assert len(left) == 3  # what features are made with, and the first two chunks
    (kept / "features-0123.partial.npz").write_bytes(b"PK what a killed process was writing")
    resumed = fit(registry.create("recognizers", name, params), faces, checkpoints=tmp_path)
    assert {path: path.stat().st_mtime_ns for path in left} == left
    np.testing.assert_array_equal(resumed.predict_proba(faces.test.images), afresh.predict_proba(faces.test.images))


def test_damaged_features_are_made_again(faces: Any, tmp_path: Path) -> None:
    params = registry.get("recognizers", "bovw_svm").smoke_params()
    whole = fit(registry.create("recognizers", "bovw_svm", params), faces, checkpoints=tmp_path)
    for number, path in enumerate(sorted((tmp_path / "features").iterdir())):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content if number % 2 else content[:-40])
    again = fit(registry.create("recognizers", "bovw_svm", params), faces, checkpoints=tmp_path)
    np.testing.assert_array_equal(again.predict_proba(faces.test.images), whole.predict_proba(faces.test.images))


def test_other_faces_do_not_read_the_features_of_these(faces: Any, tmp_path: Path) -> None:
    params = registry.get("recognizers", "bovw_svm").smoke_params()
    fit(registry.create("recognizers", "bovw_svm", params), faces, checkpoints=tmp_path)
    images, labels = faces.train.images.copy(), faces.train.labels
    images[0, 20:30, 20:30] ^= 128
    validation = (faces.validation.images, faces.validation.labels)
    fits = [
        registry.create("recognizers", "bovw_svm", params).fit(
            images, labels, validation=validation, checkpoints=checkpoints
        )
        for checkpoints in (tmp_path, None)
    ]
    np.testing.assert_array_equal(*(recognizer.predict_proba(faces.test.images) for recognizer in fits))


def test_other_parameters_do_not_read_the_features_of_these(faces: Any, tmp_path: Path) -> None:
    params = registry.get("recognizers", "fisher_svm").smoke_params()
    fit(registry.create("recognizers", "fisher_svm", params), faces, checkpoints=tmp_path)
    n_files = len(list((tmp_path / "features").iterdir()))
    other = registry.create("recognizers", "fisher_svm", {**params, "step": 7.0})
    fit(other, faces, checkpoints=tmp_path)
    assert len(list((tmp_path / "features").iterdir())) == 2 * n_files


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("fisher_svm", {"values": 129}, "1 to 128 values"),
        ("fisher_svm", {"gaussians": 0}, "a Gaussian"),
        ("bovw_svm", {"words": 0}, "a word"),
        ("patch_svm", {"grid": 3}, "an even grid"),
        ("patch_svm", {"size": 49}, "fit into 48 x 48"),
        ("hog_rbf", {"gamma": 0.0}, "a gamma above 0"),
        ("hog_lbp_svm", {"cells": [], "radii": []}, "a cell or a radius"),
        ("gabor_svm", {"wavelengths": [1.0]}, "wavelengths >= 2"),
        ("hog_svm", {"symmetric": True}, "interpolated votes"),
        ("hog_svm", {**SYMMETRIC_HOG, "orientations": 9}, "even number of orientations"),
        ("classical_ensemble", {"members": []}, "one or more members"),
    ],
)
def test_impossible_parameters_are_refused(name: str, wrong: dict[str, Any], message: str, faces: Any) -> None:
    params = {**registry.get("recognizers", name).smoke_params(), **wrong}
    with pytest.raises(ConfigError, match=message):
        fit(registry.create("recognizers", name, params), faces)


def test_the_ensemble_is_no_worse_on_validation_than_its_members(fitted: Any, faces: Any) -> None:
    ensemble = fitted("classical_ensemble")
    truth = faces.validation.labels

    def loss(recognizer: Recognizer) -> float:
        probabilities = recognizer.predict_proba(faces.validation.images)
        return -float(np.log(probabilities[np.arange(len(truth)), truth]).mean())

    assert loss(ensemble) <= min(loss(member) for member in ensemble.members_) + 1e-4
    assert len(ensemble.choices()["weights"]) == len(ensemble.members)


def test_the_classical_ensemble_hears_no_network(faces: Any) -> None:
    with pytest.raises(ConfigError, match="classical members only, got lenet5"):
        fit(registry.create("recognizers", "classical_ensemble", {"members": [{"name": "lenet5"}]}), faces)


def test_an_interrupted_ensemble_keeps_the_members_that_are_finished(faces: Any, tmp_path: Path) -> None:
    params = registry.get("recognizers", "classical_ensemble").smoke_params()

    def stop(stage: str, done: int, total: int) -> None:
        if stage.startswith("lbp_svm"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(registry.create("recognizers", "classical_ensemble", params), faces, checkpoints=tmp_path, on_progress=stop)
    stages: set[str] = set()
    fit(
        registry.create("recognizers", "classical_ensemble", params),
        faces,
        checkpoints=tmp_path,
        on_progress=lambda stage, done, total: stages.add(stage.partition(":")[0]),
    )
    assert stages == {"members", "lbp_svm"}
