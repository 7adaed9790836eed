"""Results as tables for a terminal. Nothing is printed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from ferbench.data.dataset import DatasetCard
from ferbench.metrics import Scores
from ferbench.results import RunResult

_COLUMNS = ("experiment", "validation", "test", "clean test", "macro-F1", "ECE", "ms a face", "faces/s", "size", "fit")


def results_table(results: Sequence[RunResult]) -> Table:
    """One row a result, the least accurate first: accuracy in percent with its 95 % interval, and cost."""
    names = ", ".join(sorted({result.dataset.name for result in results}))
    title = f"Results on {names}: accuracy in %, macro-F1 and ECE on validation"
    table = Table(title=title, title_justify="left")
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column == "experiment" else "right", no_wrap=column == "experiment")
    for row in _result_rows(results):
        table.add_row(*row)
    return table


def results_markdown(results: Sequence[RunResult]) -> str:
    """The table of `results_table` in Markdown, the most accurate first."""
    head = [f"| {' | '.join(_COLUMNS)} |", f"|---|{'---:|' * (len(_COLUMNS) - 1)}"]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in reversed(_result_rows(results)))])


def _result_rows(results: Sequence[RunResult]) -> list[list[str]]:
    rows = []
    for result in sorted(results, key=lambda result: result.validation.accuracy):
        single, batch = result.cost.latency_at(1), result.cost.latency_at(32)
        rows.append(
            [
                f"{result.config.name} seed{result.config.seed}",
                percent_with_interval(result.validation),
                percent_with_interval(result.test) if result.test else "not scored",
                f"{100 * result.clean_test.accuracy:.1f}" if result.clean_test else "",
                f"{100 * result.validation.macro_f1:.1f}",
                f"{100 * result.validation.calibration_error:.1f}",
                f"{single.p50_ms:.2f}" if single else "",
                f"{batch.images_per_second:,.0f}" if batch else "",
                bytes_text(result.cost.size_bytes),
                f"{result.cost.fit_seconds:,.0f} s",
            ]
        )
    return rows


def scores_table(title: str, scores: Scores) -> Table:
    """One set of scores, with a row a class."""
    caption = (
        f"accuracy {percent_with_interval(scores)} · balanced {100 * scores.balanced_accuracy:.1f} · "
        f"macro-F1 {100 * scores.macro_f1:.1f} · log loss {scores.log_loss:.3f} · Brier {scores.brier:.3f} · "
        f"ECE {100 * scores.calibration_error:.1f} · n = {scores.n:,}"
    )
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    table.add_column("class")
    for column in ("precision", "recall", "F1", "faces"):
        table.add_column(column, justify="right")
    for name, entry in scores.classes.items():
        shares = (entry.precision, entry.recall, entry.f1)
        table.add_row(name, *(f"{100 * share:.1f}" for share in shares), f"{entry.support:,}")
    return table


def dataset_table(card: DatasetCard, place: str) -> Table:
    """Counts by split and class."""
    kind = "drawn by a program" if card.is_synthetic else "photographs"
    table = Table(
        title=f"{card.name} ({kind})",
        caption=f"fingerprint {card.fingerprint}\nclean test split: {card.n_clean_test:,} faces\n{place}",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("class")
    for split in card.counts:
        table.add_column(split, justify="right")
    for name in card.classes:
        table.add_row(name, *(f"{counts[name]:,}" for counts in card.counts.values()))
    table.add_section()
    table.add_row("all", *(f"{sum(counts.values()):,}" for counts in card.counts.values()))
    return table


def predictions_table(rows: Sequence[Mapping[str, Any]], classes: tuple[str, ...]) -> Table:
    """A row a face: the file, where a detector found it, the emotion, and all probabilities in percent."""
    table = Table()
    has_boxes = any("box" in row for row in rows)
    for column in ("image", *(["x1 y1 x2 y2"] if has_boxes else []), "emotion", *classes):
        table.add_column(column, justify="right" if column in classes else "left")
    for row in rows:
        place = [" ".join(str(edge) for edge in row["box"])] if has_boxes else []
        shares = [f"{100 * row['probabilities'][name]:.0f}" for name in classes]
        table.add_row(row["image"], *place, row["emotion"], *shares)
    return table


def percent_with_interval(scores: Scores) -> str:
    """An accuracy in percent with its 95 % interval."""
    low, high = scores.accuracy_interval
    return f"{100 * scores.accuracy:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def bytes_text(n: int) -> str:
    """A size in the unit a person would choose."""
    if n < 1000:
        return f"{n} B"
    return f"{n / 1e3:,.0f} kB" if n < 1e6 else f"{n / 1e6:,.1f} MB"
