"""What recognizers made of features of the whole face and a support vector machine have in common."""

from __future__ import annotations

from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import skops.io
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from threadpoolctl import threadpool_limits

from ferbench.environment import n_cores
from ferbench.errors import ConfigError, DataError
from ferbench.recognizers.base import Recognizer
from ferbench.recognizers.classical.feature_cache import FeatureCache
from ferbench.recognizers.classical.jitter import jittered
from ferbench.recognizers.classical.kernel_svm import KernelSvm
from ferbench.recognizers.classical.linear_svm import Features, LinearSvm, ShareHook
from ferbench.recognizers.classical.local_svm import LocalSvm
from ferbench.types import EpochHook, Images, Labels, Probabilities, ProgressHook

Svm: TypeAlias = LinearSvm | LocalSvm | KernelSvm
"""What decides: `Logistic` is a `LinearSvm` of another loss."""

_FILE = "classifier.skops"
_LEARNT_FILE = "features.npz"
_CHUNK_IMAGES = 1024
_BLOCK_IMAGES = 32
_INT8 = 127  # steps to each side
_STEPS = 100  # of progress, of each c
_JITTER = 7  # a stream of random numbers of its own
_TRUSTED = {
    "ferbench.recognizers.classical.kernel_svm.KernelSvm",
    "ferbench.recognizers.classical.linear_svm.LinearSvm",
    "ferbench.recognizers.classical.local_svm.LocalSvm",
    "ferbench.recognizers.classical.logistic.Logistic",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._TemperatureScaling",
}


