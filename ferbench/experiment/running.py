"""From a configuration to a finished run: reused, gone on with or fitted; scored, tracked and written."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from ferbench.config import ExperimentConfig
from ferbench.data.dataset import data_home
from ferbench.environment import git_commit
from ferbench.errors import ConfigError, DataError
from ferbench.experiment.fitting import fit_and_score, score_finished
from ferbench.experiment.resolving import Notice, Resolved, resolve
from ferbench.recognizers.base import ignore_epoch, ignore_progress
from ferbench.recognizers.header import FILENAME, read_header, sha256_of
from ferbench.report.figures import draw_figures
from ferbench.results import (
    RunResult,
    read_result,
    result_directory,
    write_result,
)
from ferbench.tracking.trackers import NullTracker, Tracker
from ferbench.types import EpochHook, ProgressHook


def run(
    config: ExperimentConfig,
    tracker: Tracker | None = None,
    reports: Path = Path("reports"),
    *,
    resume: bool = False,
    force: bool = False,
    validation_only: bool = False,
    tags: Mapping[str, str] | None = None,
    on_epoch: EpochHook = ignore_epoch,
    on_progress: ProgressHook = ignore_progress,
    notice: Notice = lambda text: None,
) -> RunResult:
    """Fit, choose on validation, score the test split once, time, track and write.

    Args:
        config: From `load_experiment`.
        tracker: Where to track; None: nowhere.
        reports: Results go to `<reports>/<experiment>/<dataset>/seed<k>`, test scorings to its ledger.
        resume: Go on from the checkpoint of a training of the same configuration that was interrupted.
        force: Fit again although the same configuration is finished.
        validation_only: Leave the test split alone; a later run without it scores the saved model.
        tags: Further ones for the tracked run.
        on_epoch: Receives the curve.
        on_progress: Receives progress.
        notice: Receives sentences a person should read.

    Returns:
        What was written to `result.json`.

    Raises:
        ConfigError, DataError: it cannot be run as configured; nothing was fitted.
    """
    if config.search is not None:
        raise ConfigError("The experiment has a 'search' section: run what ferbench.search(config) returns.")
    config, dataset, recognizer, key = resolve(config, notice)
    directory = result_directory(reports, config)
    earlier = _earlier(directory)
    finished = earlier if earlier and not force and _is_finished(earlier, directory, key) else None
    if finished and (finished.test or validation_only):
        notice(f"Finished before, reused: {directory / 'result.json'}. --force fits again.")
        return finished
    if earlier and (earlier.config_hash != key or (validation_only and earlier.test)):
        what = "another configuration's" if earlier.config_hash != key else "scored on the test split"
        notice(f"{directory / 'result.json'} is {what} and will be replaced: --set name=NAME keeps both.")
    _make_writable(directory)
    checkpoints = data_home() / "checkpoints" / key
    if not finished:
        _prepare_checkpoints(checkpoints, resume, notice)
    own = {"protocol": "validation only" if validation_only else "test once", "family": recognizer.family}
    own |= {"commit": git_commit() or "unknown", "config_hash": key}
    with (tracker or NullTracker()).open(config, {**own, **(tags or {})}) as tracked:

        def follow(epoch: int, values: Mapping[str, float]) -> None:
            tracked.on_epoch(epoch, values)
            on_epoch(epoch, values)

        if finished:
            notice("Fitted before and scored on validation only: its saved model is scored on the test split now.")
            result = score_finished(finished, dataset, directory, reports, on_progress)
            for epoch, values in enumerate(result.curve, start=1):
                tracked.on_epoch(epoch, values)
        else:
            result = fit_and_score(
                Resolved(config, dataset, recognizer, key),
                directory,
                reports,
                checkpoints,
                validation_only=validation_only,
                on_epoch=follow,
                on_progress=on_progress,
                notice=notice,
            )
        write_result(result, directory)
        draw_figures(result, directory)
        tracked.log(result, directory)
    shutil.rmtree(checkpoints, ignore_errors=True)
    return result


def _earlier(directory: Path) -> RunResult | None:
    path = directory / "result.json"
    try:
        return read_result(path) if path.is_file() else None
    except DataError:
        return None


def _is_finished(earlier: RunResult, directory: Path, key: str) -> bool:
    """Whether a result is this configuration's and what it scored lies beside it, not what a later run left there."""
    if earlier.config_hash != key or not (directory / "predictions.npz").is_file():
        return False
    try:
        header = read_header(directory / "model")
        if earlier.recognizer_sha256 is None:
            return header.params == earlier.recognizer.params and header.classes == earlier.recognizer.classes
        return earlier.recognizer_sha256 == sha256_of(directory / ("engine" if earlier.gate else "model") / FILENAME)
    except (DataError, OSError):
        return False


def _make_writable(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise DataError(
            f"The output folder {directory} cannot be written ({error.strerror}): choose another with --reports."
        ) from error


def _prepare_checkpoints(checkpoints: Path, resume: bool, notice: Notice) -> None:
    kept = checkpoints.is_dir() and any(checkpoints.iterdir())
    if resume and not kept:
        notice("There is no checkpoint of this configuration: the training starts from the beginning.")
    elif kept and not resume:
        notice("A checkpoint of this configuration was discarded: --resume would have gone on from it.")
        shutil.rmtree(checkpoints, ignore_errors=True)
