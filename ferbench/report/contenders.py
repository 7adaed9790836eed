"""Entries of a leaderboard and their shipped forms, each with its time from one survey of engines.

Times of single runs, taken on other days and machines, are not mixed in: what the survey lacks has no time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ferbench.engines.record import Form, Survey
from ferbench.metrics import Scores
from ferbench.report.board import Board, Entry
from ferbench.report.exports import Export
from ferbench.report.shipped import shipped_as
from ferbench.report.standing import Contender, Recall, Standing
from ferbench.statistics.intervals import Interval, wilson_interval

_SAME_ACCURACY = 0.002  # 7 of 3,589 faces: other processors round otherwise


class _Known(NamedTuple):
    """A contender, the names it may have in a survey, and the name of what it was exported from."""

    contender: Contender
    names: set[str]
    source: str | None


def standing(board: Board, surveys: Sequence[Survey]) -> Standing:
    """Put entries and shipped forms side by side, and time them.

    Args:
        board: Its entries and exports contend.
        surveys: Of those on the board's data the newest tells the times.
    """
    fitting = [one for one in surveys if (one.dataset, one.fingerprint) == (board.card.name, board.card.fingerprint)]
    survey = max(fitting, key=lambda one: one.created_at, default=None)
    found = [*(_entry(board, entry) for entry in board.entries), *(_export(board, one) for one in board.exports)]
    others: list[str] = []
    timed = [_timed(one, survey, others) if survey else one.contender for one in found]
    timed.sort(key=lambda one: (-one.accuracy.value, one.name))
    return Standing(board, tuple(timed), survey, (*_times(timed, survey, len(fitting)), *others), elsewhere="")


def _entry(board: Board, entry: Entry) -> _Known:
    gate = entry.result.gate
    cleans = [run.result.clean_test for run in entry.runs if run.result.clean_test and board.split == "test"]
    contender = Contender(
        name=entry.name,
        family=entry.family,
        engine=gate.engine if gate else "keras" if entry.family == "deep" else "native",
        precision=gate.precision if gate else "float32",
        accuracy=entry.accuracy,
        validation=entry.mean(lambda scores: scores.accuracy, "validation") or 0.0,
        macro_f1=entry.mean(lambda scores: scores.macro_f1, board.split),
        clean=entry.mean(lambda scores: scores.accuracy, "clean_test"),
        size_bytes=entry.result.cost.size_bytes,
        recalls=_recalls_of([getattr(run.result, board.split) for run in entry.runs], board.card.classes),
        clean_recalls=_recalls_of(cleans, board.card.classes) if len(cleans) == len(entry.runs) else (),
        place=board.place_of(entry),
        is_export=False,
        entry=entry,
        form=None,
        timing=None,
    )
    return _Known(contender, _names(entry), entry.result.recognizer.name if gate else None)


def _export(board: Board, one: Export) -> _Known:
    form, scores, clean = one.form, one.evaluation.scores, one.evaluation.clean
    place, stored = board.place_of(one), Interval(scores.accuracy, *scores.accuracy_interval)
    origin = next((one for one in board.entries if form.config_hash in _hashes(one)), None)
    contender = Contender(
        name=form.name,
        family=origin.family if origin else "deep",
        engine=form.verdict.engine,
        precision=form.verdict.precision,
        accuracy=stored if place is None else board.tested[place].accuracy,
        validation=form.verdict.exported.accuracy,
        macro_f1=scores.macro_f1,
        clean=clean.accuracy if clean else None,
        size_bytes=form.size_bytes,
        recalls=_recalls_of([scores], board.card.classes),
        clean_recalls=_recalls_of([clean], board.card.classes) if clean else (),
        place=place,
        is_export=True,
        entry=origin,
        form=None,
        timing=None,
    )
    return _Known(contender, {form.name, *(_names(origin) if origin else ())}, form.verdict.source)


def _recalls_of(scores: Sequence[Scores], classes: tuple[str, ...]) -> tuple[Recall, ...]:
    """The mean recall over seeds, which all have the same faces."""
    found = []
    for name in classes:
        ours = [one.classes[name] for one in scores]
        share, n = float(np.mean([one.recall for one in ours])), ours[0].support
        found.append(Recall(name, wilson_interval(share, n) if n else None))
    return tuple(found)


def _timed(known: _Known, survey: Survey, others: list[str]) -> Contender:
    """The contender with its time; where the survey timed another recognizer of its name, `others` gets a sentence."""
    one = known.contender
    alike = [form for form in survey.forms if (form.engine, form.precision) == (one.engine, one.precision)]
    named = [form for form in alike if form.display_name in known.names]
    expected = [one.validation]
    if one.entry is not None and not one.is_export:
        expected += [run.result.validation.accuracy for run in one.entry.runs]

    def distance(form: Form) -> float:
        return min(abs(form.accuracy - accuracy) for accuracy in expected)

    for forms in (named, [form for form in alike if form.recognizer == known.source]):
        nearest = min(forms, key=distance, default=None)
        if nearest is not None and distance(nearest) <= _SAME_ACCURACY:
            timing = next((timing for timing in nearest.timings if timing.threads == survey.threads[0]), None)
            return replace(one, form=nearest, timing=timing)
    if named:
        others.append(
            f"The {one.name} that was timed is right on {100 * min(named, key=distance).accuracy:.1f} % of validation, "
            f"this one on {100 * one.validation:.1f} %: it is another one, and its time is not shown."
        )
    return one


def _names(entry: Entry) -> set[str]:
    return {entry.name, *(name for key in _hashes(entry) for name in shipped_as(key))}


def _hashes(entry: Entry) -> set[str]:
    return {run.result.config_hash for run in entry.runs}


def _times(found: Sequence[Contender], survey: Survey | None, n_surveys: int) -> tuple[str, ...]:
    if len(found) == 1 and found[0].timing is None:
        return ()
    if survey is None:
        return (
            "No survey of engines was made on this data. Times of single runs, on other days and machines, are not "
            "compared: there is no figure over time and no recommendation until python -m ferbench engines is run.",
        )
    environment, threads = survey.environment, survey.threads[0]
    newest = f", the newest of {n_surveys}" if n_surveys > 1 else ""
    text = (
        f"All times are of one run, each by turns in rotated order{newest}: {survey.created_at:%Y-%m-%d}, "
        f"{environment.processor}, {environment.cores}, {threads} {'thread' if threads == 1 else 'threads'}, "
        "one face a call."
    )
    missing = [one.name for one in found if one.timing is None]
    return text, *([f"Not in that run, so without a time and never recommended: {', '.join(missing)}."] * bool(missing))
