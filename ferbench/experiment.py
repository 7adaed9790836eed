"""One experiment from configuration to result: the only place where everything meets.

`train` fits, `validation` chooses, `test` is scored once a finished configuration; `protocol.py` sees to the last.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from ferbench import __version__
from ferbench.config import Component, DatasetComponent, ExperimentConfig
from ferbench.data.dataset import Dataset, Split, data_home
from ferbench.data.emotions import classes_of, describe_map, label_set_name
from ferbench.engines.answering import answer_through, check_engine, save_form
from ferbench.engines.gate import Verdict
from ferbench.environment import Environment, git_commit, n_cores, peak_memory_bytes
from ferbench.errors import ConfigError, DataError, DatasetMissingError
from ferbench.evaluation import Evaluation, SharedAnswers, origin_of, share
from ferbench.protocol import held_out, score_split, score_test
from ferbench.recognizers.base import Recognizer, ignore_epoch, ignore_progress
from ferbench.recognizers.deep.distillation import Distillation, lesson
from ferbench.recognizers.deep.recipe import Training
from ferbench.recognizers.header import read_header
from ferbench.registry import create, find, load, schema_of
from ferbench.registry import get as get_registered
from ferbench.report.figures import draw_figures
from ferbench.results import (
    Cost,
    Protocol,
    RecognizerCard,
    RunResult,
    now,
    read_result,
    result_directory,
    write_predictions,
    write_result,
)
from ferbench.timing import Latency, measure
from ferbench.tracking import NullTracker, Tracker
from ferbench.types import EpochHook, Probabilities, ProgressHook

Notice = Callable[[str], None]

_LESSON_IMAGES = 1024


class Resolved(NamedTuple):
    """A configuration with every default filled in, and what it names."""

    config: ExperimentConfig
    dataset: Dataset
    recognizer: Recognizer
    key: str


def run(
    config: ExperimentConfig,
    tracker: Tracker | None = None,
    reports: Path = Path("reports"),
    *,
    resume: bool = False,
    force: bool = False,
    validation_only: bool = False,
    tags: Mapping[str, str] | None = None,
    on_epoch: EpochHook = ignore_epoch,
    on_progress: ProgressHook = ignore_progress,
    notice: Notice = lambda text: None,
) -> RunResult:
    """Fit, choose on validation, score the test split once, time, track and write.

    Args:
        config: From `load_experiment`.
        tracker: Where to track; None: nowhere.
        reports: Results go to `<reports>/<experiment>/<dataset>/seed<k>`, test scorings to its ledger.
        resume: Go on from the checkpoint of a training of the same configuration that was interrupted.
        force: Fit again although the same configuration is finished.
        validation_only: Leave the test split alone; a later run without it scores the saved model.
        tags: Further ones for the tracked run.
        on_epoch: Receives the curve.
        on_progress: Receives progress.
        notice: Receives sentences a person should read.

    Returns:
        What was written to `result.json`.

    Raises:
        ConfigError, DataError: it cannot be run as configured; nothing was fitted.
    """
    if config.search is not None:
        raise ConfigError("The experiment has a 'search' section: run what ferbench.search(config) returns.")
    config, dataset, recognizer, key = resolve(config, notice)
    directory = result_directory(reports, config)
    finished = None if force else _finished(directory, key)
    if finished and (finished.test or validation_only):
        notice(f"Finished before, reused: {directory / 'result.json'}. --force fits again.")
        return finished
    _make_writable(directory)
    checkpoints = data_home() / "checkpoints" / key
    if not finished:
        _prepare_checkpoints(checkpoints, resume, notice)
    own = {"protocol": "validation only" if validation_only else "test once", "family": recognizer.family}
    own |= {"commit": git_commit() or "unknown", "config_hash": key}
    with (tracker or NullTracker()).open(config, {**own, **(tags or {})}) as tracked:

        def follow(epoch: int, values: Mapping[str, float]) -> None:
            tracked.on_epoch(epoch, values)
            on_epoch(epoch, values)

        if finished:
            notice("Fitted before and scored on validation only: its saved model is scored on the test split now.")
            result = _score_finished(finished, dataset, directory, reports, on_progress)
            for epoch, values in enumerate(result.curve, start=1):
                tracked.on_epoch(epoch, values)
        else:
            result = _fit_and_score(
                Resolved(config, dataset, recognizer, key),
                directory,
                reports,
                checkpoints,
                validation_only=validation_only,
                on_epoch=follow,
                on_progress=on_progress,
                notice=notice,
            )
        write_result(result, directory)
        draw_figures(result, directory)
        tracked.log(result, directory)
    shutil.rmtree(checkpoints, ignore_errors=True)
    return result


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
        check_engine(target, config.engine.name, config.engine.precision)
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
    taught_by = _teacher(config.distill, dataset.classes)[1] if config.distill else ""
    return Resolved(config, dataset, recognizer, config.result_key(dataset.fingerprint() + taught_by, __version__))


def evaluate(
    name_or_directory: str | Path,
    dataset_name: str = "fer2013",
    *,
    split: Literal["validation", "test"] = "validation",
    reports: Path = Path("reports"),
) -> Evaluation:
    """Score a trained recognizer on a dataset, its own or another, under the classes that both tell apart.

    A scoring of the test split is noted in the ledger of `reports`.

    Args:
        name_or_directory: As for `ferbench.load`.
        dataset_name: A registered dataset.
        split: "validation", or "test".
        reports: Where the ledger is.

    Raises:
        ConfigError: recognizer and dataset share no class.
    """
    recognizer, origin = load(name_or_directory), origin_of(name_or_directory)
    dataset: Dataset = create("datasets", dataset_name)
    card = dataset.card()
    sharing = share(recognizer.classes, dataset.classes, card.counts[split])
    known = dataset.with_classes(sharing.scored[: len(sharing.scored) - len(sharing.absent)])
    asked = SharedAnswers(recognizer, sharing) if sharing.merged or sharing.absent else recognizer
    if split == "validation":
        scores, clean = score_split(asked, known.validation)[0], None
    else:
        header = read_header(find(name_or_directory))
        config = ExperimentConfig(
            name=f"evaluate.{origin.experiment}",
            seed=int(header.params.get("seed", 0)),
            dataset=DatasetComponent(name=dataset_name),
            classes=label_set_name(recognizer.classes) or ",".join(recognizer.classes),
            recognizer=Component(name=recognizer.name, params=header.params),
        )
        weights = "".join(sorted(header.files.values()))
        key = config.result_key(known.fingerprint() + weights, __version__)
        scored = score_test(asked, known, config, key, reports, reason="evaluate")
        scores, clean = scored.full, scored.clean
    return Evaluation(
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


def _finished(directory: Path, key: str) -> RunResult | None:
    """What an earlier run of this configuration left here; a result without its model came from elsewhere."""
    path = directory / "result.json"
    if not path.is_file():
        return None
    try:
        result = read_result(path)
    except DataError:
        return None
    is_whole = (directory / "predictions.npz").is_file() and (directory / "model" / "recognizer.json").is_file()
    return result if result.config_hash == key and is_whole else None


def _make_writable(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise DataError(
            f"The output folder {directory} cannot be written ({error.strerror}): choose another with --reports."
        ) from error


def _prepare_checkpoints(checkpoints: Path, resume: bool, notice: Notice) -> None:
    kept = checkpoints.is_dir() and any(checkpoints.iterdir())
    if resume and not kept:
        notice("There is no checkpoint of this configuration: the training starts from the beginning.")
    elif kept and not resume:
        notice("A checkpoint of this configuration was discarded: --resume would have gone on from it.")
        shutil.rmtree(checkpoints, ignore_errors=True)


def _fit_and_score(
    resolved: Resolved,
    directory: Path,
    reports: Path,
    checkpoints: Path,
    *,
    validation_only: bool,
    on_epoch: EpochHook,
    on_progress: ProgressHook,
    notice: Notice,
) -> RunResult:
    config, dataset, recognizer, key = resolved
    curve: dict[int, dict[str, float]] = {}

    def follow(epoch: int, values: Mapping[str, float]) -> None:
        curve[epoch] = dict(values)
        on_epoch(epoch, values)

    is_resumed = checkpoints.is_dir()
    start, cpu_start = time.perf_counter(), time.process_time()
    targets = _targets(dataset.train)
    if config.distill:
        targets = _taught(config.distill, dataset, targets, on_progress)
    recognizer.fit(
        dataset.train.images,
        dataset.train.labels,
        classes=dataset.classes,
        targets=targets,
        validation=(dataset.validation.images, dataset.validation.labels),
        on_epoch=follow,
        on_progress=on_progress,
        checkpoints=checkpoints,
        calibration=config.calibration,
    )
    fit_seconds, fit_cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    epochs = tuple(curve[epoch] for epoch in sorted(curve))
    recognizer.save(directory / "model")
    info, choices = recognizer.info(), _choices(recognizer)
    recognizer, folder, gate = _answering(config, recognizer, dataset, directory, on_progress, notice)
    validation, probabilities = score_split(recognizer, dataset.validation)
    predictions = {"validation": (dataset.validation, probabilities)}
    latency = _time(recognizer, dataset, config, on_progress)
    cost = Cost(
        n_parameters=info.n_parameters,
        size_bytes=sum(path.stat().st_size for path in folder.iterdir()),
        fit_seconds=max(fit_seconds, sum(values.get("seconds", 0.0) for values in epochs)),
        fit_cpu_seconds=fit_cpu_seconds,
        peak_memory_bytes=peak_memory_bytes(),
        n_cores=n_cores(),
        latency=latency,
        multiply_adds=info.multiply_adds,
        receptive_field=info.receptive_field,
    )
    test = None if validation_only else score_test(recognizer, dataset, config, key, reports, reason="run")
    if test:
        predictions["test"] = (held_out(dataset), test.probabilities)
    write_predictions(directory / "predictions.npz", dataset.classes, predictions)
    return RunResult(
        config=config,
        config_hash=key,
        dataset=dataset.card(),
        protocol=Protocol(choices=choices, test_scorings=test.n_scorings if test else 0, resumed=is_resumed),
        recognizer=RecognizerCard(
            name=info.name,
            family=info.family,
            classes=info.classes,
            image_size=info.image_size,
            params=info.params,
        ),
        validation=validation,
        test=test.full if test else None,
        clean_test=test.clean if test else None,
        cost=cost,
        curve=epochs,
        environment=Environment.capture(),
        created_at=now(),
        gate=gate,
    )


def _answering(
    config: ExperimentConfig,
    recognizer: Recognizer,
    dataset: Dataset,
    directory: Path,
    on_progress: ProgressHook,
    notice: Notice,
) -> tuple[Recognizer, Path, Verdict | None]:
    """What is scored and timed, where it lies, and what the gate says of it: the fitted one, or its engine's form."""
    model, settings, form = directory / "model", config.engine, None
    shutil.rmtree(directory / "engine", ignore_errors=True)
    if settings:
        on_progress(f"engine {settings.name}", 0, 1)
        precision, threads = settings.precision, settings.threads
        form = answer_through(settings.name, model, recognizer, dataset, precision=precision, threads=threads)
        on_progress(f"engine {settings.name}", 1, 1)
    if form is None:
        return recognizer, model, None
    exported, verdict = form
    save_form(exported, verdict, directory / "engine", model, dataset)
    if not verdict.passed:
        notice(f"The gate failed for {exported.display_name}: {'; '.join(verdict.failures)}. The scores are its own.")
    return exported, directory / "engine", verdict


