"""A trained recognizer on a dataset, its own or another."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ferbench import __version__
from ferbench.config import Component, DatasetComponent, ExperimentConfig
from ferbench.data.dataset import Dataset
from ferbench.data.emotions import label_set_name
from ferbench.environment import Environment
from ferbench.evaluation import Evaluation, Origin, SharedAnswers, origin_of, share
from ferbench.protocol import held_out, score_split, score_test
from ferbench.recognizers.header import Header, read_header
from ferbench.registry import create, find, load
from ferbench.report.evaluations import write_evaluation
from ferbench.results import now


def evaluate(
    name_or_directory: str | Path,
    dataset_name: str = "fer2013",
    *,
    split: Literal["validation", "test"] = "validation",
    reports: Path = Path("reports"),
    record: bool = False,
) -> Evaluation:
    """Score a trained recognizer on a dataset, its own or another, under the classes that both tell apart.

    A scoring of the test split is noted in the ledger of `reports`.

    Args:
        name_or_directory: As for `ferbench.load`.
        dataset_name: A registered dataset.
        split: "validation", or "test".
        reports: Where the ledger is.
        record: Keep it under `reports`, with the predictions, for the report.

    Raises:
        ConfigError: recognizer and dataset share no class.
        DataError: the record cannot be written.
    """
    recognizer, origin = load(name_or_directory), origin_of(name_or_directory)
    dataset: Dataset = create("datasets", dataset_name)
    card = dataset.card()
    sharing = share(recognizer.classes, dataset.classes, card.counts[split])
    known = dataset.with_classes(sharing.scored[: len(sharing.scored) - len(sharing.absent)])
    asked = SharedAnswers(recognizer, sharing) if sharing.merged or sharing.absent else recognizer
    if split == "validation":
        faces, clean = known.validation, None
        scores, probabilities = score_split(asked, faces)
    else:
        header = read_header(find(name_or_directory))
        config = _configured(origin, header, dataset_name)
        key = config.result_key(known.fingerprint() + "".join(sorted(header.files.values())), __version__)
        scored = score_test(asked, known, config, key, reports, reason="evaluate")
        faces, scores, clean, probabilities = held_out(known), scored.full, scored.clean, scored.probabilities
    found = Evaluation(
        recognizer=origin,
        classes=recognizer.classes,
        dataset=dataset.name,
        dataset_classes=dataset.classes,
        fingerprint=card.fingerprint,
        is_synthetic=dataset.is_synthetic,
        split=split,
        sharing=sharing,
        n_split=sum(card.counts[split].values()),
        scores=scores,
        clean=clean,
        environment=Environment.capture(),
        created_at=now(),
    )
    if record:
        write_evaluation(found, reports, (faces, probabilities))
    return found


def _configured(origin: Origin, header: Header, dataset_name: str) -> ExperimentConfig:
    """What the ledger has in place of the configuration that fitted it."""
    return ExperimentConfig(
        name=f"evaluate.{origin.experiment}",
        seed=int(header.params.get("seed", 0)),
        dataset=DatasetComponent(name=dataset_name),
        classes=label_set_name(header.classes) or ",".join(header.classes),
        recognizer=Component(name=header.name, params=header.params),
    )
