"""A table of feature, encoding and classifier from finished runs that are named by them. Validation only."""

from __future__ import annotations

from pathlib import Path

from ferbench.errors import DataError
from ferbench.report.tables import bytes_text, percent_with_interval
from ferbench.results import RunResult, read_result

_COLUMNS = ("feature", "encoding", "classifier", "validation, %", "macro-F1, %", "ms a face", "size", "fit, s of CPU")


def ablation_markdown(reports: Path) -> str:
    """One row a run named `<feature>.<encoding>.<classifier>`, the most accurate on validation first.

    Args:
        reports: Holds `<name>/<dataset>/seed<k>/result.json`; runs of other names are left out.

    Returns:
        A table in Markdown: accuracy with its 95 % interval, macro-F1, median time of one face alone, size on disk, and
        the processor time of the fit, which other work on the machine leaves as it is.

    Raises:
        DataError: no such run lies there, they are of different data, or a result is damaged.
    """
    results = [read_result(path) for path in sorted(reports.glob("*.*.*/*/seed*/result.json"))]
    if not results:
        raise DataError(f"{reports} holds no run named feature.encoding.classifier: run the ablation's files first.")
    datasets = sorted({f"{result.dataset.name} {result.dataset.fingerprint}" for result in results})
    if len(datasets) > 1:
        raise DataError(f"{reports} holds runs on {', '.join(datasets)}: rows of one table share their data.")
    results.sort(key=lambda result: (-result.validation.accuracy, result.config.name))
    head = [f"| {' | '.join(_COLUMNS)} |", f"|---|---|---|{'---:|' * (len(_COLUMNS) - 3)}"]
    return "\n".join([*head, *(f"| {' | '.join(_row(result))} |" for result in results)]) + "\n"


def _row(result: RunResult) -> list[str]:
    single = result.cost.latency_at(1)
    return [
        *result.config.name.replace("_", " ").split(".", 2),
        percent_with_interval(result.validation),
        f"{100 * result.validation.macro_f1:.1f}",
        f"{single.p50_ms:.2f}" if single else "",
        bytes_text(result.cost.size_bytes),
        f"{result.cost.fit_cpu_seconds:,.0f}",
    ]
