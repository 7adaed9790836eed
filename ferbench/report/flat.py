"""A configuration and its result as one level of names and values: what a table of runs has for columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ferbench.config import ExperimentConfig
from ferbench.engines.gate import Verdict
from ferbench.metrics import Scores
from ferbench.report.calibration import calibration_of
from ferbench.results import RunResult
from ferbench.robustness import CorruptedRun, RobustnessResult
from ferbench.statistics.calibration import fit_temperature


def flat_params(config: ExperimentConfig) -> dict[str, Any]:
    """The resolved configuration as one level of names.

    `classes`, `dataset`, `experiment`, `recognizer`, `seed`, then `dataset.*`, `recognizer.*` and `training.*`. Nothing
    else that differs between recognizers may sort before `model_kb` of `cost_params`.
    """
    flat: dict[str, Any] = {
        "classes": config.classes,
        "dataset": config.dataset.name,
        "experiment": config.name,
        "recognizer": config.recognizer.name,
        "seed": config.seed,
    }
    for section in ("dataset", "recognizer"):
        flat |= _flatten(getattr(config, section).params, f"{section}.")
    if config.calibration:
        flat["recognizer.calibration"] = config.calibration
    if config.training:
        flat |= _flatten(config.training.model_dump(mode="json"), "training.")
    return flat


def cost_params(result: RunResult) -> dict[str, str]:
    """What accuracy costs, once more as parameters, as Compare opens on one metric only; and what answered.

    `latency_ms` is the metric `p50_ms`, left out where batch 1 was not timed; `model_kb` is `size_kb`. `runs_on.name`,
    `runs_on.precision` and `runs_on.threads` are of the engine that answered, whichever was asked for; left out where
    the recognizer answered as it was fitted.
    """
    latency = result.cost.latency_at(1)
    timed = {"latency_ms": f"{latency.p50_ms:.3f}"} if latency else {}
    gate = result.gate
    params = timed | {"model_kb": f"{result.cost.size_bytes / 1000:.1f}"}
    if gate:
        params |= {"runs_on.name": gate.engine, "runs_on.precision": gate.precision}
        params["runs_on.threads"] = str(gate.threads)
    return params


def flat_metrics(result: RunResult) -> dict[str, float]:
    """Final scores and cost as one level of names, the headline first; shares are 0 to 1, kB and MB are decimal.

    Of the validation split, which chooses: `accuracy` with its 95 % interval `accuracy_low`, `accuracy_high`;
    `balanced_accuracy`, `macro_f1`, `log_loss`, `brier`, `calibration_error`, `recall.<class>`. Of the test split all
    but the recalls, as `test.*` and `test_clean.*`. `p50_ms`, `p95_ms` and `faces_per_second` are at batch 1, those
    that end in `_batch<n>` at others. `gate.*` is what an engine loses against Keras on validation, `gate.passed`
    1 or 0. A slash in a name would put its charts above the curves.
    """
    cost = result.cost
    metrics = _score_metrics("", result.validation)
    for latency in cost.latency:
        batch = "" if latency.batch_size == 1 else f"_batch{latency.batch_size}"
        percentiles = latency.model_dump(include={"p10_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms"}, exclude_none=True)
        metrics |= {f"{name}{batch}": ms for name, ms in percentiles.items()}
        metrics |= {f"faces_per_second{batch}": latency.images_per_second}
    metrics |= {
        "size_kb": cost.size_bytes / 1000,
        "n_parameters": float(cost.n_parameters),
        "fit_seconds": cost.fit_seconds,
    }
    if cost.peak_memory_bytes is not None:
        metrics["peak_memory_mb"] = cost.peak_memory_bytes / 1e6
    metrics |= {f"recall.{name}": entry.recall for name, entry in result.validation.classes.items()}
    if result.test:
        metrics |= _score_metrics("test.", result.test)
    if result.clean_test:
        metrics |= _score_metrics("test_clean.", result.clean_test)
    if result.gate:
        metrics |= _gate_metrics(result.gate)
    return metrics


def calibration_metrics(predictions: Path) -> dict[str, float]:
    """What a run's `predictions.npz` says of its probabilities besides `calibration_error`, `brier` and `log_loss`.

    Of validation `calibration_error_mass`, in bins of equally many faces; `temperature`, fitted there; and with it
    `calibration_error_scaled` and `log_loss_scaled`. All but the temperature as `test.*` too where test was scored.
    """
    with np.load(predictions, allow_pickle=False) as stored:
        said = {
            split: (stored[f"{split}_labels"], stored[f"{split}_probabilities"])
            for split in ("validation", "test")
            if f"{split}_labels" in stored
        }
    temperature = fit_temperature(*said["validation"])
    metrics = {"temperature": temperature}
    for split, (labels, probabilities) in said.items():
        found, prefix = calibration_of(labels, probabilities, temperature), "" if split == "validation" else "test."
        metrics |= {
            f"{prefix}calibration_error_mass": found.equal_mass,
            f"{prefix}calibration_error_scaled": found.scaled_error,
            f"{prefix}log_loss_scaled": found.scaled_log_loss,
        }
    return metrics


def robustness_metrics(found: RobustnessResult, run: CorruptedRun) -> dict[str, float]:
    """A recognizer on corrupted faces, each name after `robustness.<dataset>.`, the headline first; shares are 0 to 1.

    `mean_corrupted`, `accuracy` of the `n_faces` faces as they are, and `relative_drop`, each with `_low` and `_high`;
    `severity.<k>` is the mean over corruptions, `corruption.<name>` the mean over severities.
    """
    metrics: dict[str, float] = {}
    for name in ("mean_corrupted", "accuracy", "relative_drop"):
        figure = getattr(run, name)
        metrics |= {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}
    metrics |= {f"severity.{place}": share.value for place, share in enumerate(run.by_severity, start=1)}
    for name, shares in run.corrupted.items():
        metrics[f"corruption.{name}"] = sum(share.value for share in shares) / len(shares)
    metrics["n_faces"] = float(found.n_faces)
    return {f"robustness.{found.dataset}.{name}": value for name, value in metrics.items()}


def _score_metrics(prefix: str, scores: Scores) -> dict[str, float]:
    return {
        f"{prefix}accuracy": scores.accuracy,
        f"{prefix}accuracy_low": scores.accuracy_interval[0],
        f"{prefix}accuracy_high": scores.accuracy_interval[1],
        f"{prefix}macro_f1": scores.macro_f1,
        f"{prefix}balanced_accuracy": scores.balanced_accuracy,
        f"{prefix}log_loss": scores.log_loss,
        f"{prefix}brier": scores.brier,
        f"{prefix}calibration_error": scores.calibration_error,
    }


def _gate_metrics(verdict: Verdict) -> dict[str, float]:
    before, after = verdict.reference, verdict.exported
    return {
        "gate.passed": float(verdict.passed),
        "gate.agreement": verdict.agreement,
        "gate.max_difference": verdict.max_difference,
        "gate.accuracy_change": after.accuracy - before.accuracy,
        "gate.macro_f1_change": after.macro_f1 - before.macro_f1,
        "gate.calibration_error_change": after.calibration_error - before.calibration_error,
        "gate.latency_ratio": verdict.latency_ratio,
    }


def _flatten(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
