"""Hyper-parameters chosen by validation, before the experiment that they are for. The test split stays closed.

Optuna proposes settings; each is an ordinary run on validation only, tracked as a child of the search.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ferbench.config import ExperimentConfig, Range, SearchSettings, with_values
from ferbench.data.dataset import data_home
from ferbench.errors import ConfigError, FerbenchError, MissingLibraryError
from ferbench.experiment import Notice, resolve, run
from ferbench.recognizers.base import ignore_progress
from ferbench.results import result_directory, write_whole
from ferbench.tracking.trackers import PARENT_TAG, NullTracker, Tracker
from ferbench.types import ProgressHook


def search(
    config: ExperimentConfig,
    tracker: Tracker | None = None,
    reports: Path = Path("reports"),
    *,
    on_progress: ProgressHook = ignore_progress,
    notice: Notice = lambda text: None,
) -> ExperimentConfig:
    """Try the settings of `config.search` and return the experiment with the most accurate ones on validation.

    Every trial is kept under `data_home()`, so that a search that was killed goes on where it stopped: the same seed
    proposes the same settings, finished ones are not fitted again, and the one that was killed is resumed. A trial that
    fails is recorded with its error and not chosen.

    Args:
        config: An experiment with a `search` section.
        tracker: Where to track: a run for the search and one for each trial under it; None: nowhere.
        reports: `search.json`, all trials in order, goes to `<reports>/<experiment>/<dataset>/seed<k>`.
        on_progress: Receives trials done.
        notice: Receives a sentence a trial.

    Returns:
        The configuration to run, without its `search` section.

    Raises:
        ConfigError: a key does not exist or takes no such value, or every trial failed.
        MissingLibraryError: Optuna is not installed.
    """
    settings = config.search
    if settings is None:
        return config
    optuna = _import_optuna()
    for key, choices in settings.space.items():
        with_values(config, {key: choices.low if isinstance(choices, Range) else choices[0]})
    plain = config.model_copy(update={"search": None})
    resolved = resolve(plain, notice)
    folder = data_home() / "searches" / resolved.key
    study = optuna.create_study(direction="maximize", sampler=_sampler(optuna, settings, config.seed))
    n_trials = _n_trials(settings)
    trials: list[dict[str, Any]] = []
    with (tracker or NullTracker()).open(config, {"role": "search"}) as parent:

        def accuracy_of(trial: Any) -> float:
            on_progress("trials", len(trials), n_trials)
            values = {name: _suggest(trial, name, choices) for name, choices in settings.space.items()}
            asked = with_values(plain, {**values, "name": f"{config.name}.trial{len(trials):03d}"})
            tags = {PARENT_TAG: parent.run_id, "role": "trial"}
            try:
                result = run(asked, tracker, folder, resume=True, validation_only=True, tags=tags)
            except FerbenchError as error:
                trials.append({"values": values, "error": str(error)})
                notice(f"Trial {len(trials)} of {n_trials} failed with {_text(values)}: {error}")
                raise optuna.TrialPruned from error
            accuracy = result.validation.accuracy
            trials.append({"values": values, "validation_accuracy": accuracy, "config_hash": result.config_hash})
            parent.on_epoch(len(trials), {"validation_accuracy": accuracy})
            notice(f"Trial {len(trials)} of {n_trials}: {100 * accuracy:.1f} % with {_text(values)}.")
            return accuracy

        study.optimize(accuracy_of, n_trials=n_trials)
    chosen = _choose(trials, result_directory(reports, resolved.config))
    notice(f"Chosen on validation: {_text(chosen)}.")
    return with_values(plain, chosen)


def _choose(trials: list[dict[str, Any]], directory: Path) -> dict[str, Any]:
    """The values of the most accurate trial, once all of them are written down."""
    finished = [trial for trial in trials if "error" not in trial]
    chosen: dict[str, Any] | None = None
    if finished:
        chosen = max(finished, key=lambda trial: trial["validation_accuracy"])["values"]
    directory.mkdir(parents=True, exist_ok=True)
    write_whole(directory / "search.json", json.dumps({"chosen": chosen, "trials": trials}, indent=2) + "\n")
    if chosen is None:
        raise ConfigError(f"A search needs a trial that finishes, and all {len(trials)} failed: {trials[0]['error']}")
    return chosen


def _import_optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise MissingLibraryError("A 'search' section needs Optuna: pip install 'ferbench[search]'.") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _sampler(optuna: Any, settings: SearchSettings, seed: int) -> Any:
    if _has_lists_alone(settings):
        return optuna.samplers.GridSampler(
            {key: list(_values(each)) for key, each in settings.space.items()}, seed=seed
        )
    return optuna.samplers.TPESampler(seed=seed)


def _n_trials(settings: SearchSettings) -> int:
    if not _has_lists_alone(settings):
        return settings.n_trials
    n_combinations = 1
    for choices in settings.space.values():
        n_combinations *= len(_values(choices))
    return min(settings.n_trials, n_combinations)


def _has_lists_alone(settings: SearchSettings) -> bool:
    return not any(isinstance(choices, Range) for choices in settings.space.values())


def _values(choices: Range | tuple[Any, ...]) -> tuple[Any, ...]:
    """A list's values in a form that Optuna can keep: a list as JSON text."""
    return () if isinstance(choices, Range) else tuple(json.dumps(value) for value in choices)


def _suggest(trial: Any, name: str, choices: Range | tuple[Any, ...]) -> Any:
    if not isinstance(choices, Range):
        return json.loads(trial.suggest_categorical(name, _values(choices)))
    if choices.low > choices.high:
        raise ConfigError(f"search.space.{name}: low is above high, {choices.low} and {choices.high}.")
    if isinstance(choices.low, int) and isinstance(choices.high, int):
        return trial.suggest_int(name, choices.low, choices.high, log=choices.log)
    return trial.suggest_float(name, choices.low, choices.high, log=choices.log)


def _text(values: dict[str, Any]) -> str:
    return ", ".join(
        f"{key.rpartition('.')[2]} {f'{value:.4g}' if isinstance(value, float) else value}"
        for key, value in values.items()
    )
