"""A trained recognizer made ready to be passed on: its files, and a model card with figures from its own result."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ferbench import registry
from ferbench.errors import DataError
from ferbench.metrics import Scores
from ferbench.recognizers.header import check_files, check_target, read_header
from ferbench.report.tables import bytes_text, percent_with_interval
from ferbench.results import RunResult, read_result
from ferbench.types import RecognizerInfo

if TYPE_CHECKING:
    from ferbench.recognizers.deep.half_weights import HalvingCost

_LIMITS = """\
- Seven posed or web-searched expressions are not what a person feels. Do not judge people by them, and do not use
  this for decisions about hiring, education, health, insurance or law enforcement.
- FER2013's labels are noisy (people agree with them on about 65 % of faces, Goodfellow et al. 2013), its faces come
  from a web search and represent neither ages nor regions evenly; accuracy by group is not known.
- Faces are expected upright, frontal to half profile, cropped as FER2013's are; a detector that frames them otherwise
  costs accuracy.
"""


def publish(run_directory: Path, target: Path, *, half: bool = False) -> None:
    """Copy the recognizer of a finished run to `target` and write `card.json` and `MODEL_CARD.md` beside it.

    Args:
        run_directory: What a run wrote.
        target: The folder to make; a recognizer that is there is replaced, anything else is left alone.
        half: Keep a network's weights as float16 on disk; they are calculated with as float32.

    Raises:
        DataError: the run is not finished, its folder lacks the model, or half the bits answer differently; or
            the target overlaps with the model or holds something other than a recognizer.
        DatasetMissingError: half the bits cannot be judged, as the validation faces are not on this machine.
    """
    result = read_result(run_directory / "result.json")
    model = run_directory / "model"
    header = read_header(model)
    if result.test is None:
        raise DataError(f"{run_directory} was scored on validation only: run it without --validation-only first.")
    if result.gate:
        raise DataError(f"{run_directory} was scored through {result.gate.engine}: publish {run_directory / 'engine'}.")
    check_files(model, header)
    check_target(target, model)
    with tempfile.TemporaryDirectory() as scratch:
        cost = None
        if half:
            model, cost = _halved(model, Path(scratch) / "model", result)
            header = read_header(model)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(model, target)
    info = registry.load(target).info()
    size_bytes = sum((target / name).stat().st_size for name in header.files)
    (target / "card.json").write_text(_json_card(result, header.files), encoding="utf-8")
    card = model_card(result, header.files, info, size_bytes=size_bytes, halving=cost)
    (target / "MODEL_CARD.md").write_text(card, encoding="utf-8")


def _halved(model: Path, copy: Path, result: RunResult) -> tuple[Path, HalvingCost]:
    from ferbench.recognizers.deep.half_weights import (
        MAX_ACCURACY_CHANGE,
        MAX_CHANGED_LABELS,
        halve_weights,
        halving_cost,
    )

    chosen = result.config.dataset
    dataset = registry.create("datasets", chosen.name, chosen.params, seed=result.config.seed)
    faces = dataset.with_classes(result.recognizer.classes).validation
    shutil.copytree(model, copy)
    halve_weights(copy)
    cost = halving_cost(model, copy, faces.images, faces.labels)
    if not cost.is_small:
        raise DataError(
            f"float16 changes too much: {cost}, where {100 * MAX_ACCURACY_CHANGE:g} points and "
            f"{100 * MAX_CHANGED_LABELS:g} % of labels are allowed. Publish without --half."
        )
    return copy, cost


def _json_card(result: RunResult, files: dict[str, str]) -> str:
    splits = {"validation": result.validation, "test": result.test, "clean_test": result.clean_test}
    card = {
        "recognizer": result.recognizer.name,
        "dataset": result.dataset.name,
        "fingerprint": result.dataset.fingerprint,
        "config_hash": result.config_hash,
        "commit": result.environment.commit,
        "sha256": files,
        "accuracy": {name: scores.accuracy for name, scores in splits.items() if scores},
        "macro_f1": {name: scores.macro_f1 for name, scores in splits.items() if scores},
        "log_loss": {name: scores.log_loss for name, scores in splits.items() if scores},
    }
    return json.dumps(card, indent=2) + "\n"


def model_card(
    result: RunResult,
    files: dict[str, str],
    info: RecognizerInfo,
    *,
    size_bytes: int,
    halving: HalvingCost | None = None,
) -> str:
    """The card as Markdown: what it is, data, protocol, scores, cost, intended use, limits, licence.

    Args:
        result: The run's.
        files: sha256 of the recognizer's files by name.
        info: What the recognizer that they hold counts of itself.
        size_bytes: Their size together.
        halving: What float16 weights change, where they were halved.
    """
    environment = result.environment
    choices = ", ".join(f"{key} = {_rounded(value)}" for key, value in result.protocol.choices.items()) or "nothing"
    seconds = f"{result.cost.fit_seconds:,.0f}"
    n_scorings = result.protocol.test_scorings
    scorings = "once" if n_scorings == 1 else f"{n_scorings} times"
    checksums = "\n".join(f"- `{name}` sha256 `{digest}`" for name, digest in files.items())
    return f"""\
