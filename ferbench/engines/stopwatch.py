"""Several saved recognizers timed by turns in one process: `python -m` runs this file, its threads set beforehand."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ferbench import registry
from ferbench.recognizers.base import Recognizer
from ferbench.timing import Latency, summarize
from ferbench.types import Images

_ROUNDS = 40
_ROUNDS_A_BATCH = 4


def time_by_turns(
    recognizers: Sequence[Recognizer], images: Images, *, n_queries: int, batch_size: int
) -> list[tuple[Latency, Latency]]:
    """One face and a batch of each recognizer. Each has its turn in every round; who is first rotates.

    Args:
        recognizers: Loaded.
        images: uint8, (n, height, width), at least one.
        n_queries: Single faces of each, at least; they are spread over all rounds.
        batch_size: Faces of a batch, a batch every few rounds.

    Returns:
        For each recognizer, the time of one face and of a batch.
    """
    pool = np.resize(images, (max(len(images), batch_size), *images.shape[1:]))
    a_turn = -(-n_queries // _ROUNDS)
    singles: list[list[float]] = [[] for _ in recognizers]
    batches: list[list[float]] = [[] for _ in recognizers]
    for recognizer in recognizers:
        recognizer.warm_up(pool[:batch_size])
        recognizer.warm_up(pool[:1])
    order = list(range(len(recognizers)))
    for turn in range(_ROUNDS):
        start = turn % len(order)
        for index in order[start:] + order[:start]:
            recognizer = recognizers[index]
            recognizer.predict_proba(pool[:1])  # the one before has left its own data in the cache
            for query in range(a_turn):
                row = (turn * a_turn + query) % len(pool)
                singles[index].append(_seconds(recognizer, pool[row : row + 1]))
            if turn % _ROUNDS_A_BATCH == 0:
                first = turn * batch_size % (len(pool) - batch_size + 1)
                batches[index].append(_seconds(recognizer, pool[first : first + batch_size]))
    return [(summarize(singles[index], 1), summarize(batches[index], batch_size)) for index in order]


def _seconds(recognizer: Recognizer, images: Images) -> float:
    start = time.perf_counter()
    recognizer.predict_proba(images)
    return time.perf_counter() - start


if __name__ == "__main__":
    job = json.loads(Path(sys.argv[1]).read_bytes())
    found = time_by_turns(
        [registry.load(folder) for folder in job["folders"]],
        np.load(job["faces"], allow_pickle=False),
        n_queries=job["n_queries"],
        batch_size=job["batch_size"],
    )
    rows = [[single.model_dump(), batch.model_dump()] for single, batch in found]
    Path(job["target"]).write_text(json.dumps(rows), encoding="utf-8")
