"""What the command line accepts. Nothing is done here: `cli.py` does what `options.command` names."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ferbench import __version__


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; `options.command` is the one chosen, "data prepare" for an action of `data`."""
    parser = argparse.ArgumentParser(prog="ferbench", description="Benchmark facial-expression recognizers.")
    parser.add_argument("--version", action="version", version=f"ferbench {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, text: str, parent: Any = commands, prefix: str = "") -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = parent.add_parser(name, help=text, description=text, parents=[common])
        added.set_defaults(command=f"{prefix}{name}")
        return added

    run = command("run", "Run experiments from YAML files: fit, choose on validation, score the test split once.")
    run.add_argument("files", nargs="+", metavar="FILE", help="an experiment's YAML file")
    run.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override, e.g. training.epochs=1")
    run.add_argument("--seeds", nargs="+", type=int, metavar="SEED", help="run every file with each of these seeds")
    run.add_argument("--resume", action="store_true", help="go on from the checkpoint of an interrupted training")
    run.add_argument("--force", action="store_true", help="fit again although the same configuration is finished")
    run.add_argument("--validation-only", action="store_true", help="leave the test split alone (development)")
    _add_reports(run)

    evaluate = command("evaluate", "Score a trained recognizer on a dataset.")
    evaluate.add_argument("recognizer", metavar="NAME_OR_DIR", help="a shipped name, or a folder that a run wrote")
    evaluate.add_argument("--dataset", default="fer2013", help="a registered dataset (default: %(default)s)")
    evaluate.add_argument(
        "--split", choices=("validation", "test"), default="validation", help="test is noted in the ledger"
    )
    _add_reports(evaluate)
    _add_json(evaluate)

    predict = command("predict", "Tell the emotion on face crops of any size.")
    predict.add_argument("images", nargs="+", metavar="IMAGE", help="a picture file showing one cropped face")
    predict.add_argument("--recognizer", default="cnn9", metavar="NAME_OR_DIR", help="(default: %(default)s)")
    _add_json(predict)

    _add_json(command("list", "List what is registered, without importing it."))

    check = command("check", "Check a registered recognizer against the contract that all of them keep.")
    check.add_argument("name", metavar="NAME")
    _add_json(check)

    data = commands.add_parser(
        "data", help="Prepare and inspect datasets.", description="Prepare and inspect datasets."
    )
    actions = data.add_subparsers(title="actions", required=True, metavar="ACTION")
    prepare = command("prepare", "Read a dataset's own files once into a compact cache.", actions, "data ")
    prepare.add_argument("name", metavar="NAME", help="fer2013, ferplus, ... (python -m ferbench list: preparers)")
    prepare.add_argument(
        "path",
        type=Path,
        metavar="PATH",
        help="fer2013: fer2013.csv, icml_face_data.csv (also .gz .xz .zip .tar.gz) or the folder with train and test; "
        "ferplus: fer2013new.csv; other sets: their folder",
    )
    prepare.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a parameter of the preparer")
    info = command("info", "Counts by split and class, fingerprint and place.", actions, "data ")
    info.add_argument("name", nargs="?", default="fer2013", metavar="NAME", help="(default: %(default)s)")
    _add_json(info)
    audit = command(
        "audit", "Look for duplicates, leaks between splits, conflicting labels and blank images.", actions, "data "
    )
    audit.add_argument("name", nargs="?", default="fer2013", metavar="NAME", help="(default: %(default)s)")
    audit.add_argument(
        "--sheet", action="store_true", help="draw what was found; it shows faces, so it stays out of the repository"
    )
    _add_json(audit)
    export = command("export", "Write a prepared dataset back to picture folders, or to a csv.", actions, "data ")
    export.add_argument("name", metavar="NAME")
    export.add_argument("target", type=Path, metavar="TARGET", help="a folder; or a file that ends in .csv or .csv.gz")

    ui = command("ui", "Start MLflow's own UI on the tracked runs, on 127.0.0.1.")
    ui.add_argument("--port", type=int, default=5000, help="(default: %(default)s)")
    ui.add_argument("--uri", help="tracking URI (default: MLFLOW_TRACKING_URI or sqlite:///mlflow.db)")

    publish = command("publish", "Copy a finished run's trained recognizer, with a model card, to a folder.")
    publish.add_argument("run", type=Path, metavar="RUN_DIR", help="e.g. reports/hog_svm/fer2013/seed0")
    publish.add_argument("--to", type=Path, required=True, metavar="DIR")
    return parser


def _add_reports(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reports", type=Path, default=Path("reports"), metavar="DIR", help="(default: %(default)s)")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON for a machine to read")
