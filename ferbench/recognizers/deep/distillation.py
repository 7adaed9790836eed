"""Learning from another recognizer's probabilities. Arrays in, arrays out: nothing here loads or fits a recognizer."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ferbench.types import Labels, Probabilities


class Distillation(BaseModel):
    """Who teaches, and how much of the lesson is the teacher's: a YAML file's `distill` section."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    teacher: str = Field(description="A trained recognizer: a shipped name, or a folder that a run wrote.")
    temperature: float = Field(
        2.0, ge=1.0, description="Evens the teacher's probabilities out, so that its second thoughts count."
    )
    weight: float = Field(
        0.7, ge=0.0, le=1.0, description="The teacher's share of the target; the rest is the label's, or the votes'."
    )


def soften(probabilities: Probabilities, temperature: float) -> Probabilities:
    """What a softmax at a higher temperature would have answered (Hinton, Vinyals and Dean 2015, arXiv:1503.02531).

    Args:
        probabilities: A softmax's answers at temperature 1, (n, n_classes).
        temperature: 1 leaves them as they are; the higher, the more alike.

    Returns:
        float32, (n, n_classes), rows summing to 1.
    """
    logits = np.log(np.maximum(probabilities, 1e-12)) / temperature
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True), dtype=np.float32)


def lesson(
    taught: Probabilities, labels: Labels, settings: Distillation, *, targets: Probabilities | None = None
) -> Probabilities:
    """The soft targets that a student is fitted to, in place of labels or votes.

    The student answers at temperature 1, as it does in use: only the teacher is softened.

    Args:
        taught: The teacher's probabilities of the training images, (n, n_classes), columns in the student's order.
        labels: Their labels, (n,).
        settings: Temperature and share.
        targets: What else would be learnt in place of `labels`, (n, n_classes): votes.

    Returns:
        float32, (n, n_classes), rows summing to 1.
    """
    own = np.eye(taught.shape[1], dtype=np.float32)[labels] if targets is None else targets
    blended = settings.weight * soften(taught, settings.temperature) + (1.0 - settings.weight) * own
    return np.asarray(blended, dtype=np.float32)
