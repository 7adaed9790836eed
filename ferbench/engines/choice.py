"""Which engine a trained recognizer answers through: one that is named, or the fastest that is right.

What was converted once is kept under `data_home()`, so that the next process needs neither Keras nor the conversion.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from importlib.metadata import packages_distributions, version
from pathlib import Path

from ferbench import registry
from ferbench.data.dataset import data_home
from ferbench.engines.converting import convert
from ferbench.engines.engine import Engine
from ferbench.engines.exporting import experiment_of, find_dataset, reference_of, trained_on
from ferbench.engines.gate import Reference, Verdict, judge, read_verdict, write_verdict
from ferbench.errors import ConfigError, DataError, DatasetMissingError, FerbenchError
from ferbench.recognizers.exported import Exported
from ferbench.recognizers.header import check_files, read_header

KERAS, AUTO = "keras", "auto"


def through(name_or_directory: str | Path, engine: str) -> Path:
    """The folder to load so that a recognizer answers through an engine, in float32 on one thread.

    Args:
        name_or_directory: As for `ferbench.load`.
        engine: "keras": the recognizer as it is. "auto": the fastest of the installed engines that pass the gate, and
            the recognizer as it is where none does or it is no Keras network. Else a registered engine.

    Raises:
        UnknownNameError, DataError: no such recognizer or engine, or a damaged one.
        ConfigError: an engine is named and this is no Keras network.
        MissingLibraryError: the engine is not installed.
    """
    origin = registry.find(name_or_directory)
    if engine == KERAS or (engine == AUTO and read_header(origin).name == Exported.name):
        return origin
    if engine == AUTO:
        return _fastest(origin)
    registry.get("engines", engine).load_library()
    folder = _folder(origin, engine)
    if not _is_whole(folder):
        _keep(convert(origin, registry.load(origin), engine), origin, folder)
    return folder


def _fastest(origin: Path) -> Path:
    installed = [name for name in registry.names("engines") if registry.get("engines", name).is_installed()]
    if not hasattr(registry.get("recognizers", read_header(origin).name), "build"):
        return origin
    judging = _Judging(origin)
    ratios = {}
    for engine in installed:
        try:
            verdict = judging.verdict(engine)
        except DatasetMissingError:  # no faces to judge on, whichever the engine
            break
        if verdict and verdict.passed and verdict.latency_ratio < 1:
            ratios[engine] = verdict.latency_ratio
    return _folder(origin, min(ratios, key=lambda name: ratios[name])) if ratios else origin


class _Judging:
    """Verdicts on one recognizer through several engines; the reference answers once, and only if it must."""

    def __init__(self, origin: Path) -> None:
        self._origin = origin
        self._reference: Reference | None = None

    def verdict(self, engine: str) -> Verdict | None:
        """The verdict kept from an earlier time, or a new one; None where the network cannot be converted or judged.

        Raises:
            DatasetMissingError: there are no faces to judge on.
        """
        folder = _folder(self._origin, engine)
        try:
            kept = read_verdict(folder)
        except DataError:  # damaged: asked again
            kept = None
        if kept is not None and _is_whole(folder):
            return kept
        try:
            if self._reference is None:
                self._reference = _reference(self._origin)
            folder = through(self._origin, engine)
            verdict = judge(self._reference, registry.load(folder), engine=engine, precision="float32")
        except DatasetMissingError:
            raise
        except FerbenchError:
            return None
        write_verdict(verdict, folder)
        return verdict


def _reference(origin: Path) -> Reference:
    recognizer = registry.load(origin)
    try:
        dataset = find_dataset(origin, None, recognizer)
    except ConfigError:  # nothing says what it was trained on
        dataset = None
    return reference_of(recognizer, dataset)


def _is_whole(folder: Path) -> bool:
    try:
        check_files(folder, read_header(folder))
    except DataError:
        return False
    return True


def _keep(form: Exported, origin: Path, folder: Path) -> None:
    fresh = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    try:
        form.save(fresh)
        _tell_dataset(origin, fresh)
        if _is_whole(folder):  # another process was faster, and may be reading it
            return
        shutil.rmtree(folder, ignore_errors=True)
        fresh.replace(folder)
    except OSError as error:
        if not _is_whole(folder):
            raise DataError(f"{folder} cannot be written ({error.strerror}): remove it and try again.") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _tell_dataset(origin: Path, folder: Path) -> None:
    try:
        dataset, _ = trained_on(origin)
    except (ConfigError, DataError):  # a form answers whatever lies beside its origin
        return
    (folder / "card.json").write_text(json.dumps({"dataset": dataset}) + "\n", encoding="utf-8")


def _folder(origin: Path, engine: str) -> Path:
    """Where a recognizer's form for an engine is kept: another one for other weights or another version of either."""
    header = read_header(origin)
    target: type[Engine] = registry.get("engines", engine)
    libraries = sorted(packages_distributions().get(target.library, []))
    versions = {library: version(library) for library in ("ferbench", *libraries)}
    said = [header.params, header.classes, header.files, header.temperature]
    content = json.dumps([*said, versions], sort_keys=True, default=str)
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    return data_home() / "engines" / f"{header.name}-{digest}" / f"{experiment_of(origin)}_{engine}_float32"
