"""An exported recognizer made ready to be passed on: only what is whole, has its cards, and passed its gate."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ferbench.engines.card import CARD_FILES, SCORES
from ferbench.engines.gate import read_verdict
from ferbench.errors import DataError
from ferbench.recognizers.exported import Exported
from ferbench.recognizers.header import check_files, check_target, read_header


def is_exported(directory: Path) -> bool:
    """Whether a folder itself holds an exported recognizer."""
    return (directory / "recognizer.json").is_file() and read_header(directory).name == Exported.name


def publish_exported(directory: Path, target: Path) -> None:
    """Copy what `ferbench.export` wrote to `target`, cards and verdict included.

    A recognizer that is there is replaced; anything else is left alone.

    In the folder of the package's own weights, `target`'s last name is what `ferbench.load` then takes.

    Raises:
        DataError: it is no exported recognizer, a file is missing or altered, or the gate failed or was never asked, or
            asked about rendered faces alone; or
            the target overlaps with it or holds something else.
    """
    header = read_header(directory)
    if header.name != Exported.name:
        raise DataError(f"{directory} holds a {header.name}, not an exported recognizer: publish the run it is from.")
    check_files(directory, header)
    verdict = read_verdict(directory)
    if verdict is None or any(not (directory / name).is_file() for name in CARD_FILES):
        raise DataError(f"{directory} lacks its gate's verdict or its cards: export it again.")
    if any(name not in json.loads((directory / CARD_FILES[0]).read_bytes()) for name in SCORES):
        raise DataError(f"{directory} was judged on rendered faces alone: export it again where its dataset is.")
    if not verdict.passed:
        raise DataError(f"The gate failed for {directory} ({'; '.join(verdict.failures)}): export a finer precision.")
    check_target(target, directory)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(directory, target)
