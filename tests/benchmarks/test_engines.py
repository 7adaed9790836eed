"""Every shipped network through every installed engine at every precision, in one run, each taking its turns."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import pytest

from ferbench import registry
from ferbench.data.synthetic import load_synthetic
from ferbench.engines.converting import convert
from ferbench.engines.publishing import is_exported
from ferbench.recognizers.base import Recognizer
from ferbench.timing import summarize

NETWORKS = [name for name in registry.shipped() if list((registry.WEIGHTS / name).glob("*.weights.h5"))]
EXPORTED = [name for name in registry.shipped() if is_exported(registry.WEIGHTS / name)]
ENGINES = [name for name in registry.names("engines") if registry.get("engines", name).is_installed()]
FORMS = [(engine, precision) for engine in ENGINES for precision in registry.get("engines", engine).precisions]
ROUNDS, TURN, BATCH = 40, 25, 64


class Form(NamedTuple):
    """A network as it can be run, and what was seen of it."""

    recognizer: Recognizer
    load_seconds: float
    singles: list[float]
    batches: list[float]


@pytest.fixture(scope="module")
def faces():
    return load_synthetic(n_train=140, n_validation=140, n_test=70)


@pytest.fixture(scope="module")
def folders(faces, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str, str], Path]:
    """Timing depends on no pixel, so drawn faces calibrate."""
    made = {}
    for name in NETWORKS:
        recognizer = registry.load(name)
        for engine, precision in FORMS:
            folder = tmp_path_factory.mktemp("forms") / "model"
            convert(registry.find(name), recognizer, engine, precision, dataset=faces).save(folder)
            made[name, engine, precision] = folder
    return made


@pytest.mark.parametrize("threads", [1, 2])
def test_recognizer_engine_precision(threads: int, benchmark, folders, faces) -> None:
    images = faces.validation.images
    forms = {}
    for key, folder in folders.items():
        forms[key] = _loaded(folder, threads)
    if threads == 1:
        forms |= {(name, "keras", "float32"): _loaded(registry.find(name), threads) for name in NETWORKS}
    order = list(forms.values())
    for form in order:
        form.recognizer.predict_proba(images[:BATCH])
        form.recognizer.predict_proba(images[:1])
    for turn in range(ROUNDS):
        start = turn % len(order)
        for form in order[start:] + order[:start]:
            form.singles.extend(_seconds(form.recognizer, images[row : row + 1]) for row in range(TURN))
            if turn % 4 == 0:
                form.batches.append(_seconds(form.recognizer, images[:BATCH]))
    for (name, engine, precision), form in forms.items():
        single, batch = summarize(form.singles, 1), summarize(form.batches, BATCH)
        row = single.model_dump(include={"p50_ms", "p90_ms", "p99_ms", "n"})
        row |= {"images_per_second_64": batch.images_per_second, "load_seconds": form.load_seconds}
        row |= {"size_bytes": form.recognizer.info().size_bytes, "threads": threads}
        benchmark.extra_info[f"{name} {engine} {precision}"] = row
        print(
            f"\n{name} {engine} {precision} threads {threads}: p50 {single.p50_ms:.3f} p90 {single.p90_ms:.3f} "
            f"p99 {single.p99_ms:.3f} ms, {batch.images_per_second:.0f}/s at {BATCH}, "
            f"{row['size_bytes']:,} bytes, loaded in {form.load_seconds:.2f} s",
            end="",
        )
    benchmark.pedantic(order[0].recognizer.predict_proba, args=(images[:1],), rounds=3)


@pytest.mark.parametrize(("engine", "precision"), FORMS)
def test_the_interface_costs_little_over_the_bare_engine(engine: str, precision: str, compare, folders, faces) -> None:
    assert _interface_ratio(registry.load(folders[NETWORKS[0], engine, precision]), compare, faces) < 1.3


@pytest.mark.parametrize("name", EXPORTED)
def test_the_interface_of_what_is_shipped_costs_little_over_the_bare_engine(name: str, compare, faces) -> None:
    assert _interface_ratio(registry.load(name), compare, faces) < 1.3


def _interface_ratio(recognizer: Recognizer, compare, faces) -> float:
    face = faces.validation.images[:1]
    pixels = face[..., None]

    def bare() -> None:
        for _ in range(100):
            recognizer.engine_(pixels)

    def ours() -> None:
        for _ in range(100):
            recognizer.predict_proba(face)

    return compare(bare, ours)


def _loaded(folder: Path, threads: int) -> Form:
    start = time.perf_counter()
    recognizer = registry.load(folder)
    seconds = time.perf_counter() - start
    if threads > 1:
        recognizer.threads = threads
        recognizer._load(folder)
    return Form(recognizer, seconds, [], [])


def _seconds(recognizer: Recognizer, images) -> float:
    start = time.perf_counter()
    recognizer.predict_proba(images)
    return time.perf_counter() - start
