"""`engines`: recognizers through every engine at every precision, measured in one run."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path

from ferbench import registry
from ferbench.cli.commands import Commands
from ferbench.cli.console import notice, out, print_json, quietly


def add(commands: Commands) -> None:
    """`engines NAME_OR_DIR...`."""
    parser = commands.add(
        "engines",
        "Measure recognizers through every installed engine at every precision, in one run, each taking its turns.",
        _engines,
        json=True,
    )
    parser.add_argument("recognizers", nargs="+", metavar="NAME_OR_DIR", help="a shipped name, or a saved recognizer")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], metavar="N", help="(default: 1 2)")
    parser.add_argument("--engines", nargs="+", metavar="NAME", help="(default: all that are installed)")
    parser.add_argument("--dataset", default="fer2013", metavar="NAME", help="(default: %(default)s)")
    parser.add_argument(
        "--queries", type=int, default=1000, metavar="N", help="single faces for each form (default: %(default)s)"
    )
    parser.add_argument(
        "--to", type=Path, default=Path("reports/engines"), metavar="DIR", help="(default: %(default)s)"
    )


def _engines(options: argparse.Namespace) -> int:
    from ferbench.engines.survey import survey_engines
    from ferbench.report.engines import engines_table, write_survey

    dataset = registry.create("datasets", options.dataset)
    notice("Converting, judging and timing takes about a minute a network and longer: leave the machine alone.")
    with nullcontext() if options.debug else quietly():
        survey = survey_engines(
            options.recognizers,
            dataset,
            threads=options.threads,
            engines=options.engines,
            n_queries=options.queries,
        )
    write_survey(survey, options.to)
    for form, reason in survey.left_out.items():
        notice(f"Left out: {form}: {reason}")
    if options.json:
        print_json(survey.model_dump(mode="json"))
    else:
        out.print(engines_table(survey))
        out.print(f"Written to {options.to}: engines.json, engines.md, engines.png.")
    return 0
