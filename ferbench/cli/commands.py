"""How a command gets its place on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

Execute: TypeAlias = Callable[[argparse.Namespace], int]
"""Does what the options say; returns the exit code."""


class Commands:
    """The commands of one parser, or the actions of one command."""

    def __init__(self, parser: argparse.ArgumentParser, title: str) -> None:
        self._added: Any = parser.add_subparsers(title=title, required=True, metavar=title.rstrip("s").upper())

    def add(self, name: str, text: str, execute: Execute, *, json: bool = False) -> argparse.ArgumentParser:
        """A command; `json` lets it print for a machine."""
        parser: argparse.ArgumentParser = self._added.add_parser(name, help=text, description=text)
        parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
        if json:
            parser.add_argument("--json", action="store_true", help="print JSON for a machine to read")
        parser.set_defaults(execute=execute)
        return parser

    def group(self, name: str, text: str) -> Commands:
        """A command that is a family of actions."""
        return Commands(self._added.add_parser(name, help=text, description=text), "actions")


def add_reports(parser: argparse.ArgumentParser) -> None:
    """Where results and the ledger of test scorings lie."""
    parser.add_argument("--reports", type=Path, default=Path("reports"), metavar="DIR", help="(default: %(default)s)")


def add_set(parser: argparse.ArgumentParser, text: str) -> None:
    """`--set KEY=VALUE`, as often as wanted."""
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help=text)
