"""`export`: a trained network as a folder that an engine runs without Keras; and `--engine` of other commands."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from rich.table import Table

from ferbench import registry
from ferbench.cli.commands import Commands
from ferbench.cli.console import complain, notice, out, print_json, quietly
from ferbench.engines.engine import Precision

if TYPE_CHECKING:
    from ferbench.engines.gate import Quality, Verdict


def add(commands: Commands) -> None:
    """`export NAME_OR_DIR --to FORMAT`."""
    parser = commands.add(
        "export",
        "Convert a trained network for a faster engine, and hold it to a gate: what it loses, what it gains.",
        _export,
        json=True,
    )
    parser.add_argument("recognizer", metavar="NAME_OR_DIR", help="a shipped name, or a folder that a run wrote")
    parser.add_argument("--to", required=True, metavar="FORMAT", help="onnx, litert or openvino, each an extra")
    precision = parser.add_mutually_exclusive_group()
    precision.add_argument(
        "--precision",
        choices=get_args(Precision),
        default="float32",
        help="float16: weights alone; int8: everything, calibrated on training faces; int8_dynamic (litert): weights, "
        "and values inside heavy layers, which loses less (default: %(default)s)",
    )
    precision.add_argument(
        "--int8", action="store_const", const="int8", dest="precision", help="the same as --precision int8"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="(default: exports/NAME_FORMAT_PRECISION)")
    parser.add_argument("--dataset", metavar="NAME", help="calibrates and judges (default: what it was trained on)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads a call (default: %(default)s)")


def add_engine(parser: argparse.ArgumentParser) -> None:
    """`--engine NAME`, for commands that take a trained recognizer."""
    parser.add_argument(
        "--engine",
        metavar="NAME",
        help="answer through litert, onnxruntime, openvino or keras; auto: the fastest that passes its gate",
    )


def through_engine(name_or_directory: str, engine: str | None) -> str:
    """What to load in a recognizer's place so that it answers through an engine; None: itself."""
    if engine is None:
        return name_or_directory
    with quietly():
        from ferbench.engines.choice import through

        return str(through(name_or_directory, engine))


def _export(options: argparse.Namespace) -> int:
    notice(f"Converting {options.recognizer} takes up to a few minutes.")
    registry.find(options.recognizer)
    with nullcontext() if options.debug else quietly():
        from ferbench.engines.exporting import export

        directory, verdict = export(
            options.recognizer,
            options.to,
            precision=options.precision,
            out=options.out,
            dataset=options.dataset,
            threads=options.threads,
        )
    if options.json:
        print_json({"directory": str(directory), **verdict.model_dump(mode="json")})
    else:
        out.print(_table(verdict))
        out.print(_summary(verdict))
        out.print(f"Written to {directory}: python -m ferbench evaluate {directory}")
    if verdict.passed:
        return 0
    complain(
        f"the gate failed: {'; '.join(verdict.failures)}. {directory} stays, marked in its gate.json: "
        "take a finer --precision (after int8: int8_dynamic)."
    )
    return 1


def _table(verdict: Verdict) -> Table:
    table = Table(title=f"{verdict.source} in {verdict.precision} for {verdict.engine}")
    for column in ("", "Keras", "exported"):
        table.add_column(column, justify="left" if not column else "right")
    for title, name in (("accuracy, %", "accuracy"), ("macro-F1, %", "macro_f1"), ("ECE, %", "calibration_error")):
        table.add_row(title, _percent(verdict.reference, name), _percent(verdict.exported, name))
    return table


def _summary(verdict: Verdict) -> str:
    low, high = verdict.latency_ratio_interval
    return (
        f"{verdict.n:,} validation faces of {verdict.dataset}: {100 * verdict.agreement:.2f} % of labels agree, "
        f"probabilities within {verdict.max_difference:.2g}, {verdict.latency_ratio:.2f} [{low:.2f}, {high:.2f}] of "
        f"the time for one face"
    )


def _percent(quality: Quality, name: str) -> str:
    return f"{100 * getattr(quality, name):.2f}"
