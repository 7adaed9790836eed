from pathlib import Path

import pytest

from ferbench.config import load_experiment, load_realtime, to_yaml
from ferbench.errors import ConfigError

MINIMAL = "name: one\ndataset: {name: synthetic}\nrecognizer: {name: prior}\n"


@pytest.fixture
def write(tmp_path: Path):  # type: ignore[no-untyped-def]
    def writer(text: str) -> Path:
        path = tmp_path / "experiment.yaml"
        path.write_text(text)
        return path

    return writer


def test_minimal_file_gets_defaults(write) -> None:
    config = load_experiment(write(MINIMAL))
    assert (config.seed, config.classes, config.tracking.name) == (0, "fer7", "mlflow")


def test_resolved_yaml_reads_back_the_same(write) -> None:
    config = load_experiment(write(MINIMAL + "training: {learning_rate: 1e-3}\n"))
    assert load_experiment(write(to_yaml(config))) == config
    assert config.training is not None and config.training.learning_rate == 0.001


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("sede: 1\n", r"unknown key 'sede'\. Did you mean 'seed'\?"),
        ("training: {epoch: 1}\n", r"unknown key 'training\.epoch'\. Did you mean 'epochs'\?"),
        ("training: {augmentation: {rotate: 1}}\n", r"'training\.augmentation\.rotate'\. Did you mean 'rotation'\?"),
        ("training: {epochs: many}\n", r"'training\.epochs'.*integer.*got 'many'"),
        ("training: {optimizer: adma}\n", r"'training\.optimizer'.*'adam', 'adamw' or 'sgd'.*got 'adma'"),
        ("training: {epochs: 0}\n", r"'training\.epochs'.*greater than or equal to 1"),
        ("seed: -1\n", r"'seed'"),
        ("kind: realtime\n", r"of the kind 'realtime': python -m ferbench realtime takes it"),
        ("kind: other\n", r"'kind'"),
        ("seed: 1\nseed: 2\n", r"the key 'seed' stands twice"),
    ],
)
def test_faults_are_one_sentence(write, extra: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        load_experiment(write(MINIMAL + extra))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text", "name: [", "name: 'x\n", "\x00"])
def test_not_an_experiment_is_refused(write, text: str) -> None:
    with pytest.raises(ConfigError):
        load_experiment(write(text))


def test_missing_file_and_missing_key_are_refused(tmp_path: Path, write) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_experiment(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="'recognizer' is missing"):
        load_experiment(write("name: one\ndataset: {name: synthetic}\n"))


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a b"])
def test_names_that_are_no_folder_are_refused(write, name: str) -> None:
    with pytest.raises(ConfigError, match="'name'"):
        load_experiment(write(MINIMAL), [f"name='{name}'"])


def test_overrides_reach_deep_and_are_read_as_yaml(write) -> None:
    config = load_experiment(write(MINIMAL), ["training.epochs=3", "recognizer.params.c=[1, 2]", "classes=fer6"])
    assert config.training is not None
    assert (config.training.epochs, config.recognizer.params["c"], config.classes) == (3, [1, 2], "fer6")


@pytest.mark.parametrize("override", ["training.epochs", "=1", "name.deeper=1", "seed=[", "trainig.epochs=1"])
def test_bad_overrides_are_refused(write, override: str) -> None:
    with pytest.raises(ConfigError):
        load_experiment(write(MINIMAL), [override])


def test_result_key_ignores_tracking_and_nothing_else(write) -> None:
    config = load_experiment(write(MINIMAL))
    key = config.result_key("data", "0.1.0")
    assert load_experiment(write(MINIMAL), ["tracking.name=none"]).result_key("data", "0.2.0") == key
    assert load_experiment(write(MINIMAL), ["seed=1"]).result_key("data", "0.1.0") != key
    assert config.result_key("other data", "0.1.0") != key
    assert config.result_key("data", "1.0.0") != key


def test_realtime_defaults_need_no_file() -> None:
    config = load_realtime(overrides=["source.name=replay", "source.params.fps=15"])
    assert config.source.name == "replay" and config.source.params == {"fps": 15}
    assert config.detectors[0].name == "haar"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: experiment\n", r"of the kind 'experiment': python -m ferbench run takes it"),
        ("kind: realtime\nsourse: {name: replay}\n", r"unknown key 'sourse'\. Did you mean 'source'\?"),
        ("recognizers: []\n", r"'recognizers'"),
        ("certainty: 2\n", r"'certainty'.*less than or equal to 1"),
        ("comparison: {split: train}\n", r"'comparison\.split'"),
    ],
)
def test_realtime_faults_are_one_sentence(write, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        load_realtime(write(text))
    assert "\n" not in str(raised.value)
