"""The interface every recognizer has. Public methods validate and are final; a recognizer writes five hooks.

No model, feature or framework is imported here.
"""

from __future__ import annotations

import inspect
import shutil
import tempfile
from abc import ABC, abstractmethod
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar, Self, final

import numpy as np

from ferbench import registry
from ferbench.data.images import resize
from ferbench.errors import ConfigError, DataError, FerbenchError, ImagesError, NotFittedError
from ferbench.recognizers.arrays import check_images, check_labels, check_probabilities
from ferbench.recognizers.header import FILENAME, Header, check_files, read_header, sha256_of
from ferbench.statistics.calibration import fit_temperature, with_temperature
from ferbench.types import (
    EMOTIONS,
    Calibration,
    EpochHook,
    Family,
    Images,
    Labels,
    Prediction,
    Probabilities,
    ProgressHook,
    RecognizerInfo,
)

_RECORDED_LIBRARIES = ("ferbench", "numpy", "scikit-learn", "keras")


def ignore_epoch(epoch: int, values: Any) -> None:
    """An `EpochHook` that does nothing."""


def ignore_progress(stage: str, done: int, total: int) -> None:
    """A `ProgressHook` that does nothing."""


class Recognizer(ABC):
    """Tells the emotion on gray face crops.

    A subclass has `name` and `family`, a keyword-only `__init__` of JSON-typed parameters ending in `seed: int = 0`
    that only assigns each to an attribute of the same name, and the five hooks `_fit`, `_predict_proba`, `_save`,
    `_load` and `_size`. What fitting learns is stored in attributes that end in an underscore.
    `python -m ferbench check NAME` tells whether a class keeps the contract.

    Attributes:
        classes: Names of the classes, in the order of the probability columns. Known once fitted or loaded.
        image_size: (height, width) of the images it was fitted on; others are resized to it, as part of its own cost.
        temperature_: Divides the logarithms of its answers, see `fit`; None: nothing does.
    """

    name: ClassVar[str]
    family: ClassVar[Family]

    classes: tuple[str, ...] = EMOTIONS
    image_size: tuple[int, int] = (48, 48)
    temperature_: float | None = None
    _fitted: bool = False

    @final
    def fit(
        self,
        images: Images,
        labels: Labels,
        *,
        classes: tuple[str, ...] = EMOTIONS,
        targets: Probabilities | None = None,
        validation: tuple[Images, Labels] | None = None,
        on_epoch: EpochHook = ignore_epoch,
        on_progress: ProgressHook = ignore_progress,
        checkpoints: Path | None = None,
        calibration: Calibration | None = None,
    ) -> Self:
        """Learn from labelled faces. A second call forgets the first.

        Args:
            images: uint8, (n, height, width).
            labels: int, (n,), each an index into `classes`.
            classes: Names of the classes.
            targets: Soft targets, (n, n_classes), rows summing to 1 (several taggers' votes, another recognizer's
                probabilities), where they should be learnt in place of `labels`.
            validation: (images, labels) that may choose (early stopping, a penalty, a temperature) and never fit.
            on_epoch: Called with the curve as it grows.
            on_progress: Called as work goes on.
            checkpoints: A folder in which an interrupted fit may leave what lets the next call with the same
                parameters and data go on from there. None: leave nothing, start afresh.
            calibration: "temperature": once all is learnt, one number is fitted on `validation` that makes answers more
                or less sure and leaves their order as it is (Guo et al., "On calibration of modern neural networks",
                ICML 2017).

        Returns:
            The recognizer itself.

        Raises:
            ImagesError: images are not uint8 (n, height, width), or there are none.
            DataError: labels or targets do not fit the images or the classes, or there is nothing to calibrate on.
        """
        n_classes = len(classes)
        check_images(images)
        check_labels(labels, n=len(images), n_classes=n_classes)
        if len(images) == 0:
            raise ImagesError("There is nothing to fit: images is empty.")
        if targets is not None and targets.shape != (len(images), n_classes):
            raise DataError(f"targets must be {(len(images), n_classes)}, got {targets.shape}.")
        if validation is not None:
            check_images(validation[0])
            check_labels(validation[1], n=len(validation[0]), n_classes=n_classes)
            if validation[0].shape[1:] != images.shape[1:]:
                raise ImagesError(
                    f"validation images are {validation[0].shape[1:]} and training images {images.shape[1:]}: "
                    "resize them to one size."
                )
        if calibration and (validation is None or len(validation[0]) == 0):
            raise DataError("calibration by a temperature needs validation faces, and there are none.")
        self.classes = tuple(classes)
        self.image_size = (int(images.shape[1]), int(images.shape[2]))
        self.temperature_ = None
        self._fitted = False
        self._fit(
            images,
            np.asarray(labels, dtype=np.int64),
            targets=targets,
            validation=validation,
            on_epoch=on_epoch,
            on_progress=on_progress,
            checkpoints=checkpoints,
        )
        self._fitted = True
        if calibration and validation is not None:
            seen, right = validation
            self.temperature_ = fit_temperature(np.asarray(right, dtype=np.int64), self.predict_proba(seen))
        return self

    @final
    def predict_proba(self, images: Images) -> Probabilities:
        """The probability of each class for each face.

        Args:
            images: uint8, (n, height, width), any height and width; n may be 0.

        Returns:
            float32, (n, n_classes), on the host, rows summing to 1.

        Raises:
            ImagesError: wrong dtype or shape.
            NotFittedError: neither fitted nor loaded.
        """
        check_images(images)
        if not self._fitted:
            raise NotFittedError(f"{self.name} is not fitted: call fit(), or ferbench.load() a trained one.")
        if len(images) == 0:
            return np.empty((0, len(self.classes)), np.float32)
        if images.shape[1:] != self.image_size:
            images = resize(images, self.image_size)
        probabilities = self._predict_proba(images)
        checked = check_probabilities(self.name, probabilities, n=len(images), n_classes=len(self.classes))
        return checked if self.temperature_ is None else with_temperature(checked, self.temperature_)

    @final
    def predict(self, images: Images) -> Prediction:
        """Like `predict_proba`, as a `Prediction` that knows names and confidences."""
        return Prediction(self.predict_proba(images), self.classes)

    def warm_up(self, images: Images) -> None:
        """Do once, untimed, what the first call would otherwise pay for."""
        self.predict_proba(images)

    @final
    def save(self, directory: str | Path) -> None:
        """Write the fitted recognizer to `directory`, replacing what was there only once all is written.

        Raises:
            NotFittedError: there is nothing to save yet.
            DataError: the folder cannot be written.
        """
        if not self._fitted:
            raise NotFittedError(f"{self.name} is not fitted: there is nothing to save.")
        directory = Path(directory)
        try:
            directory.parent.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
        except OSError as error:
            raise DataError(f"{directory} cannot be written: {error.strerror}. Choose another folder.") from error
        try:
            self._save(partial)
            header = Header(
                name=self.name,
                params=self.params(),
                classes=self.classes,
                image_size=self.image_size,
                versions=_versions(),
                files={path.name: sha256_of(path) for path in sorted(partial.iterdir())},
                temperature=self.temperature_,
            )
            (partial / FILENAME).write_text(header.model_dump_json(indent=2) + "\n", encoding="utf-8")
            partial.chmod(0o755)
            if directory.exists():
                shutil.rmtree(directory)
            partial.replace(directory)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    @final
    @classmethod
    def load(cls, directory: str | Path) -> Self:
        """Read back what `save` wrote. Every file is checked against its recorded sha256 before it is opened.

        Raises:
            DataError: a file is missing, damaged, altered or another recognizer's.
        """
        directory = Path(directory)
        header = read_header(directory)
        if header.name != cls.name:
            raise DataError(
                f"{directory} holds a {header.name}, not a {cls.name}: use ferbench.load({str(directory)!r})."
            )
        check_files(directory, header)
        try:
            recognizer = cls(**registry.resolve("recognizers", cls.name, header.params))
        except ConfigError as error:
            raise DataError(f"{directory} has parameters that this {cls.name} does not take: {error}") from error
        recognizer.classes = header.classes
        recognizer.image_size = header.image_size
        recognizer.temperature_ = header.temperature
        try:
            recognizer._load(directory)
        except FerbenchError:
            raise
        except Exception as error:
            what = (str(error) or type(error).__name__).splitlines()[0].rstrip(" .:")
            raise DataError(
                f"{directory} does not hold the files of a {cls.name} with its parameters ({what}): restore them or "
                "train again."
            ) from error
        recognizer._fitted = True
        return recognizer

    @property
    def display_name(self) -> str:
        """What to call it beside others: its name, unless that says too little."""
        return self.name

    def params(self) -> dict[str, Any]:
        """The parameters of `__init__` as JSON values: enough, with `classes`, to build its twin."""
        return {name: _as_json(getattr(self, name)) for name in inspect.signature(type(self)).parameters}

    def choices(self) -> dict[str, Any]:
        """What validation chose in the last fit, by name, as JSON values: an epoch, a penalty. Empty: nothing."""
        return {}

    def trained_parts(self) -> tuple[str, ...]:
        """Names or folders of trained recognizers that fitting takes in as they are: a part of what decides answers."""
        return ()

    def info(self) -> RecognizerInfo:
        """Name, family, classes, size and parameters of the fitted recognizer."""
        if not self._fitted:
            raise NotFittedError(f"{self.name} is not fitted: its size is not known yet.")
        n_parameters, size_bytes = self._size()
        multiply_adds, receptive_field = self._counts() or (None, None)
        return RecognizerInfo(
            name=self.name,
            family=self.family,
            classes=self.classes,
            image_size=self.image_size,
            n_parameters=n_parameters,
            size_bytes=size_bytes,
            params=self.params(),
            multiply_adds=multiply_adds,
            receptive_field=receptive_field,
        )

    def _counts(self) -> tuple[int, int] | None:
        """Multiply-adds of one face, and the side of the receptive field in pixels; None for what is no network."""
        return None

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """The smallest parameters that still exercise everything, for tests."""
        return {}

    @abstractmethod
    def _fit(
        self,
        images: Images,
        labels: Labels,
        *,
        targets: Probabilities | None,
        validation: tuple[Images, Labels] | None,
        on_epoch: EpochHook,
        on_progress: ProgressHook,
        checkpoints: Path | None,
    ) -> None:
        """Learn; see `fit`. The arguments are already checked."""

    @abstractmethod
    def _predict_proba(self, images: Images) -> Probabilities:
        """Probabilities of at least one image of `image_size`; must not change `images`."""

    @abstractmethod
    def _save(self, directory: Path) -> None:
        """Write what was learnt as plain files into an empty folder."""

    @abstractmethod
    def _load(self, directory: Path) -> None:
        """Read back what `_save` wrote, running no code from it."""

    @abstractmethod
    def _size(self) -> tuple[int, int]:
        """(number of learnt parameters, bytes on disk)."""


def _versions() -> dict[str, str]:
    found = {}
    for library in _RECORDED_LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def _as_json(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return list(value) if isinstance(value, tuple) else value
