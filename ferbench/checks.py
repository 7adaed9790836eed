"""The contract every recognizer keeps, as checks that anyone can run on theirs: `python -m ferbench check NAME`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np

from ferbench import registry
from ferbench.data.dataset import Dataset
from ferbench.data.synthetic import load_synthetic
from ferbench.errors import ContractError, FerbenchError, ImagesError, NotFittedError
from ferbench.recognizers.base import Recognizer
from ferbench.types import Family, Probabilities

_SAME = 1e-3

Check = Callable[["Subject"], None]


@dataclass(frozen=True)
class Subject:
    """What a check works on: a registered name, and a handful of drawn faces."""

    name: str
    dataset: Dataset

    def make(self) -> Recognizer:
        """A fresh one with its smallest parameters."""
        recognizer_class = registry.get("recognizers", self.name)
        recognizer: Recognizer = registry.create("recognizers", self.name, recognizer_class.smoke_params(), seed=0)
        return recognizer

    def fit(self) -> Recognizer:
        """A fresh one, fitted."""
        return fit_on(self.make(), self.dataset)

    @cached_property
    def fitted(self) -> Recognizer:
        """The one that all checks ask and none changes."""
        return self.fit()

    @cached_property
    def refitted(self) -> tuple[Probabilities, Recognizer]:
        """What one answered that was fitted on two other classes, and the same one fitted again as `fitted` was."""
        recognizer, train = self.make(), self.dataset.train
        recognizer.fit(train.images, train.labels % 2, classes=("yes", "no"))
        other = recognizer.predict_proba(train.images[:3])
        return other, fit_on(recognizer, self.dataset)


class Outcome(NamedTuple):
    """One check's name and what broke; None where it holds."""

    check: str
    failure: str | None


def fit_on(recognizer: Recognizer, dataset: Dataset) -> Recognizer:
    """Fit on the training split with the validation split to choose with."""
    return recognizer.fit(
        dataset.train.images,
        dataset.train.labels,
        classes=dataset.classes,
        validation=(dataset.validation.images, dataset.validation.labels),
    )


def subject(name: str) -> Subject:
    """A registered recognizer, ready to be checked."""
    registry.get("recognizers", name)
    return Subject(name, load_synthetic(n_train=84, n_validation=42, n_test=42, seed=0))


def check_rows_are_probabilities(subject: Subject) -> None:
    """float32 rows that are finite, not negative, and sum to 1."""
    probabilities = subject.fitted.predict_proba(subject.dataset.validation.images)
    _expect(probabilities.dtype == np.float32, f"dtype is {probabilities.dtype}, not float32")
    _expect(bool(np.isfinite(probabilities).all()), "some probabilities are not finite")
    _expect(np.allclose(probabilities.sum(axis=1), 1, atol=1e-4), "rows do not sum to 1")


def check_one_by_one_equals_batch(subject: Subject) -> None:
    """A face gets the same answer alone and in company."""
    images = subject.dataset.validation.images[:9]
    batch = subject.fitted.predict_proba(images)
    single = np.concatenate([subject.fitted.predict_proba(images[i : i + 1]) for i in range(len(images))])
    _expect(np.allclose(batch, single, atol=1e-4), f"they differ by up to {np.abs(batch - single).max():.2g}")


def check_empty_batch(subject: Subject) -> None:
    """No faces give no rows."""
    shape = subject.fitted.predict_proba(subject.dataset.validation.images[:0]).shape
    _expect(shape == (0, len(subject.dataset.classes)), f"shape is {shape}")


def check_non_contiguous_input(subject: Subject) -> None:
    """A strided view gives what its copy gives."""
    view = subject.dataset.validation.images[::2, :, ::-1]
    difference = np.abs(subject.fitted.predict_proba(view) - subject.fitted.predict_proba(view.copy())).max()
    _expect(difference < 1e-5, f"they differ by {difference:.2g}")


def check_input_is_left_alone(subject: Subject) -> None:
    """Predicting changes no pixel, and works on read-only pixels."""
    images = subject.dataset.validation.images[:5].copy()
    images.setflags(write=False)
    before = images.copy()
    subject.fitted.predict_proba(images)
    _expect(np.array_equal(images, before), "pixels changed")


