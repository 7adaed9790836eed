"""An experiment or a camera loop as it stands in a YAML file, read once and checked whole before anything runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ferbench.engines.engine import Precision
from ferbench.errors import ConfigError
from ferbench.recognizers.deep.distillation import Distillation
from ferbench.recognizers.deep.recipe import Training
from ferbench.timing import TimingSettings
from ferbench.types import Calibration
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


class Range(Section):
    """Numbers to choose from: whole ones where both ends are."""

    low: int | float
    high: int | float
    log: bool = False


class SearchSettings(Section):
    """Hyper-parameters to choose by validation before the experiment itself.

    Attributes:
        space: By key ("recognizer.params.cell", "training.learning_rate"): a list of values, or low, high and log.
        n_trials: How many settings are tried; where all keys have lists, at most every combination once.
    """

    space: dict[str, Range | tuple[Any, ...]] = Field(min_length=1)
    n_trials: int = Field(20, ge=1)


class EngineSettings(Section):
    """What the fitted recognizer answers through when it is scored and timed.

    Attributes:
        name: "litert", "onnxruntime", "openvino", another registered engine, or "keras", as it was fitted; "auto": the
            fastest installed one that passes its gate.
        precision: Of weights, and with int8 of what is calculated.
        threads: How many a call may use. None: one. Keras keeps those that TensorFlow started with, and takes none.
    """

    name: str
    precision: Precision = "float32"
    threads: int | None = Field(None, ge=1)


class ExperimentConfig(Section):
    """One recognizer, one dataset, one seed.

    `calibration` is "temperature" where validation shall fit one once the recognizer is fitted, see `Recognizer.fit`.
    """

    kind: Literal["experiment"] = "experiment"
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)
    seed: int = Field(0, ge=0)
    dataset: DatasetComponent
    classes: str = "fer7"
    recognizer: Component
    training: Training | None = None
    search: SearchSettings | None = None
    distill: Distillation | None = None
    engine: EngineSettings | None = None
    calibration: Calibration | None = None
    timing: TimingSettings = TimingSettings()
    tracking: TrackingComponent = TrackingComponent()

    def result_key(self, fingerprint: str, version: str) -> str:
        """What makes two runs the same: the resolved configuration but for tracking, the data, the major version.

        What a search chose counts, not the search.
        """
        content = self.model_dump(mode="json", exclude={"tracking", "search"})
        for section in ("distill", "engine", "calibration"):
            if content[section] is None:
                content.pop(section)  # as it was before there was such a section
        identity = [content, fingerprint, version.split(".")[0]]
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


class PromptSettings(Section):
    """What a person in front of the camera is asked to show, see `ferbench.realtime.prompts`."""

    classes: str = "fer7"
    seconds: float = Field(5.0, gt=0)
    settle: float = Field(1.0, ge=0)
    rounds: int = Field(1, ge=1)


class ComparisonSettings(Section):
    """How recognizers are compared on the same replayed frames.

    Attributes:
        dataset: Whose faces are replayed; None: FER2013, or rendered faces where it is not on this machine.
        split: Which of them; the ledger notes the test split.
        n_frames: How many frames, each with a face of its own; None: one for each face.
        n_paced: How many of them are shown once more at `fps`, as a camera would show them.
        fps: Of those.
        surroundings: How far a face goes on beyond its box, in sides of it; 0: it ends at a straight edge.
        block: Frames that one recognizer is shown before the next one's turn; the order rotates from block to block.
            All of them are in memory, 0.9 MB each.
    """

    dataset: str | None = None
    split: Literal["validation", "test"] = "validation"
    n_frames: int | None = Field(None, ge=1)
    n_paced: int = Field(300, ge=0)
    fps: float = Field(30.0, gt=0)
    surroundings: float = Field(0.2, ge=0, le=0.5)
    block: int = Field(100, ge=1, le=1000)


class RealtimeConfig(Section):
    """A camera loop: where frames come from, what finds faces and what tells their emotions.

    Attributes:
        source: "camera" with `address`, "video" or "folder" with `path`, "replay".
        detectors: Those that can be chosen, the first one first.
        recognizers: Names of shipped ones or folders of saved ones, the first one first.
        certainty: A face whose most probable emotion has less than this reads "uncertain".
        smoothing: Weight of a face's newest probabilities against those of the frames before; None: no smoothing.
    """

    kind: Literal["realtime"] = "realtime"
    name: str = Field("realtime", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)
    seed: int = Field(0, ge=0)
    source: Component = Component(name="camera", params={"address": 0})
    detectors: tuple[Component, ...] = Field((Component(name="haar"),), min_length=1)
    recognizers: tuple[str, ...] = Field(("cnn9", "hog_svm", "lbp_svm"), min_length=1)
    certainty: float = Field(0.4, ge=0, le=1)
    smoothing: float | None = Field(None, gt=0, le=1)
    prompts: PromptSettings | None = None
    comparison: ComparisonSettings = ComparisonSettings()
    tracking: TrackingComponent = TrackingComponent()


C = TypeVar("C", ExperimentConfig, RealtimeConfig)
_TAKEN_BY = {"experiment": "run", "realtime": "realtime"}


def load_experiment(path: str | Path, overrides: list[str] | None = None) -> ExperimentConfig:
    """Read an experiment's YAML file.

    Args:
        path: The file.
        overrides: `key.subkey=value` texts, applied in order; the value is read as YAML.

    Raises:
        ConfigError: the file is missing or no YAML, or a key or value is not accepted; the message suggests a mend.
    """
    return _load(path, overrides, ExperimentConfig)


def load_realtime(path: str | Path | None = None, overrides: list[str] | None = None) -> RealtimeConfig:
    """Read a camera loop's YAML file; without one, the defaults. Otherwise as `load_experiment`."""
    return _load(path, overrides, RealtimeConfig)


