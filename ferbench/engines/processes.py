"""Processes that measure: what a recognizer takes until it answers, and how long several take by turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ferbench.errors import RunFailedError
from ferbench.timing import Latency

BATCH = 64
"""Faces of a batch."""

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


def measure_footprint(folder: Path, faces: Path, *, without: Sequence[str]) -> dict[str, Any]:
    """Seconds and bytes of one saved recognizer, by the names that `Form` has for them.

    Args:
        folder: The recognizer's.
        faces: A `.npy` file of uint8 faces, (n, height, width); files for the process are written beside it.
        without: Modules that the process cannot import.

    Raises:
        RunFailedError: the process ended early.
    """
    job = {"folder": str(folder), "without": list(without), "started_at": time.time()}
    return dict(_run("footprint", job, faces, threads=1))


def measure_times(
    folders: Sequence[Path], faces: Path, *, threads: int, n_queries: int
) -> list[tuple[Latency, Latency]]:
    """Of each saved recognizer the time of one face and of a batch, see `time_by_turns`.

    Raises:
        RunFailedError: the process ended early.
    """
    job = {"folders": [str(folder) for folder in folders], "n_queries": n_queries}
    rows = _run("stopwatch", job, faces, threads=threads)
    return [(Latency.model_validate(single), Latency.model_validate(batch)) for single, batch in rows]


def _run(module: str, job: dict[str, Any], faces: Path, *, threads: int) -> Any:
    """Run a module of this folder in a process whose libraries are told how many threads to use."""
    asked, target = faces.with_name("job.json"), faces.with_name("measured.json")
    job |= {"faces": str(faces), "target": str(target), "batch_size": BATCH}
    asked.write_text(json.dumps(job), encoding="utf-8")
    settings = dict.fromkeys(_THREAD_VARIABLES, str(threads)) | {"TF_NUM_INTEROP_THREADS": "1"}
    command = [sys.executable, "-m", f"ferbench.engines.{module}", str(asked)]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise RunFailedError(f"The process that measures ended early ({reason}): leave out what cannot be run.")
    return json.loads(target.read_bytes())
