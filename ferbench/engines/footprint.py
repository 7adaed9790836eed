"""What a saved recognizer takes, seconds and bytes, in a process of its own: `python -m` runs this file."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from ferbench import registry


def footprint(directory: Path, faces: Path, batch_size: int, started_at: float) -> dict[str, float | int | None]:
    """Load a recognizer, let it answer one face and a batch, and tell what that took.

    Args:
        directory: What `Recognizer.save` wrote.
        faces: A `.npy` file of uint8 faces, (n, height, width).
        batch_size: Faces of the batch.
        started_at: `time.time()` when this process was asked for.
    """
    images = np.load(faces, allow_pickle=False)
    before = peak_bytes()
    start = time.perf_counter()
    recognizer = registry.load(directory)
    recognizer.predict_proba(images[:1])
    seconds, since_started = time.perf_counter() - start, time.time() - started_at
    recognizer.predict_proba(images[:batch_size])
    after = peak_bytes()
    growth = None if before is None or after is None else after - before
    return {"start_seconds": since_started, "load_seconds": seconds, "memory_bytes": growth}


def peak_bytes() -> int | None:
    """The most memory of this program so far; unlike `getrusage`, not of the one that started it. None: not told."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return None
    lines = status.read_text(encoding="ascii", errors="replace").splitlines()
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)


if __name__ == "__main__":
    job = json.loads(Path(sys.argv[1]).read_bytes())
    for module in job["without"]:
        sys.modules[module] = None  # type: ignore[assignment]  # importing it is an error
    found = footprint(Path(job["folder"]), Path(job["faces"]), job["batch_size"], job["started_at"])
    Path(job["target"]).write_text(json.dumps(found), encoding="utf-8")
