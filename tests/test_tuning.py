import json
from pathlib import Path

import pytest

import ferbench
from ferbench import registry
from ferbench.config import Range, SearchSettings, load_experiment, with_values
from ferbench.errors import ConfigError
from ferbench.experiment import run
from ferbench.tuning import search

SEARCHES = sorted((Path(__file__).parent.parent / "experiments").glob("search_*.yaml"))
YAML = """
name: searched
dataset: {name: synthetic, params: {n_train: 70, n_validation: 35, n_test: 35}}
recognizer: {name: hog_svm, params: {cell: 8, block: 1, c: [0.1]}}
timing: {batch_sizes: [1], warmup: 1, min_seconds: 0, min_queries: 3}
search:
  n_trials: 4
  space:
    recognizer.params.orientations: [4, 9]
    recognizer.params.signed: [true, false]
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "searched.yaml").write_text(YAML)
    return load_experiment("searched.yaml")


def test_every_combination_of_lists_is_tried_once_and_the_best_on_validation_is_chosen(config, tmp_path: Path) -> None:
    chosen = search(config)
    record = json.loads((tmp_path / "reports/searched/synthetic/seed0/search.json").read_text())
    settings = [tuple(trial["values"].values()) for trial in record["trials"]]
    assert sorted(settings) == [(4, False), (4, True), (9, False), (9, True)]
    best = max(record["trials"], key=lambda trial: trial["validation_accuracy"])
    assert record["chosen"] == best["values"]
    assert chosen.recognizer.params["orientations"] == best["values"]["recognizer.params.orientations"]
    assert chosen.search is None and chosen.name == "searched"
    assert not (tmp_path / "reports/test_ledger.jsonl").exists()
    assert run(chosen, validation_only=True).validation.accuracy == best["validation_accuracy"]


def test_a_search_that_is_repeated_fits_nothing_again_and_chooses_the_same(config, monkeypatch) -> None:
    from ferbench.recognizers.classical.hog_svm import HogSvm

    first = search(config)
    monkeypatch.setattr(HogSvm, "_fit", lambda *args, **kwargs: pytest.fail("fitted again"))
    assert search(config) == first


def test_ranges_are_drawn_within_their_ends(config, tmp_path: Path) -> None:
    space = {"recognizer.params.orientations": Range(low=4, high=9)}
    search(config.model_copy(update={"search": SearchSettings(space=space, n_trials=3)}))
    trials = json.loads((tmp_path / "reports/searched/synthetic/seed0/search.json").read_text())["trials"]
    drawn = [trial["values"]["recognizer.params.orientations"] for trial in trials]
    assert len(drawn) == 3 and all(isinstance(value, int) and 4 <= value <= 9 for value in drawn)


def test_every_seed_keeps_its_search(config, tmp_path: Path) -> None:
    small = SearchSettings(space={"recognizer.params.signed": (True,)}, n_trials=1)
    for seed in (0, 1):
        search(config.model_copy(update={"seed": seed, "search": small}))
        assert (tmp_path / f"reports/searched/synthetic/seed{seed}/search.json").is_file()


def test_a_trial_that_fails_is_recorded_and_the_others_go_on(config, tmp_path: Path) -> None:
    space = SearchSettings(space={"recognizer.params.jitter": (-1, 0)})
    notices: list[str] = []
    chosen = search(config.model_copy(update={"search": space}), notice=notices.append)
    assert chosen.recognizer.params["jitter"] == 0
    record = json.loads((tmp_path / "reports/searched/synthetic/seed0/search.json").read_text())
    (error,) = [trial["error"] for trial in record["trials"] if "error" in trial]
    assert "jitter of 0 copies or more" in error and any(error in said for said in notices)
    assert [trial["values"] for trial in record["trials"] if "error" not in trial] == [record["chosen"]]


def test_a_search_of_which_every_trial_fails_says_why_and_keeps_its_record(config, tmp_path: Path) -> None:
    space = SearchSettings(space={"recognizer.params.jitter": (-1, -2)})
    with pytest.raises(ConfigError, match=r"all 2 failed: .* jitter of 0 copies"):
        search(config.model_copy(update={"search": space}))
    record = json.loads((tmp_path / "reports/searched/synthetic/seed0/search.json").read_text())
    assert record["chosen"] is None and len(record["trials"]) == 2


def test_a_trial_that_was_killed_is_resumed(config, monkeypatch: pytest.MonkeyPatch) -> None:
    from ferbench.recognizers.classical.bovw_svm import BovwSvm

    params = {"recognizer": {"name": "bovw_svm", "params": BovwSvm.smoke_params()}}
    space = {"recognizer.params.strips": [0]}
    config = type(config).model_validate({**config.model_dump(), **params, "search": {"space": space}})
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(BovwSvm, "_svm", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        search(config)
    monkeypatch.setattr(BovwSvm, "_learn_features", lambda *given: pytest.fail("begun again"))
    assert search(config).recognizer.params["strips"] == 0


def test_trials_are_tracked_under_the_search(config) -> None:
    import mlflow

    from ferbench.tracking.mlflow_runs import MlflowTracker

    config = config.model_copy(
        update={"search": SearchSettings(space={"recognizer.params.signed": (True, False)}, n_trials=9)}
    )
    search(config, MlflowTracker(uri="sqlite:///mlflow.db", model=False))
    client = mlflow.MlflowClient("sqlite:///mlflow.db")
    (experiment,) = [one for one in client.search_experiments() if one.name == "synthetic"]
    runs = client.search_runs([experiment.experiment_id])
    (parent,) = [one for one in runs if one.data.tags.get("role") == "search"]
    children = [one for one in runs if one.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert len(children) == 2 and len(runs) == 3
    assert {one.info.status for one in runs} == {"FINISHED"}


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"recognizer.params.orientation": (4, 9)}, "orientation"),
        ({"recogniser.params.cell": (4, 9)}, "recogniser"),
        ({"recognizer.params.orientations": Range(low=9, high=4)}, "low is above high"),
    ],
)
def test_a_space_that_cannot_be_is_refused(config, space, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        search(config.model_copy(update={"search": SearchSettings(space=space)}))


@pytest.mark.parametrize("path", SEARCHES, ids=lambda path: path.stem)
def test_every_value_of_a_search_that_ships_is_one_that_the_recognizer_takes(path: Path) -> None:
    config = load_experiment(path)
    for key, choices in config.search.space.items():
        values = (choices.low, choices.high) if isinstance(choices, Range) else choices
        for value in values:
            component = with_values(config, {key: value}).recognizer
            assert registry.resolve("recognizers", component.name, component.params)


def test_run_does_not_skip_a_search_in_silence(config) -> None:
    with pytest.raises(ConfigError, match=r"ferbench\.search"):
        run(config)


def test_the_command_line_searches_first(config, tmp_path: Path, capsys) -> None:
    from ferbench.cli import main

    arguments = ["--set", "tracking.name=none", "--set", "search.n_trials=2", "--validation-only"]
    assert main(["run", "searched.yaml", *arguments]) == 0
    said = capsys.readouterr()
    assert "Trial 2 of 2" in said.err and "Chosen on validation" in said.err
    assert (tmp_path / "reports/searched/synthetic/seed0/result.json").is_file()


def test_with_values_checks_like_a_file(config) -> None:
    assert with_values(config, {"training.epochs": 3}).training.epochs == 3
    with pytest.raises(ConfigError, match="Did you mean 'epochs'"):
        with_values(config, {"training.epoch": 3})


def test_search_is_public() -> None:
    assert ferbench.search is search
