"""Every YAML file that ships is complete: it parses, every name in it resolves, and its fallback stands ready."""

from pathlib import Path

import pytest

from ferbench import registry
from ferbench.config import load_experiment, load_realtime
from ferbench.errors import DatasetMissingError
from ferbench.experiment import resolve
from ferbench.live import open_detectors

ALL = sorted((Path(__file__).parent.parent / "experiments").glob("*.yaml"))
LOOPS = [path for path in ALL if "kind: realtime" in path.read_text()]
FILES = [path for path in ALL if path not in LOOPS]


def test_there_is_one_for_every_shipped_baseline() -> None:
    assert {"prior", "lbp_svm", "hog_svm", "cnn3", "cnn9"} <= {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_resolves(path: Path) -> None:
    config = load_experiment(path)
    assert config.name == path.stem
    assert registry.get("datasets", config.dataset.name)
    if config.dataset.fallback is None:
        assert registry.resolve("recognizers", config.recognizer.name, config.recognizer.params)
        with pytest.raises(DatasetMissingError, match="data prepare"):
            resolve(config)
        return
    assert config.dataset.fallback.name == "synthetic"
    notices: list[str] = []
    resolved = resolve(config, notices.append)
    assert resolved.config.recognizer.name == config.recognizer.name
    assert "SAYS NOTHING ABOUT REAL FACES" in notices[0]


@pytest.mark.parametrize("name", ["prior", "lbp_svm", "hog_svm", "cnn3", "cnn9"])
def test_baselines_and_networks_run_on_a_machine_with_nothing(name: str) -> None:
    config = load_experiment(FILES[0].parent / f"{name}.yaml")
    assert config.dataset.fallback is not None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_its_first_line_says_what_it_is(path: Path) -> None:
    assert path.read_text().startswith("# ")


@pytest.mark.parametrize("path", LOOPS, ids=lambda path: path.stem)
def test_a_loop_resolves(path: Path) -> None:
    config = load_realtime(path)
    assert open_detectors(config).names == tuple(component.name for component in config.detectors)
    assert set(config.recognizers) <= set(registry.shipped())
    assert config.source.name in registry.names("sources")
