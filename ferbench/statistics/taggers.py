"""Several people's votes on each face: how far they agree, and how near a recognizer's probabilities come to them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ferbench.errors import DataError
from ferbench.types import Probabilities

_FLOOR = 1e-7


class HumanAgreement(NamedTuple):
    """How far people agree on the faces: what a recognizer can be measured against.

    Attributes:
        n: Faces with two votes or more.
        pairwise: Chance that two taggers of one face give the same answer.
        against_rest: Chance that a tagger gives the answer most of the others give; a tie of k answers counts 1/k.
        best_answer: Chance that a tagger gives the most frequent answer of the face: no recognizer that gives one
            answer a face can agree with taggers more often.
    """

    n: int
    pairwise: float
    against_rest: float
    best_answer: float


class VoteScores(NamedTuple):
    """Probabilities against the shares of votes.

    Attributes:
        n: Faces with a vote.
        agreement: Mean share of taggers who give the recognizer's top class.
        log_loss: Cross-entropy, natural logarithm, probabilities floored at 1e-7.
        entropy: Of the votes themselves: the log loss of one who knew the shares.
        brier: Mean over faces of the squared distance between probabilities and shares, 0 to 2.
    """

    n: int
    agreement: float
    log_loss: float
    entropy: float
    brier: float


def human_agreement(votes: NDArray[np.integer]) -> HumanAgreement:
    """How far taggers agree.

    Args:
        votes: How many gave each answer, (n, n_answers).

    Raises:
        DataError: no face has two votes.
    """
    counts = np.asarray(votes, np.float64)
    counts = counts[counts.sum(axis=1) >= 2]
    if len(counts) == 0:
        raise DataError("Agreement needs two votes on a face: none has them.")
    total = counts.sum(axis=1)
    pairwise = (counts * (counts - 1)).sum(axis=1) / (total * (total - 1))
    return HumanAgreement(
        n=len(counts),
        pairwise=float(pairwise.mean()),
        against_rest=float(_against_rest(counts, total).mean()),
        best_answer=float((counts.max(axis=1) / total).mean()),
    )


def vote_scores(votes: NDArray[np.number], probabilities: Probabilities) -> VoteScores:
    """Score probabilities against all votes, not against the one label made of them.

    Args:
        votes: (n, n_classes); faces without a vote are left out.
        probabilities: (n, n_classes).

    Raises:
        DataError: shapes differ, or no face has a vote.
    """
    if votes.shape != probabilities.shape:
        raise DataError(f"votes and probabilities must have one shape, got {votes.shape} and {probabilities.shape}.")
    has_votes = votes.sum(axis=1) > 0
    if not has_votes.any():
        raise DataError("There is nothing to score: no face has a vote.")
    shares = shares_of(votes[has_votes])
    p = np.asarray(probabilities[has_votes], np.float64)
    logs = np.log(np.maximum(shares, _FLOOR))
    return VoteScores(
        n=int(has_votes.sum()),
        agreement=float(shares[np.arange(len(p)), p.argmax(axis=1)].mean()),
        log_loss=float(-(shares * np.log(np.maximum(p, _FLOOR))).sum(axis=1).mean()),
        entropy=float(-(shares * logs).sum(axis=1).mean()),
        brier=float(((p - shares) ** 2).sum(axis=1).mean()),
    )


def shares_of(votes: NDArray[np.number]) -> NDArray[np.float64]:
    """Votes as shares, rows summing to 1; every row needs a vote."""
    counts = np.asarray(votes, np.float64)
    shares: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True)
    return shares


def _against_rest(counts: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.float64]:
    agreed = np.zeros(len(counts))
    for answer in range(counts.shape[1]):
        rest = counts.copy()
        rest[:, answer] -= 1
        most = rest.max(axis=1, keepdims=True)
        is_top = rest == most
        agreed += counts[:, answer] / total * is_top[:, answer] / is_top.sum(axis=1)
    return agreed