# {result.recognizer.name}, trained on {result.dataset.name}

A {result.recognizer.family} recognizer of {", ".join(result.recognizer.classes)} on gray face crops
({result.recognizer.image_size[0]}x{result.recognizer.image_size[1]}; other sizes are resized).
`ferbench.load("{result.recognizer.name}")` loads it offline and runs no code from its files.

## Data and protocol

- Fitted on `Training` ({result.dataset.n_train:,} faces), seed {result.config.seed}; `PublicTest` chose: {choices};
  `PrivateTest` was scored {scorings} (`reports/test_ledger.jsonl`).
- {_learnt_from(result)}
- Dataset fingerprint `{result.dataset.fingerprint}`.
- Configuration `{result.config_hash}`, commit `{environment.commit}`.
- Reproduce: `python -m ferbench run experiments/{result.config.name}.yaml`

## Scores

Validation chose the settings above, so its figures lean to the optimistic side.

| split | faces | accuracy, % [95 % interval] | balanced, % | macro-F1, % | log loss | ECE, % |
|---|---|---|---|---|---|---|
{_score_rows(result)}

| class, test split | recall, % | precision, % | faces |
|---|---|---|---|
{_class_rows(result.test or result.validation)}

## Cost

{_size_lines(info, size_bytes, halving)}

One face {_timing(result)} on
{environment.processor}, {environment.cores}, Python {environment.python}; fitted in {seconds} s.
Absolute times hold for that machine on that day: measure on yours.

## Intended use

Research, teaching, and choosing a recognizer by measurement. It sees a face crop and answers probabilities; it stores
nothing and sends nothing anywhere.

## Limits

{_LIMITS}
## Licence

Weights and code: MIT. The training images are not included and may not be redistributed.

{checksums}
"""


def _learnt_from(result: RunResult) -> str:
    plain = "No test-time augmentation, no ensemble, no other data."
    distill = result.config.distill
    if distill is None:
        return plain
    return (
        f"Taught by `{distill.teacher}` as well as by the labels ({distill.weight:g} of the loss, temperature\n"
        f"  {distill.temperature:g}); it answers alone. {plain}"
    )


def _size_lines(info: RecognizerInfo, size_bytes: int, halving: HalvingCost | None) -> str:
    lines = [f"- {info.n_parameters:,} parameters", f"- {size_bytes:,} bytes on disk ({bytes_text(size_bytes)})"]
    if info.multiply_adds is not None:
        lines.append(f"- {info.multiply_adds:,} multiply-adds a face, counted from the network as it was built")
    if info.receptive_field is not None:
        lines.append(f"- receptive field: {info.receptive_field} x {info.receptive_field} pixels")
    if halving is not None:
        lines.append(f"- weights are float16 on disk, float32 once loaded: {halving}")
        lines.append("- the scores above are those of the float32 weights")
    return "\n".join(lines)


def _score_rows(result: RunResult) -> str:
    splits = {
        "validation (PublicTest)": result.validation,
        "test (PrivateTest)": result.test,
        "clean test (no identical twin in another split)": result.clean_test,
    }
    return "\n".join(
        f"| {name} | {scores.n:,} | {percent_with_interval(scores)} | {100 * scores.balanced_accuracy:.1f} | "
        f"{100 * scores.macro_f1:.1f} | {scores.log_loss:.3f} | {100 * scores.calibration_error:.1f} |"
        for name, scores in splits.items()
        if scores
    )


def _class_rows(scores: Scores) -> str:
    return "\n".join(
        f"| {name} | {100 * entry.recall:.1f} | {100 * entry.precision:.1f} | {entry.support:,} |"
        for name, entry in scores.classes.items()
    )


def _timing(result: RunResult) -> str:
    single = result.cost.latency_at(1)
    if single is None:
        return "not timed"
    return f"{single.p50_ms:.2f} ms p50, {single.p90_ms:.2f} ms p90 (n = {single.n:,} calls)"


def _rounded(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
