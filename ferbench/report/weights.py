"""Whether records are of the weights that their names stand for today. Hashes are compared, no weights are read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from ferbench import registry
from ferbench.conditions import ConditionsResult, TrainedRun
from ferbench.errors import FerbenchError
from ferbench.evaluation import Evaluation, Origin, origin_of
from ferbench.realtime.record import RealtimeResult
from ferbench.report.runs import Run, SetApart
from ferbench.report.shipped import config_hash_of
from ferbench.robustness import RobustnessResult

Match = Literal["same", "other", "unknown"]

_MOST_NAMES = 12


class Weights:
    """What names stand for: the runs that are shown, by the `model` folders beside their results, and what is shipped.

    Args:
        folder: That the runs lie under; models are not kept in version control, so that they may be missing.
        runs: Those that are shown.
    """

    def __init__(self, folder: Path, runs: Sequence[Run]) -> None:
        self._folder = folder
        self._runs = runs
        self._shipped = {name: _origin_of(name) for name in registry.shipped()}

    def match(self, origin: Origin) -> Match:
        """Whether a record is of today's weights.

        Where a run of its name is shown these are the run's, or those shipped as the run's; else those shipped under
        the name that were fitted on the same dataset. Unknown where nobody has them, as in a copy of the repository
        without the models.
        """
        shipped, run = self._shipped_as(origin), self._run_of(origin)
        if run is None:
            return "unknown" if shipped is None else _same(shipped.weights == origin.weights)
        model = self._model_of(run)
        known = {model.weights} if model else set()
        if shipped is not None and config_hash_of(origin.experiment) == run.result.config_hash:
            known.add(shipped.weights)
        if known:
            return _same(origin.weights in known)
        expected = None if run.result.gate else run.result.recognizer_sha256
        if expected and origin.recognizer_sha256:
            return _same(origin.recognizer_sha256 == expected)
        is_of_another_run = shipped is not None and shipped.weights == origin.weights
        return "other" if is_of_another_run else "unknown"

    def match_trained(self, run: TrainedRun) -> Match:
        """The same of a recognizer that was measured on drawn faces; without hashes its configuration may tell."""
        if run.recognizer:
            return self.match(run.recognizer)
        shown = self._run_named(run.experiment, run.seed, "synthetic")
        return "other" if shown and shown.result.config_hash != run.config_hash else "unknown"

    def match_file(self, name: str, recognizer_sha256: str) -> Match:
        """The same of what was loaded by a shipped name, by the hash of its `recognizer.json`."""
        shipped = self._shipped.get(name)
        return "unknown" if shipped is None else _same(shipped.recognizer_sha256 == recognizer_sha256)

    def _shipped_as(self, origin: Origin) -> Origin | None:
        found = self._shipped.get(origin.experiment)
        if found is None or found.seed != origin.seed:
            return None
        return found if None in (found.fitted_on, origin.fitted_on) or found.fitted_on == origin.fitted_on else None

    def _run_of(self, origin: Origin) -> Run | None:
        return self._run_named(origin.experiment, origin.seed, origin.fitted_on)

    def _run_named(self, experiment: str, seed: int, dataset: str | None) -> Run | None:
        alike = [run for run in self._runs if (run.result.config.name, run.result.config.seed) == (experiment, seed)]
        return next((run for run in alike if dataset in (None, run.result.dataset.name)), None)

    def _model_of(self, run: Run) -> Origin | None:
        """What lies in the run's `model` folder; None where that is gone, or of another fit than the result."""
        found = _origin_of(self._folder / run.place / "model")
        expected = None if run.result.gate else run.result.recognizer_sha256
        return found if found and expected in (None, found.recognizer_sha256) else None


def of_today(
    records: Iterable[tuple[str, RobustnessResult]], weights: Weights, apart: list[SetApart]
) -> list[RobustnessResult]:
    """Records without the recognizers whose weights are others today, which `apart` gets a sentence for."""
    kept = []
    for place, record in records:
        runs = [run for run in record.runs if _is_of_today(place, run.recognizer, weights, apart)]
        if runs:
            kept.append(record.model_copy(update={"runs": tuple(runs)}))
    return kept


def evaluated_today(
    records: Iterable[tuple[str, Evaluation]], weights: Weights, apart: list[SetApart]
) -> list[Evaluation]:
    """Evaluations without those of weights that are others today, which `apart` gets a sentence for."""
    return [record for place, record in records if _is_of_today(place, record.recognizer, weights, apart)]