class FeatureSvm(Recognizer):
    """An SVM on features of the whole face; a subclass writes `_features` and an `__init__`.

    The SVM is linear unless `_svm` says otherwise. Features that must first be learnt themselves (a codebook, a
    projection) come from `_learn_features`. Features that would fill the memory have a `_unit`: while fitting they are
    kept as int8, in multiples of it, and an interrupted fit leaves them in `checkpoints`; answers cut
    them off where int8 ends, as the fit does.

    Every value in `c` is fitted, each from the solution of the one before, and the one most accurate on validation is
    kept, the smallest of equals. Its decisions become probabilities by a temperature fitted on validation (Guo et al.,
    "On calibration of modern neural networks", ICML 2017), which leaves the chosen class as it is; nothing is
    fitted to validation beside these two numbers. Without validation the middle value in `c` is taken, and
    the temperature stays 1, as it does where validation has fewer than two faces of some class.

    Soft targets are not learnt: each face counts for its most probable class.

    Attributes:
        c: Weights of the loss to choose from.
        mirror: Learn from each face and from its mirror image.
        jitter: Further copies of each face to learn from, each cut out a little differently (`jittered`): what a
            detector's crops are like.
        learnt_: The arrays that the features themselves are made with, by name.
        classifier_: The calibrated classifier, or the SVM itself where there was nothing to calibrate on.
        svm_: The chosen SVM.
        c_: The chosen value in `c`.
        inverse_temperature_: What decisions are multiplied by before the softmax.
    """

    family = "classical"

    c: tuple[float, ...]
    mirror: bool = False
    jitter: int = 0
    seed: int = 0
    learnt_: dict[str, NDArray[np.float32]]

    def choices(self) -> dict[str, Any]:
        """The weight of the loss, and what decisions are multiplied by before the softmax."""
        return {"c": self.c_, "inverse_temperature": float(self.inverse_temperature_)}

    @abstractmethod
    def _features(self, images: Images) -> NDArray[np.float32]:
        """One row of features a face, (n, d). Must be the same one by one as in a batch."""

    def _decisions(self, images: Images) -> NDArray[np.float32]:
        """What the SVM decides, (n, k), or (n,) where there are two classes: the same as of `_features`, or nearly."""
        features, unit = self._features(images), self._unit()
        if unit is not None:
            largest = np.float32(_INT8 * unit)
            features = np.clip(features, -largest, largest)
        return self.svm_.decision_function(features)

    def _learn_features(self, images: Images, on_progress: ProgressHook) -> dict[str, NDArray[np.float32]]:
        """What `_features` needs to know of the training images, by name; nothing by default."""
        return {}

    def _unit(self) -> float | None:
        """What one step of features kept as int8 is worth; None: features are kept as float32."""
        return None

    def _svm(self) -> Svm:
        """What to fit for each c."""
        return LinearSvm(warm_start=True)

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
        if self.jitter < 0:
            raise ConfigError(f"{self.name} needs a jitter of 0 copies or more, got {self.jitter}.")
        copies = [jittered(images, np.random.default_rng((self.seed, _JITTER, n))) for n in range(self.jitter)]
        images, labels = np.concatenate([images, *copies]), np.tile(labels, 1 + self.jitter)
        if self.mirror:
            images, labels = np.concatenate([images, images[:, :, ::-1]]), np.tile(labels, 2)
        cache = self._cache(checkpoints)
        with threadpool_limits(1, "blas"):  # so that the number of cores changes no sum
            self.learnt_ = cache.get("learnt", [images], lambda: self._learn_features(images, on_progress))
        features = self._in_chunks(images, "features", cache, on_progress)
        unit = self._unit() or 1.0
        svm = self._svm()
        classes = np.arange(len(self.classes))
        if validation is None or len(validation[0]) == 0:
            middle = path[(len(path) - 1) // 2]
            tell = _share_of(on_progress, 0, 1)
            self._adopt(svm.set_params(c=middle).fit(features, labels, classes, unit=unit, on_share=tell))
            on_progress("svm", _STEPS, _STEPS)
            on_epoch(1, {"c": middle})
            return
        judged = self._in_chunks(validation[0], "validation features", cache, on_progress)
        judged = judged.astype(np.float32, copy=False) * np.float32(unit)
        best = -1.0
        for epoch, c in enumerate(path, start=1):
            tell = _share_of(on_progress, epoch - 1, len(path))
            svm.set_params(c=c).fit(features, labels, classes, unit=unit, on_share=tell)
            predicted = svm.predict(judged, on_share=tell) if isinstance(svm, LocalSvm) else svm.predict(judged)
            accuracy = float(np.mean(predicted == validation[1]))
            if accuracy > best:
                chosen, best = copy(svm), accuracy
            on_progress("svm", epoch * _STEPS, len(path) * _STEPS)
            on_epoch(epoch, {"c": c, "validation_accuracy": accuracy})
        on_progress("temperature", 0, 1)
        self._adopt(_calibrated(chosen, judged, validation[1]))
        on_progress("temperature", 1, 1)

    def _predict_proba(self, images: Images) -> Probabilities:
        if len(images) <= _BLOCK_IMAGES:
            return self._block_proba(images)
        # The descriptors of a whole split would fill the memory, and one block's stay in the processor's cache.
        starts = range(0, len(images), _BLOCK_IMAGES)
        return np.concatenate([self._block_proba(images[start : start + _BLOCK_IMAGES]) for start in starts])

    def _block_proba(self, images: Images) -> Probabilities:
        logits = self._decisions(images) * self.inverse_temperature_
        if logits.ndim == 1:
            logits = np.stack([-logits, logits], axis=1)
        logits -= np.maximum.reduce(logits, axis=1, keepdims=True)  # the functions behind the methods: half the time
        np.exp(logits, out=logits)
        logits /= np.add.reduce(logits, axis=1, keepdims=True)
        return logits

    def _save(self, directory: Path) -> None:
        skops.io.dump(self.classifier_, directory / _FILE)
        if self.learnt_:
            np.savez(directory / _LEARNT_FILE, **self.learnt_)  # type: ignore[arg-type]

    def _load(self, directory: Path) -> None:
        foreign = set(skops.io.get_untrusted_types(file=directory / _FILE)) - _TRUSTED
        if foreign:
            raise DataError(
                f"{directory / _FILE} holds types that a {self.name} has no use for: {', '.join(sorted(foreign))}. "
                "Nothing of it was loaded: use a file that ferbench wrote."
            )
        classifier = skops.io.load(directory / _FILE, trusted=sorted(_TRUSTED))
        if not isinstance(classifier, Svm | CalibratedClassifierCV):
            raise DataError(f"{directory / _FILE} holds a {type(classifier).__name__}, not the SVM of a {self.name}.")
        self._adopt(classifier)
        if len(self.svm_.classes_) != len(self.classes):
            raise DataError(
                f"{directory / _FILE} tells {len(self.svm_.classes_)} classes apart and recognizer.json names "
                f"{len(self.classes)}: restore both files or train again."
            )
        self.learnt_ = {}
        if (directory / _LEARNT_FILE).exists():
            with np.load(directory / _LEARNT_FILE, allow_pickle=False) as arrays:
                self.learnt_ = {name: arrays[name] for name in arrays.files}

    def _size(self) -> tuple[int, int]:
        n_parameters = self.svm_.n_parameters + 1
        n_parameters += sum(array.size for array in self.learnt_.values())
        n_bytes = sum(array.nbytes for array in self.learnt_.values())
        return n_parameters, len(skops.io.dumps(self.classifier_)) + n_bytes

    def _cache(self, checkpoints: Path | None) -> FeatureCache:
        directory = checkpoints / "features" if checkpoints and self._unit() else None
        params = {key: value for key, value in self.params().items() if key != "c"}
        return FeatureCache(directory, self.name, version("ferbench"), sorted(params.items()))

    def _in_chunks(self, images: Images, stage: str, cache: FeatureCache, on_progress: ProgressHook) -> Features:
        features: list[Features] = []
        for start in range(0, len(images), _CHUNK_IMAGES):
            on_progress(stage, start, len(images))
            chunk = images[start : start + _CHUNK_IMAGES]
            kept = cache.get("features", [chunk, *self.learnt_.values()], partial(self._kept_features, chunk))
            features.append(kept["features"])
        on_progress(stage, len(images), len(images))
        return np.concatenate(features)  # type: ignore[return-value]

    def _kept_features(self, images: Images) -> dict[str, Features]:
        unit = self._unit()

        def of_block(start: int) -> Features:
            rows = self._features(images[start : start + _BLOCK_IMAGES])
            if unit is None:
                return rows
            multiples: NDArray[np.int8] = np.clip(np.rint(rows / np.float32(unit)), -_INT8, _INT8).astype(np.int8)
            return multiples

        with threadpool_limits(1, "blas"), ThreadPoolExecutor(n_cores()) as threads:
            blocks = list(threads.map(of_block, range(0, len(images), _BLOCK_IMAGES)))
        return {"features": np.concatenate(blocks)}  # type: ignore[dict-item]

    def _adopt(self, classifier: Svm | CalibratedClassifierCV) -> None:
        self.classifier_ = classifier
        self.inverse_temperature_ = np.float32(1)
        if isinstance(classifier, CalibratedClassifierCV):
            calibrated = classifier.calibrated_classifiers_[0]
            self.inverse_temperature_ = np.float32(calibrated.calibrators[0].beta_)
            classifier = calibrated.estimator.estimator
        self.svm_: Svm = classifier
        self.c_ = float(self.svm_.c)


def _share_of(on_progress: ProgressHook, n_before: int, n: int) -> ShareHook:
    """Tells of one SVM of `n`, of which `n_before` are fitted."""
    return lambda done: on_progress("svm", int((n_before + done) * _STEPS), n * _STEPS)


def _calibrated(svm: Svm, features: NDArray[np.float32], labels: Labels) -> Svm | CalibratedClassifierCV:
    if np.bincount(labels, minlength=len(svm.classes_)).min() < 2:
        return svm
    # A frozen estimator is not fitted again: the two folds that scikit-learn asks for change nothing.
    return CalibratedClassifierCV(FrozenEstimator(svm), method="temperature", cv=2).fit(features, labels)
