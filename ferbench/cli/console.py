"""What every command prints with: results to the terminal, all else to its error stream."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ferbench import registry

_WIDTH = None if sys.stdout.isatty() else 160
out = Console(highlight=False, width=_WIDTH)
err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 160)


@contextmanager
def progress() -> Iterator[Any]:
    """A hook that shows what is being done, how far, and the time left; silent where nobody watches."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    bars = Progress(
        *columns, TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), console=err, transient=True
    )
    task: TaskID = bars.add_task("", visible=False)
    current = 0

    def show(stage: str, done: int, total: int) -> None:
        nonlocal current
        if total != current:  # another kind of work: its pace says nothing about the last one's
            bars.reset(task, total=total, visible=True)
            current = total
        bars.update(task, description=stage, completed=done)

    with bars:
        yield show if err.is_terminal else lambda stage, done, total: None


def print_epoch(epoch: int, values: Mapping[str, float]) -> None:
    """One line of a training curve."""
    err.print(f"{epoch:>4}  " + "  ".join(f"{key} {value:.4g}" for key, value in values.items()))


def notice(text: str) -> None:
    """Something that the person should know and that is no error."""
    err.print(text, style="bold yellow", soft_wrap=True, markup=False)


def complain(text: str) -> None:
    """An error, as one sentence."""
    err.print(f"ferbench: {text}", style="red", soft_wrap=True, markup=False)


def print_json(value: Any) -> None:
    """A result for a machine to read."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def import_quietly(name: str) -> None:
    """Import a recognizer's class while TensorFlow's notices, which heed no log level, go nowhere."""
    with quietly():
        registry.get("recognizers", name)


@contextmanager
def quietly() -> Iterator[None]:
    """Let nothing written to the error stream, by whatever library, be seen."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def saved_name(name_or_directory: str) -> str:
    """The registered name of a saved recognizer."""
    from ferbench.recognizers.header import read_header

    return read_header(registry.find(name_or_directory)).name