def _choices(recognizer: Recognizer) -> dict[str, Any]:
    """What validation chose: of the recognizer itself, and the temperature of its answers."""
    scaled = {} if recognizer.temperature_ is None else {"temperature": round(recognizer.temperature_, 4)}
    return recognizer.choices() | scaled


def _targets(split: Split) -> Probabilities | None:
    """Several taggers' votes as soft targets, rows summing to 1; None where nobody voted."""
    return None if split.votes is None else split.votes / split.votes.sum(axis=1, keepdims=True)


def _teacher(settings: Distillation, classes: tuple[str, ...]) -> tuple[Path, str]:
    """Where the teacher is, and what makes it this one and no other.

    Raises:
        ConfigError: it tells other classes apart.
        UnknownNameError, DataError: see `registry.load`.
    """
    directory = find(settings.teacher)
    header = read_header(directory)
    if header.classes != classes:
        raise ConfigError(
            f"distill.teacher {settings.teacher} tells {', '.join(header.classes)} apart and the student "
            f"{', '.join(classes)}: name a teacher of the same classes."
        )
    return directory, "".join(sorted(header.files.values()))


def _taught(
    settings: Distillation, dataset: Dataset, votes: Probabilities | None, on_progress: ProgressHook
) -> Probabilities:
    """The teacher's answers to the training faces, blended with their labels."""
    images, labels = dataset.train.images, dataset.train.labels
    teacher = load(_teacher(settings, dataset.classes)[0])
    answers = []
    for start in range(0, len(images), _LESSON_IMAGES):
        on_progress(f"teacher {teacher.name}", start, len(images))
        answers.append(teacher.predict_proba(images[start : start + _LESSON_IMAGES]))
    on_progress(f"teacher {teacher.name}", len(images), len(images))
    return lesson(np.concatenate(answers), labels, settings, targets=votes)


