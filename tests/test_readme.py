"""What the README shows is true: its Python runs, its commands exist, its table is what the results say."""

import re
from pathlib import Path

import pytest

from ferbench.cli import build_parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_python_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = blocks("python")
    assert len(example.strip().splitlines()) <= 10
    exec(compile(example, "README.md", "exec"), {})
    assert "(2, 7)" in capsys.readouterr().out


def test_commands_parse_and_their_files_exist() -> None:
    lines = [line.split("#")[0].strip() for block in blocks("bash") for line in block.splitlines()]
    commands = [part for line in lines for part in line.split(" && ") if "-m ferbench" in part]
    assert len(commands) >= 4
    for command in commands:
        options = build_parser().parse_args(command.split("-m ferbench ")[1].split())
        for file in getattr(options, "files", []):
            assert (ROOT / file).is_file(), file


def test_ci_calls_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "pip install tox && tox" in README
    assert re.search(r"pip install (--quiet )?tox && tox", script)


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target
