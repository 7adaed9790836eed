"""The report over thirty runs on all of FER2013: seconds, and bytes of the page."""

import shutil
import time
from itertools import cycle, islice
from pathlib import Path

import pytest

from ferbench.report.board import aids_of
from ferbench.report.page import Written, write_report
from ferbench.results import RunResult, read_result, write_result

REPORTS = Path(__file__).parents[2] / "reports"


@pytest.fixture
def thirty_runs(tmp_path: Path) -> Path:
    """The runs and records of this repository, and copies of its runs under other names."""
    folder = tmp_path / "reports"
    shutil.copytree(REPORTS, folder, ignore=shutil.ignore_patterns("model", "synthetic", "*.png"))
    runs = sorted(path.parent for path in folder.glob("*/fer2013/seed0/result.json"))
    singles = [run for run in runs if _is_copied(read_result(run / "result.json"))]
    for number, single in enumerate(islice(cycle(singles), 30 - len(runs))):
        result = read_result(single / "result.json")
        config = result.config.model_copy(update={"name": f"{result.config.name}_{number}"})
        key = config.result_key(result.dataset.fingerprint, result.environment.libraries["ferbench"])
        copy = folder / config.name / "fer2013" / "seed0"
        shutil.copytree(single, copy)
        write_result(result.model_copy(update={"config": config, "config_hash": key}), copy)
    return folder


def _is_copied(result: RunResult) -> bool:
    return result.test is not None and len(result.dataset.classes) == 7 and aids_of(result) == ""


def test_report_over_thirty_runs_takes_seconds_and_stays_small(benchmark, thirty_runs: Path, tmp_path: Path) -> None:
    def write() -> Written:
        return write_report(thirty_runs, tmp_path / "page")

    start, cpu_start = time.perf_counter(), time.process_time()
    written = benchmark.pedantic(write, rounds=1, iterations=1)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    size = written.files[0].stat().st_size
    benchmark.extra_info |= {"seconds": seconds, "cpu_seconds": cpu_seconds, "page_bytes": size}
    print(f"\nThirty runs on FER2013 told in {seconds:.1f} s, {cpu_seconds:.1f} s of CPU, and {size / 1e6:.2f} MB")
    assert len(list(thirty_runs.glob("*/fer2013/seed0/result.json"))) == 30 and not written.set_apart
    assert cpu_seconds < 60 and size < 6_000_000
