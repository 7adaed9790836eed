"""A camera loop from a configuration to rows: where sources, detectors, recognizers and the screen are put together."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ferbench.config import RealtimeConfig
from ferbench.data.emotions import classes_of
from ferbench.faces.detectors import FaceDetector
from ferbench.realtime.choice import Choice, free_name
from ferbench.realtime.lineup import Lineup
from ferbench.realtime.prompts import Prompts
from ferbench.realtime.rows import RowLog
from ferbench.realtime.screen import open_screen
from ferbench.realtime.session import Session, SessionSettings
from ferbench.realtime.sources import open_source
from ferbench.realtime.summary import RealtimeSummary, summarize
from ferbench.realtime.swaps import Swaps, swaps
from ferbench.realtime.tables import read_rows
from ferbench.realtime.true_boxes import TrueBoxes
from ferbench.realtime.viewer import Viewer
from ferbench.registry import create
from ferbench.results import now, write_whole

Say = Callable[[str], None]


def open_detectors(config: RealtimeConfig) -> Choice[FaceDetector]:
    """The detectors that a configuration names, the first one current.

    Raises:
        UnknownNameError, ConfigError: there is none of that name, or it takes no such parameter.
    """
    found: dict[str, FaceDetector] = {}
    for component in config.detectors:
        detector = _detector(component.name, component.params, config.seed)
        found[free_name(detector.name, list(found))] = detector
    return Choice("detector", found.items())


def session_directory(config: RealtimeConfig, reports: Path) -> Path:
    """Where a session that begins now puts its rows: a new folder in `<reports>/realtime/<name>`."""
    return reports / "realtime" / config.name / f"session-{now():%Y%m%dT%H%M%SZ}"


def watch(
    config: RealtimeConfig,
    directory: Path,
    settings: SessionSettings = SessionSettings(),  # noqa: B008 - frozen
    *,
    is_headless: bool = False,
    notice: Say = lambda text: None,
    say: Say = lambda text: None,
) -> None:
    """Run the loop until the source ends or the person quits.

    Args:
        config: What to watch, and with what.
        directory: Where rows go as they happen, and pictures if the person asks for them.
        settings: How long, and what happens without keys.
        is_headless: Without a window, also where one could be had.
        notice: Receives sentences a person should read before the first frame.
        say: Receives what happens, and a line a second where there is no window.

    Raises:
        SourceError: the source cannot be opened, or gives nothing any more.
        ConfigError, DataError: it cannot be run as configured, or rows cannot be written; those so far are safe.
    """
    detectors, lineup = open_detectors(config), Lineup.of(config.recognizers)
    source = open_source(config.source.name, config.source.params, seed=config.seed, notice=notice)
    with source, RowLog(directory) as log:
        screen = open_screen(is_headless, "ferbench")
        if screen.notice:
            notice(screen.notice)
        viewer = Viewer(screen, detectors, lineup, directory, certainty=config.certainty, say=say)
        try:
            Session(
                *(source, detectors, lineup, log),
                viewer=viewer,
                settings=settings,
                prompts=open_prompts(config),
            ).run()
        finally:
            viewer.close()


class SessionSummary(NamedTuple):
    """What the rows of a session say: one record each recognizer with each detector, and what swapping cost."""

    pairs: tuple[RealtimeSummary, ...]
    swaps: Swaps


def summarize_session(directory: Path) -> SessionSummary:
    """Work out what the rows of a session say; `summary.json` keeps it.

    Raises:
        DataError: there are no such rows.
    """
    rows = read_rows(directory)
    found = SessionSummary(summarize(rows), swaps(rows))
    records = {"pairs": [pair.model_dump(mode="json") for pair in found.pairs], "swaps": found.swaps.model_dump()}
    write_whole(directory / "summary.json", json.dumps(records, indent=2) + "\n")
    return found


def open_prompts(config: RealtimeConfig) -> Prompts | None:
    """What a person will be asked to show, if anything."""
    asked = config.prompts
    if asked is None:
        return None
    return Prompts(
        classes_of(asked.classes), seconds=asked.seconds, settle=asked.settle, rounds=asked.rounds, seed=config.seed
    )


def _detector(name: str, params: Mapping[str, Any], seed: int) -> FaceDetector:
    if name == TrueBoxes.name:
        return TrueBoxes()
    detector: FaceDetector = create("detectors", name, dict(params), seed=seed)
    return detector
