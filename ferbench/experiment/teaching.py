"""What a network learns besides labels: the votes of several taggers, and a teacher's answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ferbench.data.dataset import Dataset
from ferbench.errors import ConfigError
from ferbench.recognizers.deep.distillation import Distillation, lesson
from ferbench.recognizers.header import read_header
from ferbench.registry import find, load
from ferbench.types import Probabilities, ProgressHook

_LESSON_IMAGES = 1024


def learning_targets(dataset: Dataset, distill: Distillation | None, on_progress: ProgressHook) -> Probabilities | None:
    """Soft targets of the training faces, rows summing to 1; None: the labels alone.

    Args:
        dataset: Where several taggers voted, their shares are the targets.
        distill: Blends a teacher's answers in.
        on_progress: Receives progress of the teacher.
    """
    votes = dataset.train.votes
    targets = None if votes is None else votes / votes.sum(axis=1, keepdims=True)
    return targets if distill is None else _taught(distill, dataset, targets, on_progress)


def identify_teacher(settings: Distillation, classes: tuple[str, ...]) -> tuple[Path, str]:
    """Where the teacher is, and what makes it this one and no other.

    Raises:
        ConfigError: it tells other classes apart.
        UnknownNameError, DataError: see `registry.load`.
    """
    directory = find(settings.teacher)
    header = read_header(directory)
    if header.classes != classes:
        raise ConfigError(
            f"distill.teacher {settings.teacher} tells {', '.join(header.classes)} apart and the student "
            f"{', '.join(classes)}: name a teacher of the same classes."
        )
    return directory, "".join(sorted(header.files.values()))


def _taught(
    settings: Distillation, dataset: Dataset, votes: Probabilities | None, on_progress: ProgressHook
) -> Probabilities:
    """The teacher's answers to the training faces, blended with their labels."""
    images, labels = dataset.train.images, dataset.train.labels
    teacher = load(identify_teacher(settings, dataset.classes)[0])
    answers = []
    for start in range(0, len(images), _LESSON_IMAGES):
        on_progress(f"teacher {teacher.name}", start, len(images))
        answers.append(teacher.predict_proba(images[start : start + _LESSON_IMAGES]))
    on_progress(f"teacher {teacher.name}", len(images), len(images))
    return lesson(np.concatenate(answers), labels, settings, targets=votes)