def _load(path: str | Path | None, overrides: list[str] | None, schema: type[C]) -> C:
    content = {} if path is None else _read(Path(path))
    for override in overrides or []:
        _override(content, override)
    wanted, kind = schema.model_fields["kind"].default, content.get("kind")
    if kind in _TAKEN_BY and kind != wanted:
        raise ConfigError(f"{path} is of the kind '{kind}': python -m ferbench {_TAKEN_BY[kind]} takes it.")
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{path or '--set'}: {explain(error, schema)}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}. Give the path of an experiment's YAML file."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold keys and values (name, dataset, ...), got {type(content).__name__}.")
    return content


def assignments(overrides: list[str]) -> dict[str, Any]:
    """What `key=value` texts say, nested by the dots in their keys.

    Raises:
        ConfigError: one is not of this form.
    """
    content: dict[str, Any] = {}
    for override in overrides:
        _override(content, override)
    return content


def with_values(config: ExperimentConfig, values: Mapping[str, Any]) -> ExperimentConfig:
    """The configuration with other values under some keys, checked as a file would be.

    Args:
        config: An experiment.
        values: By key, parts joined by dots.

    Raises:
        ConfigError: a key or value is not accepted.
    """
    content = config.model_dump(mode="json")
    for key, value in values.items():
        _set(content, key, value, key)
    try:
        return ExperimentConfig.model_validate(content)
    except ValidationError as error:
        raise ConfigError(explain(error, ExperimentConfig)) from error


def to_yaml(config: ExperimentConfig) -> str:
    """The configuration as YAML text that `load_experiment` reads back."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def _override(content: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise ConfigError(f"--set takes key=value (training.epochs=1), got '{override}'.")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {override}: the value is not YAML.") from error
    _set(content, key, value, f"--set {override}")


def _set(content: dict[str, Any], key: str, value: Any, source: str) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        if content.get(parent) is None:
            content[parent] = {}
        content = content[parent]
        if not isinstance(content, dict):
            raise ConfigError(f"{source}: '{parent}' holds a value, not keys.")
    content[last] = value


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
