"""The gate: what an exported recognizer loses against the one it came from, measured on validation and judged."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from ferbench.data.dataset import Split
from ferbench.engines.engine import Precision
from ferbench.errors import DataError
from ferbench.metrics import Scores, score
from ferbench.recognizers.base import Recognizer
from ferbench.types import Images, Labels
from ferbench.validation import explain

FILENAME = "gate.json"
_PAIRS, _FACES_A_TURN = 20, 10


class Record(BaseModel):
    """Base of what is written: nothing unknown, nothing changed afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Tolerances(Record):
    """What may be lost; None: anything. Shares are 0 to 1.

    Attributes:
        max_difference: Largest difference of any probability.
        agreement: Least share of faces with the same most probable class.
        accuracy_loss: Most accuracy lost.
        macro_f1_loss: Most macro-F1 lost.
        calibration_loss: Most that the expected calibration error may grow.
    """

    max_difference: float | None = None
    agreement: float | None = None
    accuracy_loss: float | None = None
    macro_f1_loss: float | None = None
    calibration_loss: float | None = None


_WHOLE = Tolerances(accuracy_loss=0.005, macro_f1_loss=0.01, calibration_loss=0.02)

TOLERANCES: dict[Precision, Tolerances] = {
    "float32": Tolerances(max_difference=1e-4, agreement=1.0),
    "float16": Tolerances(
        max_difference=0.02, agreement=0.995, accuracy_loss=0.002, macro_f1_loss=0.005, calibration_loss=0.005
    ),
    "int8": _WHOLE,
    "int8_dynamic": _WHOLE,
}


class Quality(Record):
    """Scores of one recognizer."""

    accuracy: float
    macro_f1: float
    log_loss: float
    calibration_error: float


class Verdict(Record):
    """What was measured on `n` validation faces of `dataset`, against what, and which tolerances it broke.

    `latency_ratio` is the exported recognizer's time for one face divided by the reference's: the median over
    interleaved pairs, with the middle 95 % of resampled medians. Time is the clock's, in the oldest verdicts the
    processor's.
    """

    format: Literal[1] = 1
    passed: bool
    failures: tuple[str, ...]
    source: str
    engine: str
    precision: Precision
    threads: int
    dataset: str
    n: int
    tolerances: Tolerances
    max_difference: float
    agreement: float
    reference: Quality
    exported: Quality
    latency_ratio: float
    latency_ratio_interval: tuple[float, float]


class Reference:
    """The recognizer that was exported, and what it answers on validation: asked once for all engines."""

    def __init__(self, recognizer: Recognizer, dataset: str, split: Split) -> None:
        self.recognizer = recognizer
        self.dataset = dataset
        self.images: Images = np.asarray(split.images)
        self.labels: Labels = split.labels
        self.probabilities = recognizer.predict_proba(self.images)
        self.scores = score(self.labels, self.probabilities, recognizer.classes)


def judge(
    reference: Reference,
    exported: Recognizer,
    *,
    engine: str,
    precision: Precision,
    threads: int = 1,
) -> Verdict:
    """Measure `exported` against its reference and hold it to the tolerances of its precision."""
    probabilities = exported.predict_proba(reference.images)
    scores = score(reference.labels, probabilities, exported.classes)
    difference = float(np.abs(probabilities - reference.probabilities).max())
    agreement = float(np.mean(probabilities.argmax(axis=1) == reference.probabilities.argmax(axis=1)))
    failures = _failures(TOLERANCES[precision], difference, agreement, reference.scores, scores)
    ratio, interval = _latency_ratio(reference, exported)
    return Verdict(
        passed=not failures,
        failures=failures,
        source=reference.recognizer.name,
        engine=engine,
        precision=precision,
        threads=threads,
        dataset=reference.dataset,
        n=len(reference.images),
        tolerances=TOLERANCES[precision],
        max_difference=difference,
        agreement=agreement,
        reference=_quality(reference.scores),
        exported=_quality(scores),
        latency_ratio=ratio,
        latency_ratio_interval=interval,
    )


def write_verdict(verdict: Verdict, directory: Path) -> None:
    """Write `gate.json` beside the exported recognizer, as a whole."""
    partial = directory / f".{FILENAME}-{uuid.uuid4().hex}"
    partial.write_text(verdict.model_dump_json(indent=2) + "\n", encoding="utf-8")
    partial.replace(directory / FILENAME)


def read_verdict(directory: Path) -> Verdict | None:
    """What the gate said of an exported recognizer; None where it has not been asked.

    Raises:
        DataError: `gate.json` is damaged.
    """
    path = directory / FILENAME
    if not path.is_file():
        return None
    try:
        return Verdict.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise DataError(f"{path} is damaged: {explain(error, Verdict)}") from error


def _failures(
    allowed: Tolerances, difference: float, agreement: float, before: Scores, after: Scores
) -> tuple[str, ...]:
    losses = (
        ("accuracy", before.accuracy - after.accuracy, allowed.accuracy_loss),
        ("macro-F1", before.macro_f1 - after.macro_f1, allowed.macro_f1_loss),
        ("calibration", after.calibration_error - before.calibration_error, allowed.calibration_loss),
    )
    failures = [
        f"{name} lost {100 * lost:.2f} points, {100 * most:.2f} are allowed"
        for name, lost, most in losses
        if most is not None and lost > most
    ]
    if allowed.max_difference is not None and difference > allowed.max_difference:
        failures.append(f"a probability differs by {difference:.2g}, {allowed.max_difference:g} is allowed")
    if allowed.agreement is not None and agreement < allowed.agreement:
        failures.append(f"{100 * agreement:.2f} % of labels agree, {100 * allowed.agreement:g} % are asked for")
    return tuple(failures)


def _quality(scores: Scores) -> Quality:
    return Quality(**{name: getattr(scores, name) for name in Quality.model_fields})


def _latency_ratio(reference: Reference, exported: Recognizer) -> tuple[float, tuple[float, float]]:
    faces = [reference.images[row : row + 1] for row in range(min(len(reference.images), _FACES_A_TURN))]
    ratios = []
    for pair in range(-1, _PAIRS):  # the first one warms up
        order = (reference.recognizer, exported) if pair % 2 else (exported, reference.recognizer)
        seconds = {recognizer: _median_seconds(recognizer, faces) for recognizer in order}
        if pair >= 0:
            ratios.append(seconds[exported] / max(seconds[reference.recognizer], 1e-9))
    medians = np.median(np.random.default_rng(0).choice(ratios, (2000, _PAIRS)), axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    return float(np.median(ratios)), (float(low), float(high))


def _median_seconds(recognizer: Recognizer, faces: list[Images]) -> float:
    """By the clock: processor time would charge several threads, and count none that waits."""
    seconds = []
    for face in faces:
        start = time.perf_counter()
        recognizer.predict_proba(face)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))
