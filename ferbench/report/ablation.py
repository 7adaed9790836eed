"""Tables of what each part is worth, from finished runs that are named by their parts. Validation only.

Classical runs are named `<feature>.<encoding>.<classifier>`, those of a training recipe `<group>.<change>`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ferbench.errors import DataError
from ferbench.report.elements import points_interval
from ferbench.report.runs import Run, read_run
from ferbench.report.tables import bytes_text, percent_with_interval
from ferbench.results import RunResult, read_result, write_whole
from ferbench.statistics.intervals import Interval, difference_interval

_COLUMNS = ("feature", "encoding", "classifier", "seed", "n", "validation, %", "macro-F1, %", "p10 ms", "p50 ms")
_COST_COLUMNS = ("size", "fit, s of CPU")
_BASE = "base"
_ABOUT = (
    "Written by `python -m ferbench ablation` from finished runs; nothing is fitted or scored for it. All figures are "
    "of the validation split, on which C or the epoch was chosen too, so they lean to the optimistic side; the test "
    "split is not looked at. Accuracy has its 95 % bootstrap interval over groups of identical images: rows with "
    "intervals that overlap widely are not told apart by it. n: faces. Times are of one face alone through "
    "`predict_proba`, taken at each run's own end: other work on the machine makes them longer, least of all p10. Size "
    "is that on disk. The fit is in seconds of processor time, features and every C included."
)


def write_ablation(folders: Sequence[Path], target: Path) -> Path:
    """Write `ablation_markdown` of several folders, one after the other, below what the figures are.

    Args:
        folders: Of finished runs, as for `ablation_markdown` and `recipe_markdown`: whatever is there.
        target: The file; its folder is made if missing.

    Returns:
        The file.

    Raises:
        DataError: a folder holds no such runs, or its runs make no table.
    """
    parts = [f"# What each part is worth\n\n{_ABOUT}\n"]
    for folder in folders:
        names = {path.parents[2].name for path in folder.glob("*.*/*/seed*/result.json")}
        if not names:
            raise DataError(
                f"{folder} holds no finished run named by its parts: python -m ferbench run "
                "experiments/ablation_classical/*.yaml --validation-only --reports reports/ablation_classical."
            )
        if any(name.count(".") == 2 for name in names):
            parts.append(_part(folder, "Feature, encoding, classifier", "*.*.*", ablation_markdown(folder)))
        for group in sorted({name.partition(".")[0] for name in names if name.count(".") == 1}):
            parts.append(_part(folder, f"Changes of {group}.{_BASE}", f"{group}.*", recipe_markdown(folder, group)))
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, "\n".join(parts))
    return target


def ablation_markdown(reports: Path) -> str:
    """One row a run named `<feature>.<encoding>.<classifier>`, the most accurate on validation first.

    Args:
        reports: Holds `<name>/<dataset>/seed<k>/result.json`; runs of other names are left out.

    Returns:
        A table in Markdown: faces, accuracy with its 95 % interval, macro-F1, time of one face alone (tenth percentile
        and median), size on disk, and the processor time of the fit, which other work on the machine leaves as it is.

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
    return _table((*_COLUMNS, *_COST_COLUMNS), 3, [_row(result) for result in results])


def recipe_markdown(reports: Path, group: str) -> str:
    """What each change of a training recipe is worth: one row a run named `<group>.<change>`, the base first.

    Args:
        reports: Holds `<name>/<dataset>/seed<k>/result.json` with `predictions.npz` beside it.
        group: The first part of the names; `<group>.base` is what each other run differs from.

    Returns:
        A table in Markdown, the most gained first: accuracy with its 95 % interval, its difference from the base of the
        same seed with the 95 % interval of a paired bootstrap over the validation faces that both were asked about, and
        what of it the rarest class sees.

    Raises:
        DataError: the base is missing, labels of the same face differ, or a run is damaged.
    """
    runs = [read_run(path.parent) for path in sorted(reports.glob(f"{group}.*/*/seed*/result.json"))]
    bases = {run.result.config.seed: run for run in runs if _change(run) == _BASE}
    lacking = sorted({run.result.config.seed for run in runs} - set(bases))
    if lacking or not runs:
        raise DataError(f"{reports} holds no {group}.{_BASE} with seed {lacking or 0}: run that file first.")
    gains = [(run, _gain(run, bases[run.result.config.seed])) for run in runs]
    gains.sort(key=lambda entry: (_change(entry[0]) != _BASE, -entry[1].value))
    counts = bases[min(bases)].result.dataset.counts["validation"]
    rarest = min(counts, key=lambda name: counts[name])
    columns = ("change", "seed", "n", "validation, %", "difference, points", "macro-F1, %", f"recall of {rarest}, %")
    rows = [_recipe_row(run, gain, rarest) for run, gain in gains]
    return _table((*columns, "log loss", "fit, s of CPU"), 1, rows)


def _part(folder: Path, title: str, names: str, table: str) -> str:
    results = [read_result(path) for path in sorted(folder.glob(f"{names}/*/seed*/result.json"))]
    data = ", ".join(sorted({result.dataset.name for result in results}))
    machines = {f"{result.environment.processor}, {result.environment.cores}" for result in results}
    commits = {(result.environment.commit or "no commit")[:7] for result in results}
    origin = f"Runs: {len(results)}; commits: {', '.join(sorted(commits))}; machines: {'; '.join(sorted(machines))}."
    return f"## {title}, on {data}\n\n{table}\n{origin}\n"


def _row(result: RunResult) -> list[str]:
    single = result.cost.latency_at(1)
    return [
        *result.config.name.replace("_", " ").split(".", 2),
        str(result.config.seed),
        f"{result.validation.n:,}",
        percent_with_interval(result.validation),
        f"{100 * result.validation.macro_f1:.1f}",
        f"{single.p10_ms:.2f}" if single and single.p10_ms is not None else "",
        f"{single.p50_ms:.2f}" if single else "",
        bytes_text(result.cost.size_bytes),
        _fit_cpu(result),
    ]


def _fit_cpu(result: RunResult) -> str:
    """Seconds of processor time; of a fit that was interrupted only what came after is known."""
    return f"{result.cost.fit_cpu_seconds:,.0f}{' since resumed' if result.protocol.resumed else ''}"


def _table(columns: tuple[str, ...], n_words: int, rows: list[list[str]]) -> str:
    head = [f"| {' | '.join(columns)} |", f"|{'---|' * n_words}{'---:|' * (len(columns) - n_words)}"]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _change(run: Run) -> str:
    return run.result.config.name.partition(".")[2]


def _gain(run: Run, base: Run) -> Interval:
    ours, theirs = run.validation, base.validation
    _, mine, its = np.intersect1d(ours.rows, theirs.rows, assume_unique=True, return_indices=True)
    if len(mine) == 0 or not np.array_equal(ours.labels[mine], theirs.labels[its]):
        raise DataError(f"{run.place} and {base.place} are of other faces or labels: rows of one table share them.")
    right, base_right = ours.right[mine].astype(np.float64), theirs.right[its].astype(np.float64)
    return difference_interval(right, base_right, ours.groups[mine])


def _recipe_row(run: Run, gain: Interval, rarest: str) -> list[str]:
    scores = run.result.validation
    return [
        _change(run).replace("_", " "),
        str(run.result.config.seed),
        f"{scores.n:,}",
        percent_with_interval(scores),
        "" if _change(run) == _BASE else points_interval(gain).text,
        f"{100 * scores.macro_f1:.1f}",
        f"{100 * scores.classes[rarest].recall:.1f}",
        f"{scores.log_loss:.3f}",
        _fit_cpu(run.result),
    ]
