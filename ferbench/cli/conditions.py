"""`conditions`: accuracy on drawn faces as heads turn, light moves aside and faces are covered."""

from __future__ import annotations

import argparse
from pathlib import Path

from ferbench.cli.commands import Commands
from ferbench.cli.console import import_quietly, out, progress, saved_name


def add(commands: Commands) -> None:
    """`conditions RUN_DIR... --to PATH`."""
    parser = commands.add(
        "conditions", "Score runs on drawn faces as heads turn, light moves aside and faces are covered.", _conditions
    )
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN_DIR", help="a run on synthetic, e.g. reports/cnn9/synthetic/seed0"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the faces (default: %(default)s)")
    parser.add_argument(
        "--to", type=Path, default=Path("reports/conditions"), metavar="PATH", help="(default: %(default)s)"
    )


def _conditions(options: argparse.Namespace) -> int:
    for run in options.runs:
        import_quietly(saved_name(run))
    from ferbench.conditions import measure_conditions
    from ferbench.report.conditions import order_markdown, write_conditions

    with progress() as show:
        result = measure_conditions(options.runs, seed=options.seed, on_progress=show)
    written = write_conditions(result, options.to)
    out.print(order_markdown(result), markup=False)
    for path in written:
        out.print(f"Written: {path}")
    return 0
