"""Shipped exports that may stand on a leaderboard: each with its recorded evaluation, and its predictions if stored.

Nothing is ranked here, and no weights are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ferbench.data.dataset import DatasetCard
from ferbench.errors import FerbenchError
from ferbench.evaluation import Evaluation, origin_of
from ferbench.report.predictions import SplitPredictions
from ferbench.report.runs import SetApart
from ferbench.report.scores import are_of_some_faces, follows_from_confusion
from ferbench.report.shipped import ShippedForm, shipped_form


class Recorded(NamedTuple):
    """An evaluation as it lies under a folder of reports; `predictions` is None where they are not stored."""

    place: str
    evaluation: Evaluation
    predictions: SplitPredictions | None


@dataclass(frozen=True, slots=True, eq=False)
class Export:
    """A shipped form of a network that stands on a leaderboard.

    Attributes:
        form: What its card and its gate say.
        place: Of the record.
        evaluation: Its scores on the split of the leaderboard.
        predictions: Of the faces of the leaderboard; None where they are not stored, and then no paired test has it.
    """

    form: ShippedForm
    place: str
    evaluation: Evaluation
    predictions: SplitPredictions | None

    @property
    def name(self) -> str:
        """To load it by."""
        return self.form.name


def exports_of(
    card: DatasetCard, faces: SplitPredictions, split: str, records: Sequence[Recorded]
) -> tuple[list[Export], list[SetApart]]:
    """Which records are of shipped forms and may stand on a leaderboard.

    Args:
        card: What the leaderboard was measured on.
        faces: Its faces, as any of its runs has them.
        split: Of the leaderboard.
        records: Those of something else are passed over: of another dataset or split, of a recognizer as it was fitted.

    Returns:
        The forms, and what is of such a form and may not stand there.
    """
    found: dict[str, Export] = {}
    apart: list[SetApart] = []
    for record in records:
        if not _is_of(card, split, record.evaluation):
            continue
        try:
            form = shipped_form(record.evaluation.recognizer.experiment)
            reason = _objection(card, faces, split, record, form) if form else ""
        except FerbenchError as error:
            form, reason = None, str(error)
        if form and form.name in found:
            reason = reason or f"It is of the same form as {found[form.name].place}, which is shown."
        if reason:
            apart.append(SetApart(record.place, reason))
        elif form:
            found[form.name] = Export(form, record.place, record.evaluation, record.predictions)
    return list(found.values()), apart


def _is_of(card: DatasetCard, split: str, evaluation: Evaluation) -> bool:
    return (
        evaluation.split == split
        and (evaluation.dataset, evaluation.fingerprint) == (card.name, card.fingerprint)
        and evaluation.recognizer.fitted_on == card.name
        and evaluation.classes == evaluation.dataset_classes == card.classes
    )


def _objection(card: DatasetCard, faces: SplitPredictions, split: str, record: Recorded, form: ShippedForm) -> str:
    """Why a form may not stand on a leaderboard; empty where it may."""
    scores, clean = record.evaluation.scores, record.evaluation.clean
    expected = [card.counts[split].get(name, 0) for name in card.classes]
    if [sum(row) for row in scores.confusion] != expected or not follows_from_confusion(scores):
        return f"Its scores are not those of all {len(faces.rows):,} faces, class by class: evaluate it again."
    if clean and (clean.n != card.n_clean_test or not are_of_some_faces(clean, scores)):
        return f"Its scores on the clean split are not those of {card.n_clean_test:,} of its faces: evaluate it again."
    if record.predictions and not record.predictions.is_of_the_same_faces(faces):
        return "Its predictions are of other faces, labels or duplicate groups than those of the runs."
    if origin_of(form.name).weights != record.evaluation.recognizer.weights:
        return f"{form.name} is shipped with other weights than were evaluated: evaluate it again."
    verdict = form.verdict
    if (verdict.dataset, verdict.n) != (card.name, card.n_validation):
        return f"The gate of {form.name} judged other faces than this leaderboard's validation split."
    return "" if verdict.passed else f"{form.name} failed its gate: {'; '.join(verdict.failures)}."
