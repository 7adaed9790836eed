"""`compare`: the paired test of two finished runs, or of recorded evaluations."""

from __future__ import annotations

import argparse

from ferbench.cli.commands import Commands, add_reports
from ferbench.cli.console import out, print_json


def add(commands: Commands) -> None:
    """`compare A B`."""
    parser = commands.add(
        "compare",
        "Test whether two recognizers on the same faces differ by more than chance, by what is stored of them.",
        _compare,
        json=True,
    )
    for name, letter in (("first", "A"), ("second", "B")):
        parser.add_argument(
            name,
            metavar=letter,
            help="a run's folder, or a name under --reports (cnn9, cnn9/seed1, cnn9/fer2013/seed1): of an experiment, "
            "or of what evaluate --record scored, such as a shipped or exported recognizer",
        )
    parser.add_argument(
        "--split",
        choices=("test", "validation"),
        help="(default: test where both were scored on it, else validation)",
    )
    add_reports(parser)


def _compare(options: argparse.Namespace) -> int:
    from ferbench.report.compared import find_pair
    from ferbench.report.comparison import compare, comparison_lines, comparison_table

    found = compare(*find_pair(options.first, options.second, options.reports), split=options.split)
    if options.json:
        print_json(found.model_dump(mode="json"))
        return 0
    out.print(comparison_table(found))
    for line in comparison_lines(found):
        out.print(line, markup=False, soft_wrap=True)
    return 0
