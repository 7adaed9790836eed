"""Predictions against FER+'s ten taggers, and how far these agree with each other. Votes are read, never faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ferbench.data.dataset import data_home
from ferbench.data.votes import ANSWERS
from ferbench.report.board import Board, shown
from ferbench.report.elements import Cell, Column, Element, Grid, Section, Text, number, percent
from ferbench.statistics.calibration import calibration_error, reliability
from ferbench.statistics.taggers import human_agreement, shares_of, vote_scores
from ferbench.types import EMOTIONS

_MIN_AGREEMENT = 0.4  # taggers agree with 64 % of FER2013's labels, with 18 % of those of other faces


def read_votes() -> NDArray[np.uint8] | None:
    """How many taggers gave each of `ANSWERS`, a row a face of FER2013's table; None where FER+ is not prepared."""
    path = Path(data_home() / "datasets" / "ferplus" / "votes.npz")
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            votes: NDArray[np.uint8] = stored["votes"]
    except (OSError, ValueError, KeyError, EOFError):
        return None
    return votes if votes.ndim == 2 and votes.shape[1] == len(ANSWERS) else None


def taggers_section(board: Board, votes: NDArray[np.uint8] | None) -> Section | None:
    """What the taggers say of a board's faces; None where there are no votes on them."""
    if votes is None or not board.entries or not set(EMOTIONS) <= set(board.card.classes) <= set(ANSWERS):
        return None
    faces = shown(board.entries[0].first, board.split)
    if len(faces.rows) == 0 or faces.rows[0] < 0 or faces.rows[-1] >= len(votes):
        return None
    found = votes[faces.rows]
    columns = [ANSWERS.index(name) for name in board.card.classes]
    ours = found[:, columns].astype(np.float64)
    has_votes = ours.sum(axis=1) > 0
    agreement = (ours[has_votes].argmax(axis=1) == faces.labels[has_votes]).mean() if has_votes.any() else 0.0
    if board.card.is_synthetic or agreement < _MIN_AGREEMENT:
        return None
    people = human_agreement(found[found.sum(axis=1) >= 2])
    intro = (
        f"Ten people voted on each of these faces (FER+, {people.n:,} faces with votes, all ten answers counted, "
        f"“unknown” and “not a face” among them). Two of them give the same answer on {100 * people.pairwise:.1f} % of "
        f"faces; one gives the answer of most others on {100 * people.against_rest:.1f} %; nobody who gives one answer "
        f"a face can agree with more than {100 * people.best_answer:.1f} % of votes. The label used here is the most "
        f"voted emotion on {100 * agreement:.1f} % of faces with a vote for an emotion."
    )
    return Section("taggers", "Against ten people's votes", [Text(intro), _scores(board, ours)])


def _scores(board: Board, votes: NDArray[np.float64]) -> Element:
    columns = (
        Column("recognizer", is_text=True),
        Column("agreement, %", "mean share of votes for an emotion that went to the recognizer's answer"),
        Column("log loss", "cross-entropy to the shares of votes, natural logarithm"),
        Column("Brier", "squared distance to the shares of votes, 0 to 2"),
        Column("ECE, %", "confidence against the share of votes that agree, 15 bins of equal width"),
    )
    has_votes = votes.sum(axis=1) > 0
    shares = shares_of(votes[has_votes])
    rows = []
    floor = 0.0
    for entry in board.entries:
        p = shown(entry.first, board.split).probabilities
        found = vote_scores(votes, p)
        floor = found.entropy
        agreed = shares[np.arange(len(shares)), p[has_votes].argmax(axis=1)]
        error = calibration_error(reliability(agreed, p[has_votes].max(axis=1)))
        rows.append(
            (
                Cell(entry.name, mark=entry.family),
                percent(found.agreement),
                number(found.log_loss, 3),
                number(found.brier, 3),
                percent(error),
            )
        )
    caption = (
        f"Probabilities against shares of votes, n = {int(has_votes.sum()):,}, lowest seed; "
        f"who knew the shares would have a log loss of {floor:.3f}"
    )
    return Grid(caption, columns, tuple(rows))
