"""Where figures come from: protocol, machine, versions, commits, the ledger of test scorings; what was set apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from ferbench.errors import DataError
from ferbench.report.elements import Cell, Column, Element, Grid, Section, Text, number, percent
from ferbench.report.runs import Run, SetApart
from ferbench.results import read_ledger

_MOST_LEDGER_ROWS = 200
_MOST_LIBRARIES = 20
_PROTOCOL = (
    "Recognizers are fitted on train. Everything that is chosen (epochs, penalties, temperatures, the recommendation "
    "above) is chosen on validation. Test is scored once a configuration, and every scoring leaves a line in the "
    "ledger. Intervals are 95 % percentile bootstraps with 2,000 resamples of whole duplicate groups; of recalls "
    "Wilson's. All times are of one survey. Nothing on this page was scored for it: it is computed from stored "
    "predictions and recorded evaluations."
)


def protocol_section() -> Section:
    """What every figure was made under."""
    return Section("protocol", "Protocol", [Text(_PROTOCOL)])


def provenance_section(runs: Sequence[Run]) -> Section:
    """A row a run: machine, versions, seed, commit."""
    named = Counter(name for run in runs for name in run.result.environment.libraries)
    libraries = sorted(name for name, _ in named.most_common(_MOST_LIBRARIES))
    columns = (
        Column("run", is_text=True),
        Column("finished", is_text=True),
        Column("commit", "+ where code differed from it", is_text=True),
        Column("configuration", "hash of the resolved configuration, the data and the major version", is_text=True),
        Column("fingerprint", "of the dataset", is_text=True),
        Column("test scorings"),
        Column("chosen on validation", is_text=True),
        Column("system", is_text=True),
        Column("python", is_text=True),
        *(Column(name, is_text=True) for name in libraries),
    )
    rows = []
    for run in runs:
        result, environment = run.result, run.result.environment
        commit = environment.commit or "unknown"
        changes = "+" if commit.endswith("+changes") else ""
        choices = ", ".join(f"{name} {_short(value)}" for name, value in result.protocol.choices.items())
        rows.append(
            (
                Cell(f"{result.config.name} on {result.dataset.name} seed{result.config.seed}"),
                Cell(f"{result.created_at:%Y-%m-%d %H:%M}"),
                Cell(commit[:10] + changes),
                Cell(result.config_hash),
                Cell(result.dataset.fingerprint[:12]),
                number(result.protocol.test_scorings, 0),
                Cell(choices),
                Cell(f"{environment.system}, {environment.cores}"),
                Cell(environment.python),
                *(Cell(environment.libraries.get(name, "")) for name in libraries),
            )
        )
    return Section("provenance", "Provenance", [Grid("Machine, versions and commit of each run", columns, tuple(rows))])


def ledger_section(reports: Path, runs: Sequence[Run]) -> Section | None:
    """Every scoring of a test split that was noted, the newest first, and what does not fit the runs."""
    try:
        lines = read_ledger(reports)
    except (DataError, OSError, UnicodeDecodeError) as error:
        return Section("ledger", "Ledger of test scorings", [Text(str(error), "warning")])
    lines = [line for line in lines if isinstance(line, dict)]
    scored = [run for run in runs if run.test is not None]
    if not lines and not scored:
        return None
    noted = [str(line.get("config_hash")) for line in lines]
    elements: list[Element] = []
    for run in scored:
        result = run.result
        if noted.count(result.config_hash) != result.protocol.test_scorings:
            elements.append(
                Text(
                    f"{run.place}: its result says {result.protocol.test_scorings} test scorings, the ledger has "
                    f"{noted.count(result.config_hash)}.",
                    "warning",
                )
            )
    elements += [Text(sentence, "warning") for sentence in _tried(lines)]
    columns = tuple(
        Column(title, is_text=place < 4)
        for place, title in enumerate(("when", "why", "experiment", "dataset", "seed", "n", "accuracy, %", "clean, %"))
    )
    rows = tuple(_ledger_row(line) for line in reversed(lines[-_MOST_LEDGER_ROWS:]))
    left_out = f", the newest {_MOST_LEDGER_ROWS:,} of {len(lines):,}" if len(lines) > _MOST_LEDGER_ROWS else ""
    elements.append(Grid(f"Scorings of a test split{left_out}", columns, rows, is_folded=len(rows) > 12))
    return Section("ledger", "Ledger of test scorings", elements)


def apart_section(apart: Sequence[SetApart]) -> Section | None:
    """What is not ranked and why; None where all is."""
    if not apart:
        return None
    columns = (Column("what", is_text=True), Column("why it is not ranked", is_text=True))
    rows = tuple((Cell(one.place), Cell(one.reason)) for one in apart)
    return Section("apart", "Not ranked", [Grid("Set apart", columns, rows)])


def _tried(lines: Iterable[dict[str, object]]) -> list[str]:
    """Who was scored on test under several configurations: whoever keeps the best of them has chosen on test."""
    hashes: dict[tuple[str, str, str], set[str]] = {}
    for line in lines:
        if line.get("reason") == "run":
            key = (str(line.get("experiment"))[:80], str(line.get("dataset"))[:80], str(line.get("seed"))[:20])
            hashes.setdefault(key, set()).add(str(line.get("config_hash")))
    return [
        f"{experiment} on {dataset}, seed {seed}: {len(tried)} configurations were scored on test; the table has all."
        for (experiment, dataset, seed), tried in hashes.items()
        if len(tried) > 1
    ]


def _ledger_row(line: dict[str, object]) -> tuple[Cell, ...]:
    when = str(line.get("when", ""))[:16].replace("T", " ")
    return (
        Cell(when),
        *(Cell(str(line.get(name, ""))[:120]) for name in ("reason", "experiment", "dataset")),
        number(_number(line.get("seed")), 0),
        number(_number(line.get("n")), 0),
        percent(_number(line.get("accuracy"))),
        percent(_number(line.get("clean_accuracy"))),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e15 else None


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)[:80]
