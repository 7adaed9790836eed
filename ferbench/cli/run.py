"""`run`: experiments from YAML files."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys

from ferbench import registry
from ferbench.cli.commands import Commands, add_reports, add_set
from ferbench.cli.console import import_quietly, notice, out, print_epoch, progress
from ferbench.errors import RunFailedError


def add(commands: Commands) -> None:
    """`run FILE...`."""
    parser = commands.add(
        "run",
        "Run experiments from YAML files: fit, choose on validation, score the test split once. A file with a search: "
        "section tries the settings in it first, on validation alone (extra `search`).",
        _run,
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="an experiment's YAML file")
    add_set(parser, "override, e.g. training.epochs=1")
    parser.add_argument("--seeds", nargs="+", type=int, metavar="SEED", help="run every file with each of these seeds")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint of an interrupted training")
    parser.add_argument("--force", action="store_true", help="fit again although the same configuration is finished")
    parser.add_argument("--validation-only", action="store_true", help="leave the test split alone (development)")
    add_reports(parser)


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
    from ferbench.tuning import search

    config = load_experiment(file, overrides)
    import_quietly(config.recognizer.name)
    tracker = registry.create("trackers", config.tracking.name, config.tracking.params)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with progress() as show:
        if config.search:
            config = search(config, tracker, options.reports, on_progress=show, notice=notice)
        result = experiment.run(
            config,
            tracker,
            options.reports,
            resume=options.resume,
            force=options.force,
            validation_only=options.validation_only,
            on_epoch=print_epoch,
            on_progress=show,
            notice=notice,
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
