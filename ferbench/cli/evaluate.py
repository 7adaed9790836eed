"""`evaluate`: a trained recognizer on a dataset."""

from __future__ import annotations

import argparse

from ferbench.cli.commands import Commands, add_reports
from ferbench.cli.console import import_quietly, out, print_json, saved_name
from ferbench.cli.export import add_engine, through_engine


def add(commands: Commands) -> None:
    """`evaluate NAME_OR_DIR`."""
    parser = commands.add("evaluate", "Score a trained recognizer on a dataset.", _evaluate, json=True)
    parser.add_argument("recognizer", metavar="NAME_OR_DIR", help="a shipped name, or a folder that a run wrote")
    parser.add_argument("--dataset", default="fer2013", help="a registered dataset (default: %(default)s)")
    parser.add_argument(
        "--split", choices=("validation", "test"), default="validation", help="test is noted in the ledger"
    )
    parser.add_argument(
        "--record",
        action="store_true",
        help="keep it, and its predictions, as evaluations/* under --reports for the report",
    )
    add_engine(parser)
    add_reports(parser)


def _evaluate(options: argparse.Namespace) -> int:
    recognizer = through_engine(options.recognizer, options.engine)
    import_quietly(saved_name(recognizer))
    from ferbench.experiment import evaluate
    from ferbench.report.evaluations import evaluation_lines, evaluation_path
    from ferbench.report.tables import scores_table

    found = evaluate(recognizer, options.dataset, split=options.split, reports=options.reports, record=options.record)
    if options.json:
        print_json(
            {
                "recognizer": options.recognizer,
                "dataset": options.dataset,
                "split": options.split,
                "n_split": found.n_split,
                "sharing": found.sharing.model_dump(),
                **found.scores.model_dump(),
            }
        )
        return 0
    out.print(scores_table(f"{options.recognizer} on {options.dataset}, {options.split} split", found.scores))
    for line in evaluation_lines(found):
        out.print(line, markup=False, soft_wrap=True)
    if options.record:
        out.print(f"Written: {evaluation_path(found, options.reports)}", markup=False, soft_wrap=True)
    return 0
