"""Who may see which split. The test split is opened in this file and nowhere else, and every scoring leaves a line."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from ferbench.config import ExperimentConfig
from ferbench.data.dataset import Dataset, Split
from ferbench.environment import git_commit
from ferbench.evaluation import Asked
from ferbench.metrics import Scores, score
from ferbench.results import LedgerLine, note_test_scoring, now
from ferbench.types import Probabilities


class HeldOutScore(NamedTuple):
    """Scores on the whole test split and on its clean part, and how often this configuration has been scored there."""

    full: Scores
    clean: Scores
    probabilities: Probabilities
    n_scorings: int


def score_split(recognizer: Asked, split: Split) -> tuple[Scores, Probabilities]:
    """Predict and score every face of a split."""
    probabilities = recognizer.predict_proba(np.asarray(split.images))
    return score(split.labels, probabilities, recognizer.classes, groups=split.groups), probabilities


def held_out(dataset: Dataset) -> Split:
    """The test split. Nothing else in ferbench reads it, and what is done with it is scoring."""
    return dataset.test


def score_test(
    recognizer: Asked,
    dataset: Dataset,
    config: ExperimentConfig,
    key: str,
    reports: Path,
    *,
    reason: Literal["run", "evaluate"],
) -> HeldOutScore:
    """Score the test split, all of it and its clean part, and note it in the ledger of `reports` before returning.

    Raises:
        DataError: the ledger cannot be written; then there is no score.
    """
    test = held_out(dataset)
    full, probabilities = score_split(recognizer, test)
    clean_rows = dataset.clean_test()
    clean = score(
        test.labels[clean_rows], probabilities[clean_rows], recognizer.classes, groups=test.groups[clean_rows]
    )
    n_scorings = note_test_scoring(
        reports,
        LedgerLine(
            when=now(),
            reason=reason,
            config_hash=key,
            experiment=config.name,
            recognizer=config.recognizer.name,
            dataset=dataset.name,
            classes=recognizer.classes,
            seed=config.seed,
            n=full.n,
            accuracy=full.accuracy,
            clean_accuracy=clean.accuracy,
            commit=git_commit(),
        ),
    )
    return HeldOutScore(full, clean, probabilities, n_scorings)
