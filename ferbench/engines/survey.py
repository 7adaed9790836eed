"""Every recognizer through every installed engine at every precision: what each form loses and what it costs."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ferbench import registry
from ferbench.data.dataset import Dataset
from ferbench.engines.choice import KERAS
from ferbench.engines.converting import convert
from ferbench.engines.engine import Engine, Precision
from ferbench.engines.gate import Quality, Reference, Verdict, judge, read_verdict
from ferbench.engines.installed import installed_bytes
from ferbench.engines.processes import measure_footprint, measure_times
from ferbench.engines.record import Form, Survey, Timing
from ferbench.environment import Environment, git_commit
from ferbench.errors import ConfigError, FerbenchError
from ferbench.recognizers.exported import Exported
from ferbench.recognizers.header import read_header
from ferbench.types import ProgressHook

NATIVE = "native"
"""The engine of what is no network: ferbench's own code on NumPy."""

_N_FACES = 512  # faces to draw single ones and batches from
_UNNEEDED = ("tensorflow", "keras")  # what is exported answers where these are not installed


class _Made(NamedTuple):
    """A form before it is timed; `folders` by number of threads."""

    recognizer: str
    engine: str
    precision: Precision
    quality: Quality
    multiply_adds: int | None
    verdict: Verdict | None
    folders: dict[int, Path]

    @property
    def is_exported(self) -> bool:
        return self.engine not in (KERAS, NATIVE)


def survey_engines(
    names: Sequence[str],
    dataset: Dataset,
    *,
    threads: Sequence[int] = (1, 2),
    engines: Sequence[str] | None = None,
    n_queries: int = 1000,
    on_progress: ProgressHook = lambda stage, done, total: None,
) -> Survey:
    """Convert, judge and time, all in one run.

    For each number of threads, one process times all forms by turns; NumPy's and TensorFlow's threads are set in it as
    the engines' are.

    Args:
        names: As for `ferbench.load`: networks, which engines run, and others, which run as they are.
        dataset: Its training faces calibrate, its validation faces judge and are timed on.
        threads: Each number is timed by itself.
        engines: Registered ones; None: those installed.
        n_queries: Single faces that each form is timed on; below 1,000 there is no p99.
        on_progress: Called as work goes on.

    Raises:
        ConfigError: there is nothing to survey, or a number of threads is below 1.
        UnknownNameError, DataError: a recognizer or an engine cannot be found or loaded.
        MissingLibraryError: a named engine is not installed.
        RunFailedError: a process that measures ended early.
    """
    if not names or not threads or min(threads) < 1:
        raise ConfigError(f"A survey needs a recognizer and numbers of threads from 1, got {list(names)}, {threads}.")
    chosen, commit = _engines(engines), git_commit()
    with tempfile.TemporaryDirectory() as scratch:
        made: list[_Made] = []
        left_out: dict[str, str] = {}
        for number, name in enumerate(names):
            on_progress("convert and judge", number, len(names))
            forms, failures = _forms(name, dataset, chosen, threads, Path(scratch) / f"form{number}")
            made += forms
            left_out |= failures
        faces = Path(scratch) / "faces.npy"
        np.save(faces, np.asarray(dataset.validation.images[:_N_FACES]))
        measured = _measured(made, faces, threads, n_queries, on_progress)
    run_on = dict.fromkeys(form.engine for form in made if form.is_exported)
    return Survey(
        dataset=dataset.name,
        fingerprint=dataset.fingerprint(),
        is_synthetic=dataset.is_synthetic,
        n=len(dataset.validation.images),
        threads=tuple(threads),
        forms=measured,
        left_out=left_out,
        installed_bytes={name: installed_bytes(registry.get("engines", name)) for name in run_on},
        environment=Environment.capture(commit),
        created_at=datetime.now(UTC).replace(microsecond=0),
    )


def _engines(wanted: Sequence[str] | None) -> dict[str, type[Engine]]:
    engines = {name: registry.get("engines", name) for name in wanted or registry.names("engines")}
    if wanted is None:
        return {name: engine for name, engine in engines.items() if engine.is_installed()}
    for engine in engines.values():
        engine.load_library()
    return engines


def _forms(
    name: str, dataset: Dataset, engines: Mapping[str, type[Engine]], threads: Sequence[int], scratch: Path
) -> tuple[list[_Made], dict[str, str]]:
    """All forms of one recognizer, the one that it is saved in first, and why others could not be made."""
    origin = registry.find(name)
    recognizer = registry.load(origin)
    dataset = dataset.with_classes(recognizer.classes)
    reference = Reference(recognizer, dataset.name, dataset.validation)
    quality = Quality(**{key: getattr(reference.scores, key) for key in Quality.model_fields})
    if isinstance(recognizer, Exported):
        folders = _folders(recognizer, threads, scratch / "own")
        own = recognizer.engine, recognizer.precision
        return [_Made(recognizer.source, *own, quality, None, read_verdict(origin), folders)], {}
    is_network = hasattr(recognizer, "network_")
    engine_of_its_own = KERAS if is_network else NATIVE
    counted = recognizer.info().multiply_adds
    made = [_Made(name, engine_of_its_own, "float32", quality, counted, None, dict.fromkeys(threads, origin))]
    failures: dict[str, str] = {}
    for engine, precision in _wanted(engines) if is_network else []:
        try:
            form = convert(origin, recognizer, engine, precision, dataset=dataset)
            verdict = judge(reference, form, engine=engine, precision=precision)
        except FerbenchError as error:
            failures[f"{name} {engine} {precision}"] = str(error)
            continue
        folders = _folders(form, threads, scratch / f"{engine}_{precision}")
        made.append(_Made(name, engine, precision, verdict.exported, counted, verdict, folders))
    return made, failures


def _wanted(engines: Mapping[str, type[Engine]]) -> list[tuple[str, Precision]]:
    return [(name, precision) for name, engine in engines.items() for precision in engine.precisions]


def _folders(form: Exported, threads: Sequence[int], scratch: Path) -> dict[int, Path]:
    folders = {}
    for count in threads:
        folders[count] = scratch / f"threads{count}"
        form.with_threads(count).save(folders[count])
    return folders


def _measured(
    made: Sequence[_Made], faces: Path, threads: Sequence[int], n_queries: int, on_progress: ProgressHook
) -> tuple[Form, ...]:
    footprints = []
    for number, form in enumerate(made):
        on_progress("load", number, len(made))
        without = _UNNEEDED if form.is_exported else ()
        footprints.append(measure_footprint(form.folders[threads[0]], faces, without=without))
    timings: list[list[Timing]] = [[] for _ in made]
    for number, count in enumerate(threads):
        on_progress("time", number, len(threads))
        times = measure_times([form.folders[count] for form in made], faces, threads=count, n_queries=n_queries)
        for row, (single, batch) in zip(timings, times, strict=True):
            row.append(Timing(threads=count, single=single, batch=batch))
    on_progress("time", len(threads), len(threads))
    return tuple(
        Form(
            recognizer=form.recognizer,
            engine=form.engine,
            precision=form.precision,
            accuracy=form.quality.accuracy,
            macro_f1=form.quality.macro_f1,
            multiply_adds=form.multiply_adds,
            size_bytes=_size(form.folders[threads[0]]),
            verdict=form.verdict,
            timings=tuple(row),
            **footprint,
        )
        for form, footprint, row in zip(made, footprints, timings, strict=True)
    )


def _size(directory: Path) -> int:
    return sum((directory / name).stat().st_size for name in read_header(directory).files)