def _time(
    recognizer: Recognizer, dataset: Dataset, config: ExperimentConfig, on_progress: ProgressHook
) -> tuple[Latency, ...]:
    latency = []
    for index, size in enumerate(config.timing.batch_sizes):
        on_progress(f"timing, batch {size}", index, len(config.timing.batch_sizes))
        latency.append(measure(recognizer, dataset.validation.images, size, config.timing))
    return tuple(latency)


def _score_finished(
    finished: RunResult, dataset: Dataset, directory: Path, reports: Path, on_progress: ProgressHook
) -> RunResult:
    """Score and time the model that an earlier run on validation only has left; its fit is not repeated."""
    recognizer = load(directory / ("engine" if finished.gate else "model"))
    cost = finished.cost.model_copy(update={"latency": _time(recognizer, dataset, finished.config, on_progress)})
    test = score_test(recognizer, dataset, finished.config, finished.config_hash, reports, reason="run")
    _, probabilities = score_split(recognizer, dataset.validation)
    write_predictions(
        directory / "predictions.npz",
        dataset.classes,
        {"validation": (dataset.validation, probabilities), "test": (held_out(dataset), test.probabilities)},
    )
    protocol = finished.protocol.model_copy(update={"test_scorings": test.n_scorings})
    update = {"test": test.full, "clean_test": test.clean, "protocol": protocol, "cost": cost}
    return finished.model_copy(update=update)
