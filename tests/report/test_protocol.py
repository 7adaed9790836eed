"""The commands of `reports/protocol.md` exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ferbench.cli import build_parser

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "reports" / "protocol.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"python -m ferbench ([^`\n]+)", TEXT)))


@pytest.mark.parametrize("command", COMMANDS)
def test_command_of_the_protocol_parses_and_its_files_exist(command: str) -> None:
    options = build_parser().parse_args(shlex.split(command.partition(" > ")[0]))
    named = re.findall(r"experiments/\w+\.yaml", command)
    assert all((ROOT / file).is_file() for file in named)
    assert callable(options.execute)


def test_full_suite_holds_every_experiment() -> None:
    full = TEXT.partition("**full**")[2]
    assert set(re.findall(r"experiments/\w+\.yaml", full)) == {
        f"experiments/{path.name}" for path in (ROOT / "experiments").glob("*.yaml")
    }
