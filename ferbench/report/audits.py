"""Audits of datasets in a report: what was found, and what near duplicates are worth to each recognizer.

An audit lies at `reports/audit/<dataset>.json`, as `python -m ferbench data audit <dataset> --json` prints it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from ferbench.data.audit import Audit, Duplicates
from ferbench.errors import DataError
from ferbench.report.board import Board, shown
from ferbench.report.elements import Cell, Column, Element, Grid, Section, Text, number, percent, percent_interval
from ferbench.statistics.intervals import bootstrap_intervals
from ferbench.validation import explain


def read_audit(path: Path) -> Audit:
    """Read what `data audit --json` printed.

    Raises:
        DataError: it is something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            content.pop("sheets", None)
        return Audit.model_validate(content)
    except ValidationError as error:
        raise DataError(f"{path} is no audit: {explain(error, Audit)}") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error


def audit_section(audits: list[Audit]) -> Section:
    """Findings of each audit, a row a dataset."""
    columns = (
        Column("dataset", is_text=True),
        Column("identical images"),
        Column("groups across splits", "of identical images"),
        Column("with conflicting labels", "groups of identical images"),
        Column("nearly identical images"),
        Column("near groups across splits"),
        Column("blank"),
        Column("clean test faces"),
        Column("without near twins"),
    )
    rows = [
        (
            Cell(found.dataset),
            number(found.exact.n_images, 0),
            number(found.exact.n_across_splits, 0),
            number(found.exact.n_conflicting, 0),
            number(found.near.n_images, 0),
            number(found.near.n_across_splits, 0),
            number(len(found.blank), 0),
            number(found.n_clean_test, 0),
            number(found.n_clean_test_near, 0),
        )
        for found in audits
    ]
    near = sorted({f"{found.min_correlation:g}" for found in audits})
    text = f"Nearly identical: a correlation of at least {' or '.join(near)} once aligned, or mirrored."
    return Section("audit", "What is wrong with the data", [Text(text), Grid("Audit", columns, tuple(rows))])


def near_leakage(board: Board, audits: list[Audit]) -> Element | None:
    """Accuracy without test faces that have an identical or nearly identical twin; None without a fitting audit."""
    found, clean = _audit_of(board, audits), clean_faces(board, audits)
    if found is None or clean is None:
        return None
    faces = shown(board.entries[0].first, "test")
    far = clean & _unseen(found.near, faces.rows)
    if int(far.sum()) != found.n_clean_test_near or not far.any():
        return None
    near = clean & ~far
    rows = []
    intervals = bootstrap_intervals(np.column_stack([entry.shares[far] for entry in board.entries]), faces.groups[far])
    for entry, accuracy in zip(board.entries, intervals, strict=True):
        rows.append(
            (
                Cell(entry.name, mark=entry.family),
                percent_interval(accuracy),
                number(100 * (float(entry.shares[clean].mean()) - accuracy.value), 1),
                percent(float(entry.shares[near].mean()) if near.any() else None),
            )
        )
    columns = (
        Column("recognizer", is_text=True),
        Column("without near twins, %", f"{int(far.sum()):,} faces"),
        Column("gain by near twins, points", "clean less without near twins"),
        Column("on near twins, %", f"{int(near.sum()):,} faces"),
    )
    return Grid("Clean test faces without nearly identical ones", columns, tuple(rows))


def clean_faces(board: Board, audits: list[Audit]) -> NDArray[np.bool_] | None:
    """Which of a board's faces are in the clean test split, (n,); None off test, and without a fitting audit."""
    found = _audit_of(board, audits)
    if found is None or board.split != "test":
        return None
    clean = _unseen(found.exact, shown(board.entries[0].first, "test").rows)
    return clean if int(clean.sum()) == board.card.n_clean_test else None


def _audit_of(board: Board, audits: list[Audit]) -> Audit | None:
    return next((one for one in audits if one.dataset == board.card.name), None)


def _unseen(found: Duplicates, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which test rows are in no group with another split, and the first of theirs."""
    seen: set[int] = set()
    for group in found.groups:
        tested = [copy.row for copy in group if copy.split == "test"]
        seen.update(tested if len(tested) < len(group) else tested[1:])
    return ~np.isin(rows, np.fromiter(seen, np.int64, len(seen)))
