"""Finished runs as they lie on disk: read whole and checked, or set apart with a sentence. Nothing is scored anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ferbench import __version__
from ferbench.errors import DataError
from ferbench.report.predictions import SplitPredictions, read_predictions
from ferbench.report.records import read_json
from ferbench.results import RunResult, read_result


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A finished run with its predictions; `test` is None where only validation was scored."""

    place: str
    result: RunResult
    validation: SplitPredictions
    test: SplitPredictions | None

    @property
    def key(self) -> tuple[str, tuple[str, ...], str]:
        """What two runs must share to be compared: dataset (with its label rule), classes and fingerprint."""
        card = self.result.dataset
        return card.name, card.classes, card.fingerprint


class SetApart(NamedTuple):
    """Something that is not ranked, and why."""

    place: str
    reason: str


class Collection(NamedTuple):
    """Runs that can be compared, and what cannot."""

    runs: tuple[Run, ...]
    set_apart: tuple[SetApart, ...]


def collect(reports: Path) -> Collection:
    """Read every run under a folder of reports.

    Args:
        reports: Holds `<experiment>/<dataset>/seed<k>/result.json` with `predictions.npz` beside it.

    Raises:
        DataError: there is no such folder.
    """
    if not reports.is_dir():
        raise DataError(f"{reports} is no folder: give the one that holds finished runs with --reports.")
    runs: list[Run] = []
    apart: list[SetApart] = []
    places: dict[str, str] = {}
    for directory in sorted(path for path in reports.glob("*/*/seed*") if path.is_dir()):
        place = directory.relative_to(reports).as_posix()
        try:
            run = read_run(directory, place)
            _check_place(run)
        except DataError as error:
            apart.append(SetApart(place, str(error)))
            continue
        first = places.setdefault(run.result.config_hash, place)
        if first == place:
            runs.append(run)
        else:
            apart.append(SetApart(place, f"It is the same configuration as {first}, which is shown."))
    return Collection(tuple(runs), tuple(apart))


def read_run(directory: Path, place: str | None = None) -> Run:
    """Read a run's result and predictions and check that one follows from the other.

    Args:
        directory: Holds `result.json` and `predictions.npz`.
        place: What to call it; None: its path.

    Raises:
        DataError: something is missing, damaged, not finite, incomplete, or was not made by our protocol.
    """
    path = directory / "result.json"
    _check_text(path)
    result = read_result(path)
    if result.recognizer.classes != result.dataset.classes:
        raise DataError(
            f"{path}: the recognizer knows {', '.join(result.recognizer.classes)}, the dataset has "
            f"{', '.join(result.dataset.classes)}: only runs on the same classes are ranked."
        )
    if not _has_its_hash(result):
        raise DataError(f"{path}: its configuration does not give its config_hash: one of them was changed.")
    validation, test = read_predictions(directory / "predictions.npz", result)
    return Run(place or str(directory), result, validation, test)


def _has_its_hash(result: RunResult) -> bool:
    """Whether the hash is the configuration's. A teacher's files and members', part of theirs, are not at hand."""
    if result.config.distill or result.recognizer.family == "ensemble":
        return True
    version = result.environment.libraries.get("ferbench", __version__)
    return result.config_hash == result.config.result_key(result.dataset.fingerprint, version)


def _check_place(run: Run) -> None:
    config = run.result.config
    expected = f"{config.name}/{config.dataset.name}/seed{config.seed}"
    if run.place != expected or run.result.dataset.name != config.dataset.name:
        raise DataError(
            f"It says that it is {expected} on {run.result.dataset.name}, and lies elsewhere: move it back."
        )


def _check_text(path: Path) -> None:
    """Refuse what a schema would let pass or would describe in its own words."""
    content = read_json(path)
    protocol = content.get("protocol") if isinstance(content, dict) else None
    chosen_on = protocol.get("chosen_on", "validation") if isinstance(protocol, dict) else "validation"
    if chosen_on != "validation":
        raise DataError(f"{path}: its choices were made on {str(chosen_on)[:40]}, so its score there is no test score.")
    fitted_on = protocol.get("fitted_on", "train") if isinstance(protocol, dict) else "train"
    if fitted_on != "train":
        raise DataError(f"{path}: it was fitted on {str(fitted_on)[:40]}; only what was fitted on train is ranked.")
