"""A trained recognizer on a dataset whose classes need not be its own: what is scored against what.

Nothing is loaded, asked or scored here.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from ferbench import registry
from ferbench.data.emotions import counterpart
from ferbench.environment import Environment
from ferbench.errors import ConfigError
from ferbench.metrics import Scores
from ferbench.recognizers.header import FILENAME, read_header, sha256_of
from ferbench.results import Record
from ferbench.types import Images, Probabilities


class Asked(Protocol):
    """Something with a name that tells classes apart."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Of the columns of its answers."""

    def predict_proba(self, images: Images) -> Probabilities:
        """See `Recognizer.predict_proba`."""


class Origin(Record):
    """Which trained recognizer.

    Attributes:
        experiment: Of the run that fitted it; of a shipped or exported recognizer its name.
        seed: That fitted it.
        weights: sha256 of all its files together.
        fitted_on: The dataset; None where neither result nor card says it.
        recognizer_sha256: Of its `recognizer.json`; None in older records.
    """

    experiment: str
    seed: int
    weights: str
    fitted_on: str | None
    recognizer_sha256: str | None = None


class Sharing(Record):
    """How a recognizer's classes and a dataset's meet.

    Attributes:
        scored: Classes under which faces and answers are compared: those with faces first.
        dropped: Faces left out, by their class, which the recognizer does not know.
        moved: By class of the dataset, the class of the recognizer that its faces count as.
        merged: By class of the recognizer, the class that its answers count as, as the dataset has the two in one.
        absent: Classes of the recognizer that no face of the dataset has: as an answer, always wrong.
    """

    scored: tuple[str, ...]
    dropped: dict[str, int]
    moved: dict[str, str]
    merged: dict[str, str]
    absent: tuple[str, ...]

    def sentences(self) -> list[str]:
        """What happened to classes that are not shared; empty where all are."""
        found = [f"{n:,} faces of {name} are left out: the recognizer does not know it" for name, n in self._dropped()]
        found += [f"faces of {name} count as {target}" for name, target in self.moved.items()]
        found += [f"the answer {name} counts as {target}" for name, target in self.merged.items()]
        found += [f"no face is {name}: as an answer it is always wrong" for name in self.absent]
        return [f"{text[0].upper()}{text[1:]}." for text in found]

    def _dropped(self) -> list[tuple[str, int]]:
        return sorted(self.dropped.items(), key=lambda one: (-one[1], one[0]))


class Evaluation(Record):
    """A trained recognizer's scores on a dataset.

    Attributes:
        recognizer: Which one.
        classes: What it tells apart.
        dataset: Registry name.
        dataset_classes: The dataset's own.
        fingerprint: Of the dataset under its own classes.
        n_split: Faces of the split, of which `scores.n` were scored.
        clean: Scores of the clean test split; None on validation.
        predictions_sha256: Of the predictions that lie beside the record; None where none are stored.
    """

    schema_version: Literal[1] = 1
    recognizer: Origin
    classes: tuple[str, ...]
    dataset: str
    dataset_classes: tuple[str, ...]
    fingerprint: str
    is_synthetic: bool
    split: Literal["validation", "test"]
    sharing: Sharing
    n_split: int
    scores: Scores
    clean: Scores | None
    environment: Environment
    created_at: datetime
    predictions_sha256: str | None = None

    @property
    def is_cross_dataset(self) -> bool:
        """Whether it was fitted on another dataset."""
        return self.recognizer.fitted_on is not None and self.recognizer.fitted_on != self.dataset


class SharedAnswers:
    """A recognizer's answers in the classes that are scored; probabilities of merged classes are added up."""

    def __init__(self, recognizer: Asked, sharing: Sharing) -> None:
        self._recognizer = recognizer
        self.name = recognizer.name
        self.classes = sharing.scored
        targets = [sharing.merged.get(name, name) for name in recognizer.classes]
        self._columns = np.array([[target == name for name in self.classes] for target in targets], np.float32)

    def predict_proba(self, images: Images) -> Probabilities:
        """Float32, (n, n_classes), rows sum to 1."""
        return self._recognizer.predict_proba(images) @ self._columns


def share(classes: tuple[str, ...], dataset_classes: tuple[str, ...], counts: dict[str, int]) -> Sharing:
    """Decide what is compared with what.

    Args:
        classes: The recognizer's.
        dataset_classes: The dataset's.
        counts: Faces of each of `dataset_classes` in the split.

    Raises:
        ConfigError: no class is shared.
    """
    targets = {name: counterpart(name, classes) for name in dataset_classes}
    reached = tuple(name for name in classes if name in targets.values())
    if not reached:
        raise ConfigError(
            f"Nothing can be scored: the recognizer tells {', '.join(classes)} apart, the dataset "
            f"{', '.join(dataset_classes)}. Choose a dataset that shares a class with it."
        )
    wholes = {name: counterpart(name, reached) for name in classes if name not in reached}
    absent = tuple(name for name, whole in wholes.items() if whole is None)
    return Sharing(
        scored=(*reached, *absent),
        dropped={name: counts[name] for name, target in targets.items() if target is None},
        moved={name: target for name, target in targets.items() if target not in (None, name)},
        merged={name: whole for name, whole in wholes.items() if whole is not None},
        absent=absent,
    )


def is_saved(directory: Path) -> bool:
    """Whether a trained recognizer lies in this folder."""
    return (directory / FILENAME).is_file()


def origin_of(name_or_directory: str | Path) -> Origin:
    """What a saved recognizer's files, and the result or the card beside them, say of where it comes from.

    Raises:
        UnknownNameError, DataError: see `registry.find`.
    """
    directory = registry.find(name_or_directory)
    header = read_header(directory)
    weights = hashlib.sha256("".join(sorted(header.files.values())).encode()).hexdigest()
    name = header.name if directory.name == "model" else directory.name
    seed, fitted_on = header.params.get("seed", 0), None
    try:
        if (directory / "card.json").is_file():
            fitted_on = json.loads((directory / "card.json").read_bytes())["dataset"]
        elif directory.name == "model":
            config = json.loads((directory.parent / "result.json").read_bytes())["config"]
            name, seed, fitted_on = config["name"], config["seed"], config["dataset"]["name"]
    except (OSError, ValueError, KeyError, TypeError):
        fitted_on = None  # a recognizer can be scored whatever lies beside it
    return Origin(
        experiment=str(name),
        seed=int(seed),
        weights=weights,
        fitted_on=fitted_on,
        recognizer_sha256=sha256_of(directory / FILENAME),
    )
