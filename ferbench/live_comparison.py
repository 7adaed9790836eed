"""Recognizers and detectors compared in the loop, from a configuration to `realtime.json`, a table and a figure.

The faces of a test split are replayed only by way of `protocol.py`, and each scoring of them leaves a line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from ferbench import __version__
from ferbench.config import RealtimeConfig
from ferbench.data.dataset import Dataset
from ferbench.environment import Environment, git_commit
from ferbench.errors import DatasetMissingError
from ferbench.live import open_detectors
from ferbench.protocol import held_out
from ferbench.realtime.agreement import agreements
from ferbench.realtime.comparison import compare, crop_cost
from ferbench.realtime.lineup import Lineup
from ferbench.realtime.record import ComparedPair, RealtimeResult, write_record
from ferbench.realtime.rows import RowLog
from ferbench.realtime.scenes import Scenes, SceneSettings
from ferbench.realtime.summary import RealtimeSummary, summarize
from ferbench.realtime.tables import Rows, read_rows
from ferbench.realtime.true_boxes import TrueBoxes
from ferbench.recognizers.base import ignore_progress
from ferbench.recognizers.header import FILENAME as HEADER
from ferbench.recognizers.header import sha256_of
from ferbench.registry import create, find
from ferbench.report.realtime import draw_realtime, flat_summary, realtime_markdown
from ferbench.results import LedgerLine, note_test_scoring, now, write_whole
from ferbench.tracking.trackers import FinishedRun, NullTracker, Tracker
from ferbench.types import ProgressHook

Notice = Callable[[str], None]


def compare_live(
    config: RealtimeConfig,
    tracker: Tracker | None = None,
    reports: Path = Path("reports"),
    *,
    on_progress: ProgressHook = ignore_progress,
    notice: Notice = lambda text: None,
) -> RealtimeResult:
    """Show every recognizer with every detector the same replayed frames, and write what came of it.

    Args:
        config: Its `comparison` section says which faces; `true_boxes` among the detectors shows what crops cost.
        tracker: Where to track, a run a pair; None: nowhere.
        reports: The result goes to `<reports>/realtime/<name>`, rows to a folder in it, test scorings to the ledger.
        on_progress: Receives progress.
        notice: Receives sentences a person should read.

    Returns:
        What was written to `realtime.json`.

    Raises:
        ConfigError, DataError: it cannot be run as configured.
    """
    settings, commit = config.comparison, git_commit()
    dataset = _open_dataset(settings.dataset, notice)
    faces = held_out(dataset) if settings.split == "test" else dataset.validation
    shown_so = SceneSettings(n_frames=settings.n_frames, frames_per_face=1, surroundings=settings.surroundings)
    scenes = Scenes(faces, dataset.classes, shown_so, seed=config.seed)
    detectors = [detector for _, detector in open_detectors(config).items]
    recognizers = Lineup.of(config.recognizers).items
    directory = reports / "realtime" / config.name
    rows_directory = directory / f"rows-{now():%Y%m%dT%H%M%SZ}"

    def shown(kind: str, n_frames: int, fps: float | None) -> Rows:
        with RowLog(rows_directory / kind) as log:
            compare(
                *(scenes, detectors, recognizers, log),
                n_frames=n_frames,
                block=settings.block,
                fps=fps,
                on_progress=lambda _, done, total: on_progress(f"{kind} frames", done, total),
            )
        return read_rows(rows_directory / kind)

    waiting = shown("waiting", len(scenes), None)
    paced = shown("paced", settings.n_paced, settings.fps) if settings.n_paced else None
    result = RealtimeResult(
        config=config,
        dataset=dataset.card(),
        split=settings.split,
        n_faces=len(scenes),
        face_sizes=scenes.settings.face_sizes,
        recognizers={
            name: sha256_of(find(given) / HEADER)
            for (name, _), given in zip(recognizers, config.recognizers, strict=True)
        },
        detectors={detector.name: repr(detector) for detector in detectors},
        pairs=_pairs(waiting, paced),
        agreements=agreements(waiting),
        environment=Environment.capture(commit),
        created_at=now(),
    )
    if settings.split == "test":
        _note_scorings(result, reports)
    directory.mkdir(parents=True, exist_ok=True)
    write_record(result, directory)
    write_whole(directory / "table.md", realtime_markdown(result) + "\n")
    draw_realtime(result, directory)
    _track(result, tracker or NullTracker(), directory)
    return result


def _open_dataset(name: str | None, notice: Notice) -> Dataset:
    try:
        dataset: Dataset = create("datasets", name or "fer2013")
    except DatasetMissingError as error:
        if name is not None:
            raise
        notice(f"FER2013 IS NOT HERE: RENDERED FACES ARE REPLAYED, WHICH SAY NOTHING ABOUT REAL ONES. {error}")
        dataset = create("datasets", "synthetic")
    return dataset


def _pairs(waiting: Rows, paced: Rows | None) -> tuple[ComparedPair, ...]:
    at_pace = {(summary.recognizer, summary.detector): summary for summary in summarize(paced)} if paced else {}
    summaries = summarize(waiting)
    has_truth = {summary.recognizer for summary in summaries if summary.detector == TrueBoxes.name}

    def cost(summary: RealtimeSummary) -> ComparedPair:
        is_measured = summary.recognizer in has_truth and summary.detector != TrueBoxes.name
        return ComparedPair(
            waiting=summary,
            paced=at_pace.get((summary.recognizer, summary.detector)),
            crop_cost=crop_cost(waiting, summary.recognizer, summary.detector) if is_measured else None,
        )

    return tuple(cost(summary) for summary in summaries)


def _note_scorings(result: RealtimeResult, reports: Path) -> None:
    for pair in result.pairs:
        seen = pair.waiting
        if seen.labelled is None or seen.labelled.accuracy is None:
            continue
        identity = [result.recognizers[seen.recognizer], result.detectors[seen.detector], result.dataset.fingerprint]
        identity += [result.config.comparison.model_dump_json(), __version__.split(".")[0]]
        note_test_scoring(
            reports,
            LedgerLine(
                when=now(),
                reason="realtime",
                config_hash=hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16],
                experiment=f"{result.config.name}.{seen.detector}",
                recognizer=seen.recognizer,
                dataset=result.dataset.name,
                classes=result.dataset.classes,
                seed=result.config.seed,
                n=seen.labelled.accuracy.n,
                accuracy=seen.labelled.accuracy.value,
                clean_accuracy=None,
                commit=git_commit(),
            ),
        )


def _track(result: RealtimeResult, tracker: Tracker, directory: Path) -> None:
    files = [directory / "realtime.json", directory / "realtime.png", directory / "table.md"]
    for pair in result.pairs:
        seen = pair.waiting
        metrics = flat_summary(seen)
        if pair.paced and pair.paced.labelled and pair.paced.labelled.streaming_accuracy:
            metrics["streaming_accuracy"] = pair.paced.labelled.streaming_accuracy.value
        params = {"recognizer": seen.recognizer, "detector": seen.detector, "split": result.split}
        name = f"{seen.recognizer} {seen.detector}"
        tracker.keep(FinishedRun(f"realtime {result.dataset.name}", name, params, metrics, files))
