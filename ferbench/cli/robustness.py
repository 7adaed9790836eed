"""`robustness`: trained recognizers on corrupted validation faces."""

from __future__ import annotations

import argparse
from pathlib import Path

from ferbench.cli.commands import Commands
from ferbench.cli.console import import_quietly, notice, out, progress, saved_name


def add(commands: Commands) -> None:
    """`robustness NAME_OR_DIR...`."""
    parser = commands.add(
        "robustness",
        "Score trained recognizers on validation faces under thirteen corruptions in five severities.",
        _robustness,
    )
    parser.add_argument(
        "recognizers", nargs="+", metavar="NAME_OR_DIR", help="shipped names, or folders that runs wrote"
    )
    parser.add_argument("--dataset", default="fer2013", help="a registered dataset (default: %(default)s)")
    parser.add_argument(
        "--faces", type=int, metavar="N", help="at most so many, whole groups drawn by the seed (default: all)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of faces and corruption (default: %(default)s)")
    parser.add_argument(
        "--to",
        type=Path,
        default=Path("reports/robustness"),
        metavar="DIR",
        help="gets DATASET.json, which the report shows (default: %(default)s)",
    )
    parser.add_argument(
        "--mlflow",
        action="store_true",
        help="keep it in the store of MLFLOW_TRACKING_URI too, with the run of each recognizer",
    )


def _robustness(options: argparse.Namespace) -> int:
    for recognizer in options.recognizers:
        import_quietly(saved_name(recognizer))
    from ferbench.report.robustness import robustness_table, write_robustness
    from ferbench.robustness import measure_robustness
    from ferbench.tracking.mlflow_runs import MlflowTracker, keep_robustness

    with progress() as show:
        found = measure_robustness(
            options.recognizers, options.dataset, n_faces=options.faces, seed=options.seed, on_progress=show
        )
    path = write_robustness(found, options.to)
    out.print(robustness_table(found))
    out.print(f"Written: {path}", markup=False, soft_wrap=True)
    if options.mlflow:
        own = keep_robustness(found, MlflowTracker(), [path])
        if own:
            notice(f"MLflow has no finished run of these weights: {', '.join(own)}. Each got a run of its own.")
    return 0
