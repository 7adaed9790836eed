"""The command line: reads arguments, calls the library, prints. The only file that prints or decides an exit code.

Exit codes: 0 done, 1 a check failed, 2 bad input or configuration, 130 interrupted.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ferbench import registry
from ferbench.arguments import build_parser
from ferbench.errors import ConfigError, FerbenchError, RunFailedError

_WIDTH = None if sys.stdout.isatty() else 160
out = Console(highlight=False, width=_WIDTH)
err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 160)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: As on the command line; None: those of this process.

    Returns:
        The exit code.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = build_parser().parse_args(arguments)
    try:
        return _COMMANDS[options.command](options)
    except KeyboardInterrupt:
        _complain("interrupted.")
        return 130
    except FerbenchError as error:
        if options.debug:
            traceback.print_exc()
        _complain(str(error))
        return 1 if isinstance(error, RunFailedError) else 2
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - nobody reads on: nothing is left to flush
        return 0
    except OSError as error:
        if options.debug or error.strerror is None:
            raise
        _complain(f"{error.filename or 'the disk'}: {error.strerror}.")
        return 2


def _run(options: argparse.Namespace) -> int:
    seeds = options.seeds if options.seeds is not None else [None]
    jobs = [(file, seed) for file in options.files for seed in seeds]
    if len(jobs) > 1:
        return _run_each(options, jobs)
    file, seed = jobs[0]
    overrides = [*options.set, *([] if seed is None else [f"seed={seed}"])]

    from ferbench import experiment
    from ferbench.config import load_experiment
    from ferbench.report.tables import results_table, scores_table
    from ferbench.results import result_directory

    config = load_experiment(file, overrides)
    _import_quietly(config.recognizer.name)
    tracker = registry.create("trackers", config.tracking.name, config.tracking.params)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with _progress() as show:
        result = experiment.run(
            config,
            tracker,
            options.reports,
            resume=options.resume,
            force=options.force,
            validation_only=options.validation_only,
            on_epoch=_print_epoch,
            on_progress=show,
            notice=_notice,
        )
    split, scores = ("test", result.test) if result.test else ("validation", result.validation)
    out.print(scores_table(f"{result.title}, {split} split", scores))
    out.print(results_table([result]))
    where = result_directory(options.reports, result.config)
    out.print(f"Written to {where}. Compare runs: python -m ferbench ui")
    return 0


def _run_each(options: argparse.Namespace, jobs: list[tuple[str, int | None]]) -> int:
    """One process an experiment: a framework's threads and memory stay out of the next one's figures."""
    from ferbench.config import load_experiment
    from ferbench.report.tables import results_table
    from ferbench.results import read_result, result_directory

    for file, _ in jobs:
        load_experiment(file, options.set)
    flags = [
        f"--{flag.replace('_', '-')}"
        for flag in ("resume", "force", "validation_only", "debug")
        if getattr(options, flag)
    ]
    failed, results = [], []
    for file, seed in jobs:
        overrides = [*options.set, *([] if seed is None else [f"seed={seed}"])]
        arguments = [file, "--reports", str(options.reports), *flags]
        for override in overrides:
            arguments += ["--set", override]
        code = subprocess.run([sys.executable, "-m", "ferbench", "run", *arguments], check=False).returncode
        if code:
            failed.append(f"{file}{'' if seed is None else f' seed {seed}'} (exit code {code})")
            continue
        config = load_experiment(file, overrides)
        wanted = [config.dataset, *([config.dataset.fallback] if config.dataset.fallback else [])]
        used = [config.model_copy(update={"dataset": dataset}) for dataset in wanted]
        paths = [result_directory(options.reports, one) / "result.json" for one in used]
        newest = max((path for path in paths if path.exists()), key=lambda path: path.stat().st_mtime)
        results.append(read_result(newest))
    if results:
        out.print(results_table(results))
    if failed:
        raise RunFailedError(f"{len(failed)} of {len(jobs)} experiments did not finish: {'; '.join(failed)}.")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    _import_quietly(_saved_name(options.recognizer))
    from ferbench.experiment import evaluate
    from ferbench.report.tables import scores_table

    scores = evaluate(options.recognizer, options.dataset, split=options.split, reports=options.reports)
    if options.json:
        _print_json(
            {
                "recognizer": options.recognizer,
                "dataset": options.dataset,
                "split": options.split,
                **scores.model_dump(),
            }
        )
    else:
        out.print(scores_table(f"{options.recognizer} on {options.dataset}, {options.split} split", scores))
    return 0


def _predict(options: argparse.Namespace) -> int:
    import numpy as np

    from ferbench.data.images import read_gray, resize
    from ferbench.errors import DataError
    from ferbench.report.tables import predictions_table

    _import_quietly(_saved_name(options.recognizer))
    recognizer = registry.load(options.recognizer)
    faces, read, failures = [], [], []
    for path in options.images:
        try:
            faces.append(resize(read_gray(path)[None], recognizer.image_size)[0])
            read.append(path)
        except DataError as error:
            failures.append(str(error))
    height, width = recognizer.image_size
    prediction = recognizer.predict(np.stack(faces) if faces else np.empty((0, height, width), np.uint8))
    rows = [
        {
            "image": path,
            "emotion": name,
            "confidence": round(float(confidence), 4),
            "probabilities": {c: round(float(p), 4) for c, p in zip(recognizer.classes, row, strict=True)},
        }
        for path, name, confidence, row in zip(
            read, prediction.names, prediction.confidence, prediction.probabilities, strict=True
        )
    ]
    if options.json:
        _print_json(rows)
    elif rows:
        out.print(predictions_table(rows, recognizer.classes))
    for failure in failures:
        _complain(failure)
    return 2 if failures else 0


def _list(options: argparse.Namespace) -> int:
    listing: dict[str, Any] = {
        kind: registry.names(kind) for kind in ("recognizers", "datasets", "preparers", "trackers")
    }
    listing["weights"] = registry.shipped()
    if options.json:
        _print_json(listing)
        return 0
    for kind, names in listing.items():
        out.print(f"[bold]{kind}[/bold]" + (" (trained, in the package)" if kind == "weights" else ""))
        for name in names:
            out.print(f"  {name}")
    return 0


def _check(options: argparse.Namespace) -> int:
    _import_quietly(options.name)
    from ferbench.checks import Outcome, check_recognizer

    def show(outcome: Outcome) -> None:
        if not options.json:
            mark = "[green]passed[/green]" if outcome.failure is None else "[red]FAILED[/red]"
            out.print(
                f"{mark}  {outcome.check.replace('_', ' ')}" + (f": {outcome.failure}" if outcome.failure else "")
            )

    outcomes = check_recognizer(options.name, show)
    n_failed = sum(outcome.failure is not None for outcome in outcomes)
    if options.json:
        _print_json([outcome._asdict() for outcome in outcomes])
    else:
        out.print(f"{len(outcomes) - n_failed} of {len(outcomes)} checks passed.")
    return 1 if n_failed else 0


def _data_prepare(options: argparse.Namespace) -> int:
    from ferbench.config import assignments
    from ferbench.data.pictures import read_problems

    ours = ("path", "votes_csv", "on_progress", "notice", "crop", "counts")  # not for a user to set
    prepare = registry.get("preparers", options.name)
    params = registry.resolve("preparers", options.name, assignments(options.set), given=ours)
    if "notice" in inspect.signature(prepare).parameters:
        params["notice"] = _notice
    with _progress() as show:
        place = prepare(options.path, on_progress=show, **params)
    out.print(f"Prepared: {place}")
    problems = read_problems(place)
    if problems:
        _notice(f"Pictures left out, as they could not be used: {len(problems)}, named in {place / 'unreadable.txt'}.")
    if place.name in registry.names("datasets"):
        _data_info(argparse.Namespace(name=place.name, json=False))
    return 0


def _data_audit(options: argparse.Namespace) -> int:
    from ferbench.data.audit import audit
    from ferbench.data.dataset import data_home
    from ferbench.report.audit import audit_tables, contact_sheet

    dataset = registry.create("datasets", options.name)
    with _progress() as show:
        found = audit(dataset, on_progress=show)
    pages = contact_sheet(dataset, found, data_home() / "audits" / dataset.name) if options.sheet else []
    if options.json:
        _print_json({**found.model_dump(mode="json"), "sheets": [str(page) for page in pages]})
        return 0
    out.print(*audit_tables(found))
    for page in pages:
        out.print(str(page), soft_wrap=True)
    return 0


def _data_export(options: argparse.Namespace) -> int:
    from ferbench.data.export import export_csv, export_folder

    dataset = registry.create("datasets", options.name)
    export = export_csv if options.target.name.endswith((".csv", ".csv.gz")) else export_folder
    with _progress() as show:
        export(dataset, options.target, on_progress=show)
    out.print(f"Written: {options.target}")
    return 0


def _data_info(options: argparse.Namespace) -> int:
    from ferbench.data.dataset import data_home
    from ferbench.report.tables import dataset_table

    card = registry.create("datasets", options.name).card()
    folder = "ferplus" if card.name.startswith("ferplus_") else card.name
    place = "drawn in memory" if card.is_synthetic else str(data_home() / "datasets" / folder)
    if options.json:
        _print_json({**card.model_dump(), "place": place})
    else:
        out.print(dataset_table(card, place))
    return 0


def _ui(options: argparse.Namespace) -> int:
    from ferbench.tracking import connect, newest_experiment, tracking_uri

    uri, port = tracking_uri(options.uri), options.port
    if uri.startswith(("http://", "https://")):
        raise ConfigError(f"The runs at {uri} have a server already: open this address in a browser.")
    is_missing = uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists()
    experiment = None if is_missing else newest_experiment(connect(uri))
    if experiment is None:
        raise ConfigError(f"There are no runs yet at {uri}: run an experiment first, or give --uri.")
    _check_port(port)
    address = ("--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--uvicorn-opts", "--log-level=warning")
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_LOGGING_LEVEL": "ERROR", "PYTHONWARNINGS": "ignore"}
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(getattr(signal, name), lambda number, frame: sys.exit(128 + number))
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri, *address],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **quiet},
    )
    try:
        while server.poll() is None and not _answers(port):
            time.sleep(0.2)
        page = f"http://127.0.0.1:{port}/#/experiments/{experiment}/runs?workflowType=machine_learning"
        if server.poll() is None:
            _notice(f"MLflow's UI: {page}\nSelect runs, then Compare. Ctrl-C stops it.")
        return server.wait()
    finally:
        _stop(server)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "ports go up to 65535"
            raise ConfigError(f"Port {port} cannot be used ({reason}): give another with --port.") from error


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ask a process and its children to stop, then make them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not hasattr(os, "killpg"):
        server.terminate()
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(server.pid, number)
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=5)


def _publish(options: argparse.Namespace) -> int:
    from ferbench.cards import publish

    publish(options.run, options.to)
    out.print(f"Published to {options.to}: python -m ferbench evaluate {options.to}")
    return 0


def _saved_name(name_or_directory: str) -> str:
    from ferbench.recognizers.header import read_header

    return read_header(registry.find(name_or_directory)).name


def _import_quietly(name: str) -> None:
    """Import a recognizer's class while TensorFlow's notices, which heed no log level, go nowhere."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            registry.get("recognizers", name)
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def _progress() -> Iterator[Any]:
    """A hook that shows what is being done, how far, and the time left; silent where nobody watches."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    bars = Progress(
        *columns, TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), console=err, transient=True
    )
    task: TaskID = bars.add_task("", visible=False)
    current = 0

    def show(stage: str, done: int, total: int) -> None:
        nonlocal current
        if total != current:  # another kind of work: its pace says nothing about the last one's
            bars.reset(task, total=total, visible=True)
            current = total
        bars.update(task, description=stage, completed=done)

    with bars:
        yield show if err.is_terminal else lambda stage, done, total: None


def _print_epoch(epoch: int, values: Mapping[str, float]) -> None:
    err.print(f"{epoch:>4}  " + "  ".join(f"{key} {value:.4g}" for key, value in values.items()))


def _notice(text: str) -> None:
    err.print(text, style="bold yellow", soft_wrap=True, markup=False)


def _complain(text: str) -> None:
    err.print(f"ferbench: {text}", style="red", soft_wrap=True, markup=False)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "evaluate": _evaluate,
    "predict": _predict,
    "list": _list,
    "check": _check,
    "data prepare": _data_prepare,
    "data info": _data_info,
    "data audit": _data_audit,
    "data export": _data_export,
    "ui": _ui,
    "publish": _publish,
}