def drawn_today(
    records: Iterable[tuple[str, ConditionsResult]], weights: Weights, apart: list[SetApart]
) -> list[ConditionsResult]:
    """Records without the experiments of which a seed has other weights today, which `apart` gets a sentence for."""
    kept = []
    for place, record in records:
        others = [run for run in record.runs if weights.match_trained(run) == "other"]
        apart += [
            SetApart(place, f"{_other_weights(_name(run))} Its line, a mean over seeds, is left out.") for run in others
        ]
        left = _without(record, {run.experiment for run in others})
        if left.runs:
            kept.append(left)
    return kept


def live_today(
    records: Iterable[tuple[str, RealtimeResult]], weights: Weights, apart: list[SetApart]
) -> list[RealtimeResult]:
    """Comparisons in the loop without recognizers of other weights today, which `apart` gets a sentence for."""
    kept = []
    for place, record in records:
        others = {name for name in record.recognizers if _match_live(record, name, weights) == "other"}
        apart += [SetApart(place, _other_weights(name[:80])) for name in sorted(others)]
        pairs = tuple(pair for pair in record.pairs if pair.waiting.recognizer not in others)
        if pairs:
            kept.append(record.model_copy(update={"pairs": pairs}))
    return kept


def live_sentence(record: RealtimeResult, weights: Weights) -> str:
    """The same as `unknown_sentence` of those shown of a comparison in the loop."""
    shown = {pair.waiting.recognizer for pair in record.pairs}
    return _not_at_hand({name[:80] for name in shown if _match_live(record, name, weights) == "unknown"})


def drawn_sentence(record: ConditionsResult, weights: Weights) -> str:
    """Of whom on drawn faces nobody can tell whether their weights are still those of the record; empty for none."""
    silent = {run.experiment[:80] for run in record.runs if run.recognizer is None}
    text = f"The record does not say which weights it measured, so they are not known to be today's: {_listed(silent)}."
    told = unknown_sentence([run.recognizer for run in record.runs if run.recognizer], weights)
    return " ".join([*([text] if silent else []), *([told] if told else [])])


def unknown_sentence(origins: Iterable[Origin], weights: Weights) -> str:
    """Of whom nobody can tell whether their weights are still those of the record; empty where all can be told."""
    return _not_at_hand({_name(origin) for origin in origins if weights.match(origin) == "unknown"})


def _not_at_hand(names: set[str]) -> str:
    return f"Not at hand here, so not compared with the weights of the record: {_listed(names)}." if names else ""


def _listed(names: set[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{', '.join(sorted(names)[:_MOST_NAMES])}{more}"


def _match_live(record: RealtimeResult, name: str, weights: Weights) -> Match:
    """A name that a folder was given for does not tell which of its runs that was."""
    sha256 = record.recognizers.get(name)
    return weights.match_file(name, sha256) if sha256 and name in record.config.recognizers else "unknown"


def _is_of_today(place: str, origin: Origin, weights: Weights, apart: list[SetApart]) -> bool:
    if weights.match(origin) != "other":
        return True
    apart.append(SetApart(place, _other_weights(_name(origin))))
    return False


def _other_weights(name: str) -> str:
    return f"{name} has other weights today than it was measured with: measure it again."


def _without(record: ConditionsResult, experiments: set[str]) -> ConditionsResult:
    """A record as if these experiments had not been measured."""
    if not experiments:
        return record
    conditions = []
    for condition in record.conditions:
        levels = []
        for level in condition.levels:
            accuracy = {name: share for name, share in level.accuracy.items() if name not in experiments}
            levels.append(level.model_copy(update={"accuracy": accuracy}))
        conditions.append(condition.model_copy(update={"levels": tuple(levels)}))
    return record.model_copy(
        update={
            "runs": tuple(run for run in record.runs if run.experiment not in experiments),
            "leads": tuple(lead for lead in record.leads if experiments.isdisjoint({lead.better, lead.worse})),
            "conditions": tuple(conditions),
        }
    )


def _name(origin: Origin | TrainedRun) -> str:
    return f"{origin.experiment[:80]} seed{origin.seed}"


def _same(is_same: bool) -> Match:
    return "same" if is_same else "other"


def _origin_of(name_or_directory: str | Path) -> Origin | None:
    try:
        return origin_of(name_or_directory)
    except FerbenchError:
        return None
