"""Auditing the whole FER2013, near duplicates included: seconds, and memory of the process that does it."""

import subprocess
import sys
import time
from pathlib import Path

from ferbench.data.fer2013 import prepare_fer2013

CODE = """
import resource
from ferbench.data.audit import audit
from ferbench.data.fer2013 import load_fer2013
found = audit(load_fer2013())
assert found.exact.n_groups == 1503 and found.exact.n_across_splits == 546 and found.n_clean_test == 3273
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


def test_auditing_fer2013_takes_seconds_and_little_memory(benchmark, fer2013_csv_gz: Path) -> None:
    prepare_fer2013(fer2013_csv_gz)

    def run() -> float:
        done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, check=True)
        return float(done.stdout)

    start = time.perf_counter()
    gigabytes = benchmark.pedantic(run, rounds=1, iterations=1)
    seconds = time.perf_counter() - start
    benchmark.extra_info |= {"peak_gb": gigabytes, "seconds": seconds}
    print(f"\nFER2013 audited in {seconds:.1f} s with {gigabytes:.2f} GB")
    assert seconds < 120 and gigabytes < 4
