"""What a recognizer that was just fitted answers through: the engine that its experiment names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ferbench import registry
from ferbench.data.dataset import Dataset
from ferbench.engines.card import write_cards
from ferbench.engines.choice import AUTO, KERAS
from ferbench.engines.converting import convert, engine_for
from ferbench.engines.engine import Engine, Precision
from ferbench.engines.gate import Reference, Verdict, judge, write_verdict
from ferbench.errors import ConfigError
from ferbench.recognizers.base import Recognizer
from ferbench.recognizers.exported import Exported


def check_engine(recognizer: type[Recognizer], engine: str, precision: Precision, threads: int | None) -> None:
    """Raise, before anything is fitted, where an engine cannot be answered through.

    Args:
        recognizer: What is to be fitted.
        engine: As for `answer_through`.
        precision: As for `answer_through`.
        threads: As for `answer_through`.

    Raises:
        UnknownNameError: no such engine.
        ConfigError: what is named has no such precision, this is no Keras network, Keras runs on a backend that cannot
            be converted from, or threads are asked of Keras, which cannot change theirs.
        MissingLibraryError: a named engine, or what converts for it, is not installed.
    """
    if engine == KERAS and precision != "float32":
        raise ConfigError(f"Keras answers in float32, got precision {precision}: remove it, or name an engine.")
    if engine == KERAS and threads is not None:
        raise ConfigError(
            f"Keras keeps the threads that TensorFlow started with, got threads: {threads}: remove it and set "
            f"TF_NUM_INTRAOP_THREADS={threads} before the run, or name an engine."
        )
    if engine in (KERAS, AUTO):
        return
    target = engine_for(engine, precision)
    target.load_library()
    if not _is_network(recognizer):
        raise ConfigError(f"{recognizer.name} is no Keras network, and only those run on another engine than its own.")
    target.check_converter()


def answer_through(
    engine: str,
    origin: Path,
    recognizer: Recognizer,
    dataset: Dataset,
    *,
    precision: Precision,
    threads: int | None,
    notice: Callable[[str], None],
) -> tuple[Exported, Verdict] | None:
    """A fitted recognizer's form for an engine, and the gate's verdict on it; None: the recognizer as it is.

    Args:
        engine: A registered engine; "auto": of the installed engines that have this precision, the fastest that passes
            the gate and is faster than Keras; "keras": the recognizer as it is.
        origin: Where it was saved.
        recognizer: What was saved there.
        dataset: Its training faces calibrate, its validation faces judge.
        precision: Of the form.
        threads: How many a call may use; None: one. The recognizer as it is keeps its own.
        notice: Receives a sentence for each engine that fails, which loses nothing of what was fitted, and one where
            the recognizer answers as it is though threads were asked for.
    """
    if engine == KERAS:
        return None
    if engine == AUTO and not _is_network(type(recognizer)):
        if threads is not None:
            notice(f"{recognizer.name} is no Keras network and answers as it is, not with the {threads} threads named.")
        return None
    n_threads = threads or 1
    reference = Reference(recognizer, dataset.name, dataset.validation)
    forms = []
    for name in _installed(precision) if engine == AUTO else [engine]:
        try:
            exported = convert(origin, recognizer, name, precision, threads=n_threads, dataset=dataset)
            verdict = judge(reference, exported, engine=name, precision=precision, threads=n_threads)
        except Exception as error:  # hours of fitting lie behind: no fault of an engine may lose them
            notice(f"The engine '{name}' is passed over: {error}")
            continue
        if engine != AUTO or (verdict.passed and verdict.latency_ratio < 1):
            forms.append((exported, verdict))
    if not forms:
        own = "" if threads is None else f", with the threads that TensorFlow started with, not the {threads} named"
        notice(f"No engine answers for {recognizer.name}: the scores are its own, in Keras{own}.")
    return min(forms, key=lambda form: form[1].latency_ratio, default=None)


def save_form(exported: Exported, verdict: Verdict, directory: Path, origin: Path, dataset: Dataset) -> None:
    """Write the form, its verdict and its cards as a folder that `ferbench.load` takes."""
    exported.save(directory)
    write_verdict(verdict, directory)
    write_cards(directory, origin, exported, verdict, dataset)


def _installed(precision: Precision) -> list[str]:
    engines: dict[str, type[Engine]] = {name: registry.get("engines", name) for name in registry.names("engines")}
    return [name for name, engine in engines.items() if engine.is_installed() and precision in engine.precisions]


def _is_network(recognizer: type[Recognizer]) -> bool:
    return hasattr(recognizer, "build")
