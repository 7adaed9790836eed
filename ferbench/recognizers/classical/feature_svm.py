"""What recognizers made of hand-written features and a linear support vector machine have in common."""

from __future__ import annotations

from abc import abstractmethod
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
import skops.io
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from ferbench.errors import ConfigError, DataError
from ferbench.recognizers.base import Recognizer
from ferbench.recognizers.classical.linear_svm import LinearSvm
from ferbench.types import EpochHook, Images, Labels, Probabilities, ProgressHook

_FILE = "classifier.skops"
_CHUNK_IMAGES = 1024
_TRUSTED = {
    "ferbench.recognizers.classical.linear_svm.LinearSvm",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._TemperatureScaling",
}


class FeatureSvm(Recognizer):
    """A linear SVM on features of the whole face; a subclass writes `_features` and an `__init__`.

    Every value in `c` is fitted, each from the solution of the one before, and the one most accurate on validation is
    kept, the smallest of equals. Its decisions become probabilities by a temperature fitted on validation (Guo et al.,
    "On calibration of modern neural networks", ICML 2017), which leaves the chosen class as it is; nothing is
    fitted to validation beside these two numbers. Without validation the middle value in `c` is taken, and
    the temperature stays 1, as it does where validation has fewer than two faces of some class.

    Soft targets are not learnt: each face counts for its most probable class.

    Attributes:
        c: Weights of the loss to choose from.
        mirror: Learn from each face and from its mirror image.
        classifier_: The calibrated classifier, or the `LinearSvm` itself where there was nothing to calibrate on.
        svm_: The chosen `LinearSvm`.
        c_: The chosen value in `c`.
        inverse_temperature_: What decisions are multiplied by before the softmax.
    """

    family = "classical"

    c: tuple[float, ...]
    mirror: bool

    def choices(self) -> dict[str, Any]:
        """The weight of the loss, and what decisions are multiplied by before the softmax."""
        return {"c": self.c_, "inverse_temperature": float(self.inverse_temperature_)}

    @abstractmethod
    def _features(self, images: Images) -> NDArray[np.float32]:
        """One row of features a face, (n, d). Must be the same one by one as in a batch."""

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
        path = sorted(set(self.c))
        if not path or path[0] <= 0:
            raise ConfigError(f"{self.name} needs at least one c, each above 0, got {self.c}.")
        if targets is not None:
            labels = targets.argmax(axis=1)
        if self.mirror:
            images, labels = np.concatenate([images, images[:, :, ::-1]]), np.tile(labels, 2)
        features = self._in_chunks(images, "features", on_progress)
        svm = LinearSvm(warm_start=True)
        classes = np.arange(len(self.classes))
        if validation is None or len(validation[0]) == 0:
            middle = path[(len(path) - 1) // 2]
            self._adopt(svm.set_params(c=middle).fit(features, labels, classes))
            on_progress("svm", 1, 1)
            on_epoch(1, {"c": middle})
            return
        judged = self._in_chunks(validation[0], "validation features", on_progress)
        best = -1.0
        for epoch, c in enumerate(path, start=1):
            svm.set_params(c=c).fit(features, labels, classes)
            accuracy = float(np.mean(svm.predict(judged) == validation[1]))
            if accuracy > best:
                chosen, best = copy(svm), accuracy
            on_progress("svm", epoch, len(path))
            on_epoch(epoch, {"c": c, "validation_accuracy": accuracy})
        self._adopt(_calibrated(chosen, judged, validation[1]))

    def _predict_proba(self, images: Images) -> Probabilities:
        logits = self.svm_.decision_function(self._features(images)) * self.inverse_temperature_
        if logits.ndim == 1:
            logits = np.stack([-logits, logits], axis=1)
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        return logits

    def _save(self, directory: Path) -> None:
        skops.io.dump(self.classifier_, directory / _FILE)

    def _load(self, directory: Path) -> None:
        foreign = set(skops.io.get_untrusted_types(file=directory / _FILE)) - _TRUSTED
        if foreign:
            raise DataError(
                f"{directory / _FILE} holds types that a {self.name} has no use for: {', '.join(sorted(foreign))}. "
                "Nothing of it was loaded: use a file that ferbench wrote."
            )
        classifier = skops.io.load(directory / _FILE, trusted=sorted(_TRUSTED))
        if not isinstance(classifier, LinearSvm | CalibratedClassifierCV):
            raise DataError(f"{directory / _FILE} holds a {type(classifier).__name__}, not the SVM of a {self.name}.")
        self._adopt(classifier)
        if len(self.svm_.classes_) != len(self.classes):
            raise DataError(
                f"{directory / _FILE} tells {len(self.svm_.classes_)} classes apart and recognizer.json names "
                f"{len(self.classes)}: restore both files or train again."
            )

    def _size(self) -> tuple[int, int]:
        n_parameters = self.svm_.coef_.size + self.svm_.intercept_.size + 1
        return n_parameters, len(skops.io.dumps(self.classifier_))

    def _in_chunks(self, images: Images, stage: str, on_progress: ProgressHook) -> NDArray[np.float32]:
        first = self._features(images[:_CHUNK_IMAGES])
        features = np.empty((len(images), first.shape[1]), np.float32)
        features[:_CHUNK_IMAGES] = first
        for start in range(_CHUNK_IMAGES, len(images), _CHUNK_IMAGES):
            on_progress(stage, start, len(images))
            features[start : start + _CHUNK_IMAGES] = self._features(images[start : start + _CHUNK_IMAGES])
        on_progress(stage, len(images), len(images))
        return features

    def _adopt(self, classifier: LinearSvm | CalibratedClassifierCV) -> None:
        self.classifier_ = classifier
        self.inverse_temperature_ = np.float32(1)
        if isinstance(classifier, CalibratedClassifierCV):
            calibrated = classifier.calibrated_classifiers_[0]
            self.inverse_temperature_ = np.float32(calibrated.calibrators[0].beta_)
            classifier = calibrated.estimator.estimator
        self.svm_: LinearSvm = classifier
        self.c_ = float(self.svm_.c)


def _calibrated(svm: LinearSvm, features: NDArray[np.float32], labels: Labels) -> LinearSvm | CalibratedClassifierCV:
    if np.bincount(labels, minlength=len(svm.classes_)).min() < 2:
        return svm
    # A frozen estimator is not fitted again: the two folds that scikit-learn asks for change nothing.
    return CalibratedClassifierCV(FrozenEstimator(svm), method="temperature", cv=2).fit(features, labels)
