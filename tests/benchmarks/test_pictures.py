"""A folder of 100,000 pictures: seconds, and memory of the process that prepares it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from ferbench.data.synthetic import render_faces
from ferbench.types import EMOTIONS

N_PICTURES, N_DIFFERENT = 100_000, 350
CODE = """
import resource, sys
from pathlib import Path
from ferbench.data.folder import load_folder, prepare_folder
prepare_folder(Path(sys.argv[1]))
prepared = resource.getrusage(resource.RUSAGE_SELF)
print(prepared.ru_maxrss / 1e6, prepared.ru_utime + prepared.ru_stime)
print(sum(len(split) for _, split in load_folder().splits()))
"""


def test_preparing_a_hundred_thousand_pictures_takes_little_memory(benchmark, tmp_path: Path) -> None:
    faces = render_faces(np.arange(N_DIFFERENT) % len(EMOTIONS), rng=np.random.default_rng(0), size=96)
    for number in range(N_PICTURES):
        path = tmp_path / "faces" / EMOTIONS[number % len(EMOTIONS)] / f"{number:06}.jpg"
        if number < N_DIFFERENT:
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), faces[number])
            continue
        original = path.parent / f"{number % N_DIFFERENT:06}.jpg"
        try:
            path.hardlink_to(original)
        except OSError:  # a file system allows only so many links
            path.write_bytes(original.read_bytes())
    environment = {**os.environ, "FERBENCH_DATA": str(tmp_path / "data")}

    def prepare() -> list[float]:
        command = [sys.executable, "-c", CODE, str(tmp_path / "faces")]
        done = subprocess.run(command, capture_output=True, check=True, env=environment)
        return [float(word) for word in done.stdout.split()]

    start = time.perf_counter()
    gigabytes, cpu_seconds, n_faces = benchmark.pedantic(prepare, rounds=1, iterations=1)
    seconds = time.perf_counter() - start
    rates = {"images_per_second": N_PICTURES / seconds, "images_per_cpu_second": N_PICTURES / cpu_seconds}
    benchmark.extra_info |= {"peak_gb": gigabytes, "seconds": seconds, **rates}
    print(f"\n{N_PICTURES:,} pictures in {seconds:.0f} s ({cpu_seconds:.0f} s of CPU) with {gigabytes:.2f} GB")
    assert n_faces == N_PICTURES
    assert gigabytes < 1.5
