"""Reading the whole FER2013 csv: seconds, and memory of the process that does it."""

import subprocess
import sys
import time
from pathlib import Path

CODE = """
import resource, sys
from pathlib import Path
from ferbench.data.fer2013 import prepare_fer2013
prepare_fer2013(Path(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


def test_preparing_fer2013_takes_seconds_and_little_memory(benchmark, fer2013_csv_gz: Path) -> None:
    def prepare() -> float:
        done = subprocess.run([sys.executable, "-c", CODE, str(fer2013_csv_gz)], capture_output=True, check=True)
        return float(done.stdout)

    start = time.perf_counter()
    gigabytes = benchmark.pedantic(prepare, rounds=1, iterations=1)
    seconds = time.perf_counter() - start
    benchmark.extra_info |= {"peak_gb": gigabytes, "seconds": seconds}
    print(f"\nFER2013 prepared in {seconds:.1f} s with {gigabytes:.2f} GB")
    assert seconds < 60 and gigabytes < 1.5
