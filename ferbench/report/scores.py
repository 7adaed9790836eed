"""Whether recorded scores fit together: what can be told of them without the predictions they were made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from ferbench.metrics import Scores, score

_ROUNDING = 1e-6
_NARROWEST = 0.8  # of the width that independent faces would give an interval


def is_close(ours: Scores, theirs: Scores) -> bool:
    """Whether all scores are the same but for rounding."""
    return _is_close(ours.model_dump(), theirs.model_dump())


def follows_from_confusion(scores: Scores) -> bool:
    """Whether accuracy, precision, recall and F1 are those of the confusion matrix, and the interval can be theirs."""
    names = tuple(scores.classes)
    if {len(scores.confusion), *map(len, scores.confusion)} != {len(names)}:
        return False
    confusion = np.asarray(scores.confusion)
    if (confusion < 0).any() or confusion.sum() != scores.n or scores.n < 1:
        return False
    labels, predicted = (np.repeat(place.ravel(), confusion.ravel()) for place in np.indices(confusion.shape))
    answers = np.eye(len(names), dtype=np.float32)[predicted]
    expected = score(labels, answers, names, interval=scores.accuracy_interval)
    shares = {"accuracy", "balanced_accuracy", "macro_f1", "classes"}
    is_same = _is_close(scores.model_dump(include=shares), expected.model_dump(include=shares))
    return is_same and _has_an_interval(scores)


def are_of_some_faces(part: Scores, whole: Scores | None) -> bool:
    """Whether scores are of some of the faces of others, as far as can be told without those faces."""
    if whole is None or len(part.confusion) != len(whole.confusion):
        return False
    is_part = all(
        len(ours) == len(theirs) and all(own <= all_ for own, all_ in zip(ours, theirs, strict=True))
        for ours, theirs in zip(part.confusion, whole.confusion, strict=True)
    )
    return is_part and follows_from_confusion(part)


def _has_an_interval(scores: Scores) -> bool:
    low, high = scores.accuracy_interval
    width = 2 * 1.96 * float(np.sqrt(scores.accuracy * (1 - scores.accuracy) / scores.n))
    return 0 <= low <= scores.accuracy <= high <= 1 and high - low >= _NARROWEST * width - _ROUNDING


def _is_close(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(_is_close(ours[name], theirs[name]) for name in ours)
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    return ours.shape == theirs.shape and bool(np.allclose(ours, theirs, rtol=0, atol=_ROUNDING))
