"""Whether records are of the weights that their names stand for today. Hashes are compared, no weights are read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from ferbench import registry
from ferbench.errors import FerbenchError
from ferbench.evaluation import Evaluation, Origin, origin_of
from ferbench.report.runs import Run, SetApart
from ferbench.report.shipped import config_hash_of
from ferbench.robustness import RobustnessResult

Match = Literal["same", "other", "unknown"]


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
        the name. Unknown where nobody has them, as in a copy of the repository without the models.
        """
        shipped, run = self._shipped.get(origin.experiment), self._run_of(origin)
        if shipped is not None and shipped.seed != origin.seed:
            shipped = None
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

    def _run_of(self, origin: Origin) -> Run | None:
        wanted = origin.experiment, origin.seed
        alike = [run for run in self._runs if (run.result.config.name, run.result.config.seed) == wanted]
        return next((run for run in alike if origin.fitted_on in (None, run.result.dataset.name)), None)

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


def unknown_sentence(origins: Iterable[Origin], weights: Weights) -> str:
    """Of whom nobody can tell whether their weights are still those of the record; empty where all can be told."""
    names = sorted({_name(origin) for origin in origins if weights.match(origin) == "unknown"})
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    text = f"Not at hand here, so not compared with the weights of the record: {', '.join(names[:12])}{more}."
    return text if names else ""


def _is_of_today(place: str, origin: Origin, weights: Weights, apart: list[SetApart]) -> bool:
    if weights.match(origin) != "other":
        return True
    apart.append(
        SetApart(place, f"{_name(origin)} has other weights today than it was measured with: measure it again.")
    )
    return False


def _name(origin: Origin) -> str:
    return f"{origin.experiment[:80]} seed{origin.seed}"


def _same(is_same: bool) -> Match:
    return "same" if is_same else "other"


def _origin_of(name_or_directory: str | Path) -> Origin | None:
    try:
        return origin_of(name_or_directory)
    except FerbenchError:
        return None
