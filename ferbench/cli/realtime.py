"""`realtime`: recognizers in the camera loop, swapped while it runs; or compared on the same replayed frames."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

from ferbench import registry
from ferbench.cli.commands import Commands, add_reports, add_set
from ferbench.cli.console import import_quietly, notice, out, progress, saved_name
from ferbench.cli.export import add_engine, through_engine
from ferbench.config import RealtimeConfig, load_realtime
from ferbench.errors import ConfigError

_PRIVACY = (
    "The camera is about to open. Every frame is searched for faces, and what their expression looks like is "
    "estimated. All of it stays on this machine; numbers alone are written, to {rows}. P pauses, Q stops."
)


def add(commands: Commands) -> None:
    """`realtime [FILE]`."""
    parser = commands.add(
        "realtime",
        "Watch recognizers in the camera loop and swap them while it runs; or compare them on the same frames.",
        _realtime,
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="a YAML file, e.g. experiments/realtime.yaml")
    parser.add_argument("--recognizers", metavar="A,B,C", help="shipped names or folders, the first one first")
    parser.add_argument("--detector", "--detectors", metavar="A,B", help="haar, yunet, mtcnn, whole_frame")
    add_engine(parser)
    parser.add_argument("--source", metavar="SOURCE", help="camera number, video, folder, URL, or replay (default: 0)")
    parser.add_argument("--headless", action="store_true", help="no window: print a line a second")
    parser.add_argument(
        "--compare", action="store_true", help="all recognizers and detectors on the same replayed frames"
    )
    parser.add_argument("--prompt", action="store_true", help="ask a person to show emotions, which labels the frames")
    parser.add_argument("--swap-every", type=float, metavar="SECONDS", help="the next recognizer after so long")
    parser.add_argument("--frames", type=int, metavar="N", help="stop after so many frames")
    parser.add_argument("--seconds", type=float, metavar="S", help="stop after so long")
    parser.add_argument("--yes", action="store_true", help="do not ask before the camera opens")
    add_set(parser, "override, e.g. certainty=0.5 or comparison.split=test")
    add_reports(parser)


def _realtime(options: argparse.Namespace) -> int:
    config = load_realtime(options.file, [*_overrides(options), *options.set])
    recognizers = tuple(through_engine(name, options.engine) for name in config.recognizers)
    config = config.model_copy(update={"recognizers": recognizers})
    for name in config.recognizers:
        import_quietly(saved_name(name))
    return _compare(config, options) if options.compare else _watch(config, options)


def _overrides(options: argparse.Namespace) -> list[str]:
    """Flags as they would stand in the file."""
    found = []
    if options.recognizers:
        found.append(f"recognizers={json.dumps(_words(options.recognizers))}")
    if options.detector:
        found.append(f"detectors={json.dumps([{'name': name} for name in _words(options.detector)])}")
    if options.source is not None:
        found.append(f"source={json.dumps({'name': options.source})}")
    if options.prompt:
        found.append("prompts={}")
    return found


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _compare(config: RealtimeConfig, options: argparse.Namespace) -> int:
    from ferbench.live_comparison import compare_live
    from ferbench.report.realtime import realtime_table

    tracker = registry.create("trackers", config.tracking.name, config.tracking.params)
    with progress() as show:
        result = compare_live(config, tracker, options.reports, on_progress=show, notice=notice)
    out.print(realtime_table(result))
    out.print(f"Written to {options.reports / 'realtime' / config.name}. Compare runs: python -m ferbench ui")
    return 0


def _watch(config: RealtimeConfig, options: argparse.Namespace) -> int:
    from ferbench.live import session_directory, watch
    from ferbench.realtime.session import SessionSettings
    from ferbench.realtime.sources import is_live

    settings = SessionSettings(
        smoothing=config.smoothing,
        swap_seconds=options.swap_every,
        max_frames=options.frames,
        max_seconds=options.seconds,
    )
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    directory = session_directory(config, options.reports)
    if is_live(config.source.name) and not options.yes:
        _ask(_PRIVACY.format(rows=directory))
    try:
        watch(config, directory, settings, is_headless=options.headless, notice=notice, say=_say)
    finally:
        if (directory / "frames.csv").is_file():
            _report(config.source.name, directory)
    return 0


def _report(source: str, directory: Path) -> None:
    from ferbench.live import summarize_session
    from ferbench.report.realtime import summary_table

    summary = summarize_session(directory)
    out.print(summary_table(source, summary.pairs))
    swaps = summary.swaps
    if swaps.n:
        out.print(
            f"{swaps.n} swaps: longest gap from one result to the next {swaps.longest_ms:.0f} ms, "
            f"{swaps.n_dropped} frames dropped in those gaps."
        )
    out.print(f"Rows and summary: {directory}")


def _say(text: str) -> None:
    out.print(text, markup=False, soft_wrap=True)


def _ask(text: str) -> None:
    notice(text)
    if sys.stdin is None or not sys.stdin.isatty():
        raise ConfigError("Nobody is there to agree to the camera: --yes agrees in a script.")
    if input("Open the camera? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise ConfigError("The camera stays closed: --source replay needs none.")
