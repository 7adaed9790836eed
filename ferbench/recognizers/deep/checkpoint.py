"""What a killed training needs to go on: one file, replaced as a whole after each epoch."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ferbench.errors import DataError
from ferbench.recognizers.deep.averaging import WeightAverage, Weights


@dataclass
class Progress:
    """Where a training stands: everything but the arrays."""

    epoch: int = 0
    best_epoch: int = 0
    best_score: float = -np.inf
    plateau_since: int = 0
    rate_factor: float = 1.0
    curve: list[dict[str, float]] = field(default_factory=list)


def keep(file: Path, trainer: keras.Model, average: WeightAverage, best: Weights, progress: Progress) -> None:
    """Write all variables of the model and its optimizer, the average and the best weights so far, and the curve.

    Raises:
        DataError: the file cannot be written.
    """
    arrays = {f"variable_{index}": np.asarray(variable) for index, variable in enumerate(_variables(trainer))}
    arrays |= {f"best_{index}": array for index, array in enumerate(best)}
    arrays |= {f"average_{index}": array for index, array in enumerate(average.arrays)}
    arrays["progress"] = np.array(json.dumps(asdict(progress)))
    partial = file.with_name(f"{file.stem}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(file)
    except OSError as error:
        raise DataError(
            f"The checkpoint {file} cannot be written: {error.strerror}. Free space or set FERBENCH_DATA."
        ) from error


def restore(file: Path, trainer: keras.Model, average: WeightAverage) -> tuple[Progress, Weights]:
    """Put trainer and average where `keep` found them; what comes back is the rest of what it was given.

    Raises:
        DataError: the file is damaged, or another network's.
    """
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            progress = Progress(**json.loads(str(stored["progress"])))
            for index, variable in enumerate(_variables(trainer)):
                variable.assign(stored[f"variable_{index}"])
            average.arrays = [stored[f"average_{index}"] for index in range(len(average.arrays))]
            return progress, [stored[f"best_{index}"] for index in range(len(average.network.weights))]
    except Exception as error:  # zipfile, NumPy and Keras have no common error for a damaged file
        what = " ".join(str(error).split())
        raise DataError(
            f"The checkpoint {file} is damaged or of another training ({what}): run again without --resume."
        ) from error


def _variables(trainer: keras.Model) -> list[Any]:
    return [*trainer.variables, *trainer.optimizer.variables]
