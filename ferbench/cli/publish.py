"""`publish`: a trained recognizer as a folder to pass on."""

from __future__ import annotations

import argparse
from pathlib import Path

from ferbench.cli.commands import Commands
from ferbench.cli.console import out


def add(commands: Commands) -> None:
    """`publish RUN_OR_EXPORT --to DIR`."""
    parser = commands.add(
        "publish", "Copy a finished run's trained recognizer, or an exported one, with its model card.", _publish
    )
    parser.add_argument(
        "run", type=Path, metavar="RUN_OR_EXPORT", help="e.g. reports/hog_svm/fer2013/seed0, exports/cnn9_litert_int8"
    )
    parser.add_argument("--to", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--half",
        action="store_true",
        help="keep a network's weights as float16; refused where that changes its answers on validation faces",
    )


def _publish(options: argparse.Namespace) -> int:
    from ferbench.cards import publish
    from ferbench.engines.publishing import is_exported, publish_exported

    if is_exported(options.run) and not options.half:
        publish_exported(options.run, options.to)
    else:
        publish(options.run, options.to, half=options.half)
    out.print(f"Published to {options.to}: python -m ferbench evaluate {options.to}")
    return 0
