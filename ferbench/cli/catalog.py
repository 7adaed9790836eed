"""`list` and `check`: what is registered, and whether it keeps the contract."""

from __future__ import annotations

import argparse
from typing import Any

from ferbench import registry
from ferbench.cli.commands import Commands
from ferbench.cli.console import import_quietly, out, print_json


def add(commands: Commands) -> None:
    """`list` and `check NAME`."""
    commands.add("list", "List what is registered, without importing it.", _list, json=True)
    check = commands.add(
        "check", "Check a registered recognizer against the contract that all of them keep.", _check, json=True
    )
    check.add_argument("name", metavar="NAME")


def _list(options: argparse.Namespace) -> int:
    listing: dict[str, Any] = {
        kind: registry.names(kind) for kind in ("recognizers", "datasets", "preparers", "trackers")
    }
    listing["weights"] = registry.shipped()
    if options.json:
        print_json(listing)
        return 0
    for kind, names in listing.items():
        out.print(f"[bold]{kind}[/bold]" + (" (trained, in the package)" if kind == "weights" else ""))
        for name in names:
            out.print(f"  {name}")
    return 0


def _check(options: argparse.Namespace) -> int:
    import_quietly(options.name)
    from ferbench.checks import Outcome, check_recognizer

    def show(outcome: Outcome) -> None:
        if not options.json:
            mark = "[green]passed[/green]" if outcome.failure is None else "[red]FAILED[/red]"
            out.print(
                f"{mark}  {outcome.check.replace('_', ' ')}" + (f": {outcome.failure}" if outcome.failure else "")
            )

    outcomes = check_recognizer(options.name, show)
    n_failed = sum(outcome.failure is not None for outcome in outcomes)
    if options.json:
        print_json([outcome._asdict() for outcome in outcomes])
    else:
        out.print(f"{len(outcomes) - n_failed} of {len(outcomes)} checks passed.")
    return 1 if n_failed else 0