def check_degenerate_faces(subject: Subject) -> None:
    """Black, white, constant and one-pixel faces get finite probabilities."""
    height, width = subject.fitted.image_size
    images = np.zeros((4, height, width), np.uint8)
    images[1], images[2], images[3, height // 2, width // 2] = 255, 128, 255
    _expect(bool(np.isfinite(subject.fitted.predict_proba(images)).all()), "some probabilities are not finite")


def check_other_sizes(subject: Subject) -> None:
    """Smaller, larger and oblong faces are taken."""
    for height, width in ((24, 24), (96, 96), (60, 40)):
        images = np.full((2, height, width), 90, np.uint8)
        images[:, height // 4 : height // 2] = 200
        subject.fitted.predict_proba(images)


def check_wrong_input_is_refused(subject: Subject) -> None:
    """Floats, colors, a single face without a batch axis, and lists raise ImagesError."""
    images = subject.dataset.validation.images[:2]
    wrong: list[Any] = [images.astype(np.float32), images[..., None], images[0], images.tolist()]
    for value in wrong:
        try:
            subject.fitted.predict_proba(value)
        except ImagesError:
            continue
        raise ContractError(f"{type(value).__name__} {getattr(value, 'shape', '')} was accepted")


def check_unfitted_is_refused(subject: Subject) -> None:
    """Before fit, predicting, saving and info raise NotFittedError."""
    recognizer = subject.make()
    images = subject.dataset.validation.images[:1]
    for call in (lambda: recognizer.predict_proba(images), lambda: recognizer.save(Path("never")), recognizer.info):
        try:
            call()
        except NotFittedError:
            continue
        raise ContractError("an unfitted recognizer answered")


def check_same_seed_same_output(subject: Subject) -> None:
    """Fitted twice with one seed, it answers the same."""
    images = subject.dataset.validation.images
    answers = subject.fitted.predict_proba(images)
    difference = np.abs(subject.refitted[1].predict_proba(images) - answers).max()
    if difference >= _SAME:  # or it does not forget, which is another check's business
        difference = np.abs(subject.fit().predict_proba(images) - answers).max()
    _expect(difference < _SAME, f"answers differ by {difference:.2g}")


def check_refit_forgets(subject: Subject) -> None:
    """A second fit on the same object, after one on other labels, equals a first."""
    images = subject.dataset.validation.images
    difference = np.abs(subject.refitted[1].predict_proba(images) - subject.fitted.predict_proba(images)).max()
    _expect(difference < _SAME, f"answers differ by {difference:.2g}")


def check_fit_returns_self(subject: Subject) -> None:
    """`fit` returns the recognizer, also without validation and with soft targets."""
    recognizer, train = subject.make(), subject.dataset.train
    targets = np.eye(len(subject.dataset.classes), dtype=np.float32)[train.labels]
    _expect(recognizer.fit(train.images, train.labels, targets=targets) is recognizer, "something else came back")


def check_save_load(subject: Subject) -> None:
    """What is loaded answers exactly as what was saved, and so does what is saved once more over it."""
    images = subject.dataset.validation.images
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "model"
        subject.fitted.save(directory)
        subject.fitted.save(directory)
        loaded = registry.load(directory)
        _expect(type(loaded) is type(subject.fitted), f"a {type(loaded).__name__} came back")
        _expect(loaded.classes == subject.fitted.classes, "classes differ")
        _expect(loaded.params() == subject.fitted.params(), "parameters differ")
        difference = np.abs(loaded.predict_proba(images) - subject.fitted.predict_proba(images)).max()
        _expect(difference < 1e-6, f"answers differ by {difference:.2g}")


def check_damage_is_refused(subject: Subject) -> None:
    """A saved file with one changed byte is not loaded."""
    with tempfile.TemporaryDirectory() as folder:
        subject.fitted.save(Path(folder) / "model")
        for path in sorted((Path(folder) / "model").iterdir()):
            if path.name == "recognizer.json":
                continue
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 0xFF
            path.write_bytes(content)
            try:
                registry.load(Path(folder) / "model")
            except FerbenchError:
                return
            raise ContractError(f"{path.name} was damaged and loaded all the same")


def check_params_round_trip(subject: Subject) -> None:
    """`params()` is JSON, and builds a twin with the same parameters."""
    params = subject.fitted.params()
    twin = registry.create("recognizers", subject.name, json.loads(json.dumps(params)))
    _expect(twin.params() == params, "the twin's parameters differ")


def check_info_is_complete(subject: Subject) -> None:
    """Name, family, classes, size and parameters are all there."""
    info = subject.fitted.info()
    _expect(info.name == subject.name, f"its class says name = '{info.name}', it is registered as '{subject.name}'")
    _expect(info.family in get_args(Family), f"family is '{info.family}'")
    _expect(info.classes == subject.dataset.classes, "classes differ from those it was fitted on")
    _expect(info.n_parameters > 0 and info.size_bytes > 0, "its size is not positive")


def check_other_label_sets(subject: Subject) -> None:
    """It learns other classes than the seven."""
    _expect(subject.refitted[0].shape == (3, 2), "two classes did not give two columns")


def iter_checks() -> Iterator[tuple[str, Check]]:
    """Every check with its name, in the order written here."""
    for name, value in globals().items():
        if name.startswith("check_") and name != "check_recognizer":
            yield name.removeprefix("check_"), value


def check_recognizer(name: str, on_outcome: Callable[[Outcome], None] = lambda outcome: None) -> list[Outcome]:
    """Run every check on a registered recognizer.

    Args:
        name: Its registered name.
        on_outcome: Called after each check.

    Raises:
        UnknownNameError, PluginError: it cannot be had.
        ContractError: it cannot even be fitted on a handful of faces.
    """
    checked = subject(name)
    try:
        _ = checked.fitted
    except FerbenchError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise ContractError(f"'{name}' cannot be fitted with its smoke_params: {reason}") from error
    outcomes = []
    for check_name, check in iter_checks():
        outcomes.append(Outcome(check_name, _failure(check, checked)))
        on_outcome(outcomes[-1])
    return outcomes


def _failure(check: Check, checked: Subject) -> str | None:
    try:
        check(checked)
    except FerbenchError as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def _expect(holds: bool, failure: str) -> None:
    if not holds:
        raise ContractError(failure)
