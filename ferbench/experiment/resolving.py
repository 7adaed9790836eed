"""From a configuration to what it names: the dataset or what stands in for it, the recognizer, every default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ferbench import __version__
from ferbench.config import Component, DatasetComponent, ExperimentConfig
from ferbench.data.dataset import Dataset
from ferbench.data.emotions import classes_of, describe_map
from ferbench.engines.answering import check_engine
from ferbench.errors import ConfigError, DatasetMissingError
from ferbench.experiment.teaching import identify_teacher
from ferbench.recognizers.base import Recognizer
from ferbench.recognizers.deep.recipe import Training
from ferbench.recognizers.header import FILENAME, sha256_of
from ferbench.registry import create, find, schema_of
from ferbench.registry import get as get_registered

Notice = Callable[[str], None]


class Resolved(NamedTuple):
    """A configuration with every default filled in, and what it names."""

    config: ExperimentConfig
    dataset: Dataset
    recognizer: Recognizer
    key: str


def resolve(config: ExperimentConfig, notice: Notice = lambda text: None) -> Resolved:
    """Open the dataset, or what stands in for it, build the recognizer, and fill in every default."""
    config, dataset = _open_dataset(config, notice)
    classes = classes_of(config.classes)
    if classes != dataset.classes:
        notice(f"Classes are {config.classes}: {describe_map(dataset.classes, classes) or 'all keep their names'}.")
        dataset = dataset.with_classes(classes)
    params = dict(config.recognizer.params)
    if "training" in params or "seed" in params:
        raise ConfigError("recognizer.params: give seed and training as sections of their own, at the top level.")
    if "training" in schema_of(get_registered("recognizers", config.recognizer.name)).model_fields:
        params["training"] = config.training or Training()
    elif config.training is not None and config.training != Training():
        raise ConfigError(f"'{config.recognizer.name}' takes no 'training' section: remove it.")
    if config.engine:
        target = get_registered("recognizers", config.recognizer.name)
        check_engine(target, config.engine.name, config.engine.precision, config.engine.threads)
    recognizer: Recognizer = create("recognizers", config.recognizer.name, params, seed=config.seed)
    filled = recognizer.params()
    filled.pop("seed", None)
    training = filled.pop("training", None)
    config = config.model_copy(
        update={
            "recognizer": Component(name=config.recognizer.name, params=filled),
            "training": Training.model_validate(training) if training else None,
        }
    )
    taught_by = identify_teacher(config.distill, dataset.classes)[1] if config.distill else ""
    made_of = "".join(sha256_of(find(part) / FILENAME) for part in recognizer.trained_parts())
    key = config.result_key(dataset.fingerprint() + taught_by + made_of, __version__)
    return Resolved(config, dataset, recognizer, key)


def _open_dataset(config: ExperimentConfig, notice: Notice) -> tuple[ExperimentConfig, Dataset]:
    wanted = config.dataset
    try:
        dataset = create("datasets", wanted.name, wanted.params, seed=config.seed)
        used, training = Component(name=wanted.name, params=wanted.params), config.training
    except DatasetMissingError as error:
        if wanted.fallback is None:
            raise
        used = Component(name=wanted.fallback.name, params=wanted.fallback.params)
        dataset = create("datasets", used.name, used.params, seed=config.seed)
        training = _with_changes(config.training, wanted.fallback.training)
        notice(
            f"{wanted.name.upper()} IS NOT HERE: THIS RUN USES '{used.name}' AND SAYS NOTHING ABOUT REAL FACES. {error}"
        )
    section = DatasetComponent(name=used.name, params=used.params)
    return config.model_copy(update={"dataset": section, "training": training}), dataset


def _with_changes(training: Training | None, changes: Mapping[str, Any]) -> Training | None:
    if not changes:
        return training
    return Training.model_validate((training or Training()).model_dump() | dict(changes))
