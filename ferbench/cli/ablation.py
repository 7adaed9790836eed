"""`ablation`: what each part of a recognizer or of a training recipe is worth, from finished runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from ferbench.cli.commands import Commands
from ferbench.cli.console import out


def add(commands: Commands) -> None:
    """`ablation RUNS_DIR... --to FILE`."""
    parser = commands.add(
        "ablation",
        "Write tables of what each part is worth, from finished runs named by their parts "
        "(feature.encoding.classifier, or group.change beside group.base); validation only.",
        _ablation,
    )
    parser.add_argument(
        "folders",
        nargs="+",
        type=Path,
        metavar="RUNS_DIR",
        help="what run --reports wrote to, e.g. reports/ablation_classical after "
        "run experiments/ablation_classical/*.yaml --validation-only --reports reports/ablation_classical",
    )
    parser.add_argument(
        "--to", type=Path, default=Path("reports/ablation.md"), metavar="FILE", help="(default: %(default)s)"
    )


def _ablation(options: argparse.Namespace) -> int:
    from ferbench.report.ablation import write_ablation

    out.print(f"Written: {write_ablation(options.folders, options.to)}", markup=False, soft_wrap=True)
    return 0
