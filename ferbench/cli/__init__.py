"""The command line: reads arguments, calls the library, prints. Nothing else prints or decides an exit code.

One file holds each command: its arguments and what it does. Exit codes: 0 done, 1 a check failed, 2 bad input or
configuration, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence

from ferbench import __version__
from ferbench.cli import (
    ablation,
    catalog,
    compare,
    conditions,
    data,
    engines,
    evaluate,
    explain,
    export,
    predict,
    publish,
    realtime,
    report,
    robustness,
    run,
    ui,
)
from ferbench.cli.commands import Commands
from ferbench.cli.console import complain
from ferbench.errors import FerbenchError, RunFailedError

_COMMANDS = (
    run,
    evaluate,
    compare,
    report,
    ablation,
    predict,
    explain,
    realtime,
    conditions,
    robustness,
    catalog,
    data,
    ui,
    publish,
    export,
    engines,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: As on the command line; None: those of this process.

    Returns:
        The exit code.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = build_parser().parse_args(arguments)
    try:
        code: int = options.execute(options)
        return code
    except KeyboardInterrupt:
        complain("interrupted.")
        return 130
    except FerbenchError as error:
        if options.debug:
            traceback.print_exc()
        complain(str(error))
        return 1 if isinstance(error, RunFailedError) else 2
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - nobody reads on: nothing is left to flush
        return 0
    except OSError as error:
        if options.debug or error.strerror is None:
            raise
        complain(f"{error.filename or 'the disk'}: {error.strerror}.")
        return 2


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; `options.execute` does what the chosen one says."""
    parser = argparse.ArgumentParser(prog="ferbench", description="Benchmark facial-expression recognizers.")
    parser.add_argument("--version", action="version", version=f"ferbench {__version__}")
    commands = Commands(parser, "commands")
    for module in _COMMANDS:
        module.add(commands)
    return parser
