"""The work of one run: fit, score, time; and what its result says of that."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ferbench.config import ExperimentConfig
from ferbench.data.dataset import Dataset
from ferbench.engines.answering import answer_through, save_form
from ferbench.engines.gate import Verdict
from ferbench.environment import Environment, git_commit, n_cores, peak_memory_bytes
from ferbench.experiment.resolving import Notice, Resolved
from ferbench.experiment.teaching import learning_targets
from ferbench.protocol import held_out, score_split, score_test
from ferbench.recognizers.base import Recognizer
from ferbench.recognizers.header import FILENAME, sha256_of
from ferbench.registry import load
from ferbench.results import (
    Cost,
    Protocol,
    RecognizerCard,
    RunResult,
    now,
    write_predictions,
)
from ferbench.timing import Latency, measure
from ferbench.types import EpochHook, ProgressHook, RecognizerInfo


def fit_and_score(
    resolved: Resolved,
    directory: Path,
    reports: Path,
    checkpoints: Path,
    *,
    validation_only: bool,
    on_epoch: EpochHook,
    on_progress: ProgressHook,
    notice: Notice,
) -> RunResult:
    """Fit on `train`, choose on `validation`, save the model, time it, and score the test split unless told not to.

    Args:
        resolved: What `resolve` returned.
        directory: The run's own; the model and the predictions go there.
        reports: Where the ledger of test scorings is.
        checkpoints: Of this configuration; going on from them if there are any.
        validation_only: Leave the test split alone.
        on_epoch: Receives the curve.
        on_progress: Receives progress.
        notice: Receives sentences a person should read.
    """
    config, dataset, recognizer, key = resolved
    commit = git_commit()
    curve: dict[int, dict[str, float]] = {}

    def follow(epoch: int, values: Mapping[str, float]) -> None:
        curve[epoch] = dict(values)
        on_epoch(epoch, values)

    is_resumed = checkpoints.is_dir()
    start, cpu_start = time.perf_counter(), time.process_time()
    recognizer.fit(
        dataset.train.images,
        dataset.train.labels,
        classes=dataset.classes,
        targets=learning_targets(dataset, config.distill, on_progress),
        validation=(dataset.validation.images, dataset.validation.labels),
        on_epoch=follow,
        on_progress=on_progress,
        checkpoints=checkpoints,
        calibration=config.calibration,
    )
    fit_seconds, fit_cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    epochs = tuple(curve[epoch] for epoch in sorted(curve))
    recognizer.save(directory / "model")
    info, choices = recognizer.info(), _choices(recognizer)
    recognizer, folder, gate = _answering(config, recognizer, dataset, directory, on_progress, notice)
    validation, probabilities = score_split(recognizer, dataset.validation)
    predictions = {"validation": (dataset.validation, probabilities)}
    cost = Cost(
        n_parameters=info.n_parameters,
        size_bytes=sum(path.stat().st_size for path in folder.iterdir()),
        fit_seconds=max(fit_seconds, sum(values.get("seconds", 0.0) for values in epochs)),
        fit_cpu_seconds=fit_cpu_seconds,
        peak_memory_bytes=peak_memory_bytes(),
        n_cores=n_cores(),
        latency=_time(recognizer, dataset, config, on_progress),
        multiply_adds=info.multiply_adds,
        receptive_field=info.receptive_field,
    )
    test = None if validation_only else score_test(recognizer, dataset, config, key, reports, reason="run")
    if test:
        predictions["test"] = (held_out(dataset), test.probabilities)
    write_predictions(directory / "predictions.npz", dataset.classes, predictions)
    return RunResult(
        config=config,
        config_hash=key,
        dataset=dataset.card(),
        protocol=Protocol(choices=choices, test_scorings=test.n_scorings if test else 0, resumed=is_resumed),
        recognizer=_card(info),
        validation=validation,
        test=test.full if test else None,
        clean_test=test.clean if test else None,
        cost=cost,
        curve=epochs,
        environment=Environment.capture(commit),
        created_at=now(),
        gate=gate,
        recognizer_sha256=sha256_of(folder / FILENAME),
    )


def _answering(
    config: ExperimentConfig,
    recognizer: Recognizer,
    dataset: Dataset,
    directory: Path,
    on_progress: ProgressHook,
    notice: Notice,
) -> tuple[Recognizer, Path, Verdict | None]:
    """What is scored and timed, where it lies, and what the gate says of it: the fitted one, or its engine's form."""
    model, settings, form = directory / "model", config.engine, None
    shutil.rmtree(directory / "engine", ignore_errors=True)
    if settings:
        on_progress(f"engine {settings.name}", 0, 1)
        precision, threads = settings.precision, settings.threads
        form = answer_through(
            settings.name, model, recognizer, dataset, precision=precision, threads=threads, notice=notice
        )
        on_progress(f"engine {settings.name}", 1, 1)
    if form is None:
        return recognizer, model, None
    exported, verdict = form
    save_form(exported, verdict, directory / "engine", model, dataset)
    if not verdict.passed:
        notice(f"The gate failed for {exported.display_name}: {'; '.join(verdict.failures)}. The scores are its own.")
    return exported, directory / "engine", verdict


def _card(info: RecognizerInfo) -> RecognizerCard:
    return RecognizerCard(
        name=info.name,
        family=info.family,
        classes=info.classes,
        image_size=info.image_size,
        params=info.params,
    )


def _choices(recognizer: Recognizer) -> dict[str, Any]:
    """What validation chose: of the recognizer itself, and the temperature of its answers."""
    scaled = {} if recognizer.temperature_ is None else {"temperature": round(recognizer.temperature_, 4)}
    return recognizer.choices() | scaled


def _time(
    recognizer: Recognizer, dataset: Dataset, config: ExperimentConfig, on_progress: ProgressHook
) -> tuple[Latency, ...]:
    latency = []
    for index, size in enumerate(config.timing.batch_sizes):
        on_progress(f"timing, batch {size}", index, len(config.timing.batch_sizes))
        latency.append(measure(recognizer, dataset.validation.images, size, config.timing))
    return tuple(latency)


def score_finished(
    finished: RunResult, dataset: Dataset, directory: Path, reports: Path, on_progress: ProgressHook
) -> RunResult:
    """Score and time the model that an earlier run on validation only has left; its fit is not repeated."""
    recognizer = load(directory / ("engine" if finished.gate else "model"))
    cost = finished.cost.model_copy(update={"latency": _time(recognizer, dataset, finished.config, on_progress)})
    test = score_test(recognizer, dataset, finished.config, finished.config_hash, reports, reason="run")
    _, probabilities = score_split(recognizer, dataset.validation)
    write_predictions(
        directory / "predictions.npz",
        dataset.classes,
        {"validation": (dataset.validation, probabilities), "test": (held_out(dataset), test.probabilities)},
    )
    protocol = finished.protocol.model_copy(update={"test_scorings": test.n_scorings})
    update = {"test": test.full, "clean_test": test.clean, "protocol": protocol, "cost": cost}
    return finished.model_copy(update=update)
