"""From a trained recognizer to a folder that answers through an engine, with a verdict on what that costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from ferbench import registry
from ferbench.data.dataset import Dataset
from ferbench.engines.card import write_cards
from ferbench.engines.converting import convert, engine_for, network_of
from ferbench.engines.engine import Precision
from ferbench.engines.gate import Reference, Verdict, judge, write_verdict
from ferbench.errors import ConfigError, DataError, DatasetMissingError
from ferbench.recognizers.base import Recognizer
from ferbench.recognizers.header import check_target, read_header
from ferbench.types import ProgressHook

FORMATS = {"litert": "litert", "onnx": "onnxruntime", "openvino": "openvino"}
"""Engines by the name of the file format that they run."""


class Export(NamedTuple):
    """Where the exported recognizer lies, and what the gate says of it."""

    directory: Path
    verdict: Verdict


def export(
    name_or_directory: str | Path,
    to: str,
    *,
    precision: Precision = "float32",
    out: str | Path | None = None,
    dataset: str | None = None,
    threads: int = 1,
    on_progress: ProgressHook = lambda stage, done, total: None,
) -> Export:
    """Write a trained network as a recognizer that needs neither Keras nor TensorFlow, and ask the gate about it.

    Args:
        name_or_directory: As for `ferbench.load`: a Keras network.
        to: "litert", "onnx", "openvino", or a registered engine.
        precision: "float32", "float16" (weights alone), "int8" (all of it, calibrated on training faces), or
            "int8_dynamic" (LiteRT: weights, and values inside its heavy layers), which loses less.
        out: The folder; None: `exports/<name>_<to>_<precision>`, named after the experiment, or a shipped one's
            name, with `_seed<k>` unless that is 0. A recognizer that is there is replaced.
        dataset: Calibrates and judges; None: the one that the recognizer was trained on. Where that is not on this
            machine, the gate judges on rendered faces, and int8 is refused.
        threads: How many a call of the exported recognizer may use.
        on_progress: Called as work goes on.

    Returns:
        The folder and the verdict. The folder stays where the gate fails: `gate.json` in it says so.

    Raises:
        UnknownNameError, DataError: it cannot be loaded, or `out` overlaps with it or holds something else.
        ConfigError: it is no Keras network, or the engine has no such precision.
        MissingLibraryError: the engine is not installed.
        DatasetMissingError: int8 has no faces to be calibrated on, or the gate none to judge on.
    """
    engine = FORMATS.get(to, to)
    engine_for(engine, precision).load_library()
    origin = registry.find(name_or_directory)
    on_progress("load", 0, 3)
    recognizer = registry.load(origin)
    network_of(origin, recognizer)
    directory = Path(out) if out else Path("exports") / f"{_called(origin, recognizer)}_{to}_{precision}"
    check_target(directory, origin)
    known = find_dataset(origin, dataset, recognizer)
    reference = reference_of(recognizer, known)
    on_progress("convert", 1, 3)
    exported = convert(origin, recognizer, engine, precision, threads=threads, dataset=known)
    exported.save(directory)
    on_progress("gate", 2, 3)
    verdict = judge(reference, exported, engine=engine, precision=precision, threads=threads)
    write_verdict(verdict, directory)
    write_cards(directory, origin, exported, verdict, known)
    on_progress("gate", 3, 3)
    return Export(directory, verdict)


def find_dataset(origin: Path, name: str | None, recognizer: Recognizer) -> Dataset | None:
    """The dataset named, else the one that a saved recognizer was trained on; None where it is not on this machine.

    Raises:
        ConfigError: nothing says what it was trained on, or a dataset was named that is not here.
    """
    params: dict[str, Any] = {}
    if name is None:
        name, params = trained_on(origin)
        try:
            return _open(name, params, recognizer)
        except DatasetMissingError:
            return None
    return _open(name, params, recognizer)


def experiment_of(origin: Path) -> str:
    """What a saved recognizer is called: its run's experiment, else its folder, or its class where that says nothing.

    Raises:
        DataError: see `read_header`.
    """
    folder = origin.absolute().name
    if folder != "model":
        return folder
    try:
        return str(json.loads((origin.parent / "result.json").read_bytes())["config"]["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return read_header(origin).name


def trained_on(origin: Path) -> tuple[str, dict[str, Any]]:
    """Dataset and its parameters: by the model card, else by the result of the run that the folder belongs to.

    Raises:
        ConfigError: neither is there.
        DataError: it is damaged.
    """
    try:
        if (origin / "card.json").is_file():
            return json.loads((origin / "card.json").read_bytes())["dataset"], {}
        chosen = json.loads((origin.parent / "result.json").read_bytes())["config"]["dataset"]
        return chosen["name"], chosen["params"]
    except OSError as error:
        raise ConfigError(f"Nothing beside {origin} says what it was trained on: name a dataset.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"The card or the result beside {origin} is damaged: name a dataset.") from error


def reference_of(recognizer: Recognizer, dataset: Dataset | None) -> Reference:
    """What an exported recognizer is judged against, on validation; on rendered faces where there is no dataset.

    Raises:
        DatasetMissingError: there is none, and no rendered faces of its classes.
    """
    try:
        dataset = dataset or _open("synthetic", {}, recognizer)
    except ConfigError as error:
        raise DatasetMissingError(
            f"The gate needs validation faces, and none are rendered of {', '.join(recognizer.classes)}: "
            "prepare the dataset that it was trained on, or name one of these classes."
        ) from error
    return Reference(recognizer, dataset.name, dataset.validation)


def _open(name: str, params: dict[str, Any], recognizer: Recognizer) -> Dataset:
    dataset: Dataset = registry.create("datasets", name, params)
    return dataset.with_classes(recognizer.classes)


def _called(origin: Path, recognizer: Recognizer) -> str:
    seed = recognizer.params().get("seed", 0)
    return f"{experiment_of(origin)}_seed{seed}" if seed else experiment_of(origin)
