"""`publish`: a trained recognizer as a folder to pass on."""

from __future__ import annotations

import argparse
from pathlib import Path

from ferbench.cli.commands import Commands
from ferbench.cli.console import out


def add(commands: Commands) -> None:
    """`publish RUN_DIR --to DIR`."""
    parser = commands.add(
        "publish", "Copy a finished run's trained recognizer, with a model card, to a folder.", _publish
    )
    parser.add_argument("run", type=Path, metavar="RUN_DIR", help="e.g. reports/hog_svm/fer2013/seed0")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR")


def _publish(options: argparse.Namespace) -> int:
    from ferbench.cards import publish

    publish(options.run, options.to)
    out.print(f"Published to {options.to}: python -m ferbench evaluate {options.to}")
    return 0
