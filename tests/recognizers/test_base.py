import json
from pathlib import Path

import numpy as np
import pytest

from ferbench import registry
from ferbench.errors import ContractError, DataError, ImagesError, NotFittedError
from ferbench.recognizers.prior import Prior


@pytest.fixture
def prior(tiny) -> Prior:
    return Prior().fit(tiny.train.images, tiny.train.labels)


@pytest.fixture
def saved(prior, tmp_path: Path) -> Path:
    prior.save(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 48, 48, 1), np.float32), r"got float32 \(2, 48, 48, 1\): convert to gray.*do not rescale"),
        (np.zeros((48, 48), np.uint8), r"images\[None\]"),
        (np.zeros((2, 0, 48), np.uint8), r"got uint8 \(2, 0, 48\)"),
        ([[1]], "NumPy array"),
    ],
)
def test_wrong_images_say_what_to_do(prior, images, message: str) -> None:
    with pytest.raises(ImagesError, match=message):
        prior.predict_proba(images)


@pytest.mark.parametrize(
    "labels",
    [np.zeros(41, int), np.full(42, 7), np.full(42, -1), np.zeros(42), np.zeros((42, 1), int), np.array(["a"] * 42)],
)
def test_labels_that_do_not_fit_are_refused(tiny, labels) -> None:
    with pytest.raises(DataError, match="labels must"):
        Prior().fit(tiny.train.images, labels)


def test_targets_of_another_shape_are_refused(tiny) -> None:
    with pytest.raises(DataError, match=r"targets must be \(42, 7\)"):
        Prior().fit(tiny.train.images, tiny.train.labels, targets=np.ones((42, 6), np.float32))


def test_nothing_to_fit_is_refused(tiny) -> None:
    with pytest.raises(ImagesError, match="nothing to fit"):
        Prior().fit(tiny.train.images[:0], tiny.train.labels[:0])


def test_validation_of_another_size_is_refused(tiny) -> None:
    smaller = tiny.validation.images[:, :40]
    with pytest.raises(ImagesError, match="resize"):
        Prior().fit(tiny.train.images, tiny.train.labels, validation=(smaller, tiny.validation.labels))


def test_refused_fit_changes_nothing(prior, tiny) -> None:
    with pytest.raises(DataError):
        prior.fit(tiny.train.images, tiny.train.labels + 7, classes=("a", "b"))
    assert prior.predict_proba(tiny.test.images).shape == (21, 7)


def test_unfitted_says_how_to_go_on() -> None:
    with pytest.raises(NotFittedError, match=r"call fit\(\), or ferbench\.load\(\)"):
        Prior().predict_proba(np.zeros((1, 48, 48), np.uint8))


def test_prediction_is_columnar(prior, tiny) -> None:
    prediction = prior.predict(tiny.test.images[:2])
    assert len(prediction) == 2
    assert prediction.names == ("anger", "anger")
    assert prediction.confidence == pytest.approx([1 / 7, 1 / 7])
    assert [name for name, _ in prediction.top(2)[0]] == ["anger", "disgust"]


def test_empty_prediction_has_no_names(prior, tiny) -> None:
    prediction = prior.predict(tiny.test.images[:0])
    assert (len(prediction), prediction.names, prediction.confidence.shape) == (0, (), (0,))


@pytest.mark.parametrize("n", [1, 2])
def test_hook_that_returns_something_else_is_a_contract_error(
    prior, tiny, monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    ones = np.ones((n, 7), np.float32)
    below_zero = np.tile(np.array([-1, 1, 1, 0, 0, 0, 0], np.float32), (n, 1))
    for wrong in (np.full((n, 7), 1 / 7), ones, ones * np.nan, below_zero, None):
        monkeypatch.setattr(prior, "_predict_proba", lambda images, wrong=wrong: wrong)
        with pytest.raises(ContractError):
            prior.predict_proba(tiny.test.images[:n])


def test_save_replaces_the_old_and_leaves_no_scrap(prior, saved: Path) -> None:
    (saved / "stale.txt").write_text("old")
    prior.save(saved)
    assert sorted(path.name for path in saved.parent.iterdir()) == ["model"]
    assert not (saved / "stale.txt").exists()


def test_save_that_fails_keeps_the_old(prior, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(directory: Path) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(prior, "_save", fail)
    with pytest.raises(RuntimeError):
        prior.save(saved)
    assert registry.load(saved).name == "prior"
    assert [path.name for path in saved.parent.iterdir()] == ["model"]


def test_altered_file_is_refused(saved: Path) -> None:
    (saved / "frequencies.json").write_text("[1, 0, 0, 0, 0, 0, 0]")
    with pytest.raises(DataError, match="sha256"):
        registry.load(saved)


def test_missing_file_is_refused(saved: Path) -> None:
    (saved / "frequencies.json").unlink()
    with pytest.raises(DataError, match=r"lacks the file frequencies\.json"):
        registry.load(saved)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"params": {"sharpness": 1}},
        {"classes": 7},
        {"image_size": ["a", "b"]},
        {"files": {"../../etc/passwd": "0"}},
        {"files": []},
        {"name": "cnn8"},
        {"name": 3},
    ],
)
def test_foreign_header_is_refused_with_one_of_our_errors(saved: Path, change: dict) -> None:
    header = json.loads((saved / "recognizer.json").read_text())
    (saved / "recognizer.json").write_text(json.dumps(header | change))
    with pytest.raises((DataError, registry.UnknownNameError)):
        registry.load(saved)


def test_wrong_class_is_refused(saved: Path) -> None:
    class Other(Prior):
        name = "other"

    with pytest.raises(DataError, match=r"holds a prior, not a other"):
        Other.load(saved)


def test_saving_where_nobody_may_write_is_a_sentence(prior, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        prior.save(tmp_path / "file" / "model")
