"""An experiment as it stands in a YAML file, read once and checked whole before anything runs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ferbench.errors import ConfigError
from ferbench.recognizers.deep.recipe import Training
from ferbench.timing import TimingSettings
from ferbench.validation import explain


class Section(BaseModel):
    """A part of the file: unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Component(Section):
    """Something registered, and its parameters."""

    name: str
    params: dict[str, Any] = {}


class Fallback(Component):
    """The dataset used where the one wanted is not on this machine, and what of `training` changes with it."""

    training: dict[str, Any] = {}


class DatasetComponent(Component):
    """A dataset, and what stands in for it."""

    fallback: Fallback | None = None


class TrackingComponent(Component):
    """Where the run is tracked."""

    name: str = "mlflow"


class ExperimentConfig(Section):
    """One recognizer, one dataset, one seed."""

    kind: Literal["experiment"] = "experiment"
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)
    seed: int = Field(0, ge=0)
    dataset: DatasetComponent
    classes: str = "fer7"
    recognizer: Component
    training: Training | None = None
    timing: TimingSettings = TimingSettings()
    tracking: TrackingComponent = TrackingComponent()

    def result_key(self, fingerprint: str, version: str) -> str:
        """What makes two runs the same: the resolved configuration but for tracking, the data, the major version."""
        content = self.model_dump(mode="json", exclude={"tracking"})
        identity = [content, fingerprint, version.split(".")[0]]
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def load_experiment(path: str | Path, overrides: list[str] | None = None) -> ExperimentConfig:
    """Read a YAML file.

    Args:
        path: The file.
        overrides: `key.subkey=value` texts, applied in order; the value is read as YAML.

    Raises:
        ConfigError: the file is missing or no YAML, or a key or value is not accepted; the message suggests a mend.
    """
    path = Path(path)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}. Give the path of an experiment's YAML file."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(content, dict):
        raise ConfigError(
            f"{path} must hold keys and values (name, dataset, recognizer, ...), got {type(content).__name__}."
        )
    for override in overrides or []:
        _override(content, override)
    try:
        return ExperimentConfig.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{path}: {explain(error, ExperimentConfig)}") from error


def assignments(overrides: list[str]) -> dict[str, Any]:
    """What `key=value` texts say, nested by the dots in their keys.

    Raises:
        ConfigError: one is not of this form.
    """
    content: dict[str, Any] = {}
    for override in overrides:
        _override(content, override)
    return content


def to_yaml(config: ExperimentConfig) -> str:
    """The configuration as YAML text that `load_experiment` reads back."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def _override(content: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise ConfigError(f"--set takes key=value (training.epochs=1), got '{override}'.")
    *parents, last = key.split(".")
    for parent in parents:
        if content.get(parent) is None:
            content[parent] = {}
        content = content[parent]
        if not isinstance(content, dict):
            raise ConfigError(f"--set {override}: '{parent}' holds a value, not keys.")
    try:
        content[last] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {override}: the value is not YAML.") from error


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key given twice, where YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key}' stands twice", key_node.start_mark
                )
            seen.add(key if isinstance(key, str) else repr(key))
        return super().construct_mapping(node, deep)
