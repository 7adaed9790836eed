"""`report`: all finished runs as one page and one summary."""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from ferbench.cli.commands import Commands, add_reports
from ferbench.cli.console import notice, out


def add(commands: Commands) -> None:
    """`report`."""
    parser = commands.add("report", "Write index.html and summary.md from finished runs; nothing is scored.", _report)
    add_reports(parser)
    parser.add_argument(
        "--from",
        dest="source",
        choices=("reports", "mlflow"),
        default="reports",
        help="where runs lie: under --reports, or in the store of MLFLOW_TRACKING_URI (default: %(default)s)",
    )
    parser.add_argument("--to", type=Path, metavar="DIR", help="where to write (default: the folder of --reports)")


def _report(options: argparse.Namespace) -> int:
    from ferbench.report.page import write_report

    target = options.to or options.reports
    if options.source == "mlflow":
        from ferbench.report.tracked import download_runs

        with TemporaryDirectory() as folder:
            apart = download_runs(Path(folder))
            written = write_report(options.reports, target, runs=Path(folder))
    else:
        apart, written = [], write_report(options.reports, target)
    for one in (*apart, *written.set_apart):
        notice(f"Not ranked: {one.place}: {one.reason}")
    for path in written.files:
        out.print(f"Written: {path} ({path.stat().st_size / 1e6:.2f} MB)", markup=False, soft_wrap=True)
    return 0
