"""A third party's package, installed for real: `pip install --no-deps tests/plugin` (tox does)."""

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from ferbench.cli import main

PLUGIN = Path(__file__).parent / "plugin"


@pytest.fixture(autouse=True)
def installed() -> None:
    try:
        version("acme-fer")
    except PackageNotFoundError:
        pytest.skip("the plug-in is not installed: pip install --no-deps --no-build-isolation tests/plugin")


def test_it_is_listed(capsys) -> None:
    assert main(["list", "--json"]) == 0
    assert "acme.nearest_mean" in json.loads(capsys.readouterr().out)["recognizers"]


def test_it_runs_from_yaml_and_can_be_evaluated(tmp_path: Path, capsys) -> None:
    assert main(["run", str(PLUGIN / "nearest_mean.yaml"), "--reports", str(tmp_path)]) == 0
    run = tmp_path / "acme_nearest_mean/synthetic/seed0"
    result = json.loads((run / "result.json").read_text())
    assert result["recognizer"]["params"]["sharpness"] == 5.0
    assert result["validation"]["accuracy"] > 1 / 7
    assert main(["evaluate", str(run), "--dataset", "synthetic"]) == 0


def test_it_keeps_the_contract(capsys) -> None:
    assert main(["check", "acme.nearest_mean"]) == 0
    assert "FAILED" not in capsys.readouterr().out


def test_its_misspelt_parameter_is_refused(tmp_path: Path, capsys) -> None:
    arguments = ["run", str(PLUGIN / "nearest_mean.yaml"), "--reports", str(tmp_path)]
    assert main([*arguments, "--set", "recognizer.params.sharpnes=2"]) == 2
    assert "Did you mean 'sharpness'?" in capsys.readouterr().err
