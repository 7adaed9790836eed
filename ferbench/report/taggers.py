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

_SPOKEN = {"unknown": "“unknown”", "NF": "“not a face”"}
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


def taggers_section(
    board: Board, votes: NDArray[np.uint8] | None, clean: NDArray[np.bool_] | None = None
) -> Section | None:
    """What the taggers say of a board's faces, counting votes for its classes alone; None without votes on them.

    Args:
        board: Of FER2013's faces.
        votes: See `read_votes`.
        clean: Which faces of the board are in the clean test split, (n,); None: that is not known.
    """
    if votes is None or not board.entries or not set(EMOTIONS) <= set(board.card.classes) <= set(ANSWERS):
        return None
    faces = shown(board.entries[0].first, board.split)
    if len(faces.rows) == 0 or faces.rows[0] < 0 or faces.rows[-1] >= len(votes):
        return None
    columns = [ANSWERS.index(name) for name in board.card.classes]
    ours = votes[faces.rows][:, columns].astype(np.float64)
    has_votes = ours.sum(axis=1) > 0
    agreement = (ours[has_votes].argmax(axis=1) == faces.labels[has_votes]).mean() if has_votes.any() else 0.0
    if board.card.is_synthetic or agreement < _MIN_AGREEMENT or ours.sum(axis=1).max() < 2:
        return None
    people = human_agreement(ours.astype(np.int64))
    ceiling = float(shares_of(ours[has_votes]).max(axis=1).mean())
    ignored = [_SPOKEN.get(name, name) for name in ANSWERS if name not in board.card.classes]
    intro = (
        f"Ten people voted on each of these faces (FER+). Only votes for one of the {len(columns)} classes count here, "
        f"for people and recognizers alike; left out: {', '.join(ignored)}. On {people.n:,} faces with two "
        f"such votes or more, two people give the same answer on {100 * people.pairwise:.1f} %, and one gives the "
        f"answer of most others on {100 * people.against_rest:.1f} %. Whoever gives one answer a face can agree with "
        f"{100 * ceiling:.1f} % of votes at most, the ceiling of the first column. The label used here is the most "
        f"voted class on {100 * agreement:.1f} % of faces."
    )
    return Section("taggers", "Against ten people's votes", [Text(intro), _scores(board, ours, clean)])


def _scores(board: Board, votes: NDArray[np.float64], clean: NDArray[np.bool_] | None) -> Element:
    has_votes = votes.sum(axis=1) > 0
    shares = shares_of(votes[has_votes])
    is_clean = None if clean is None else clean[has_votes]
    columns = (
        Column("recognizer", is_text=True),
        Column("agreement, %", "mean share of the votes counted that went to the recognizer's answer"),
        *([Column("clean, %", f"agreement on {int(is_clean.sum()):,} clean faces")] if is_clean is not None else []),
        Column("log loss", "cross-entropy to the shares of votes, natural logarithm"),
        Column("Brier", "squared distance to the shares of votes, 0 to 2"),
        Column("ECE, %", "confidence against the share of votes that agree, 15 bins of equal width"),
    )
    answers = [(Cell(one.name, mark=one.family), shown(one.first, board.split).probabilities) for one in board.entries]
    rows = []
    for name, p in [
        *((cell, found[has_votes]) for cell, found in answers),
        (Cell("who knew the votes"), shares.astype(np.float32)),
    ]:
        found = vote_scores(shares, p)
        agreed = shares[np.arange(len(shares)), p.argmax(axis=1)]
        rows.append(
            (
                name,
                percent(found.agreement),
                *(
                    [percent(float(agreed[is_clean].mean()) if is_clean.any() else None)]
                    if is_clean is not None
                    else []
                ),
                number(found.log_loss, 3),
                number(found.brier, 3),
                percent(calibration_error(reliability(agreed, p.max(axis=1)))),
            )
        )
    caption = f"Probabilities against shares of the votes counted, n = {len(shares):,}, lowest seed"
    return Grid(caption, columns, tuple(rows))
