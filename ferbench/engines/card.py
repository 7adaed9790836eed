"""The model card of an exported recognizer: what was exported, what the gate measured, and the source's own card."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ferbench.data.dataset import Dataset
from ferbench.engines.gate import Quality, Verdict
from ferbench.recognizers.exported import Exported
from ferbench.recognizers.header import read_header

CARD_FILES = _CARD, _TEXT = "card.json", "MODEL_CARD.md"
"""What `write_cards` writes."""

SCORES = ("accuracy", "macro_f1", "log_loss")
"""Of the exported recognizer, in `card.json`; not in it where only rendered faces were there to judge on."""

_CHECKSUM = re.compile(r"^- `[^`]+` sha256 `\w+`\n?", re.MULTILINE)


def write_cards(directory: Path, origin: Path, exported: Exported, verdict: Verdict, dataset: Dataset | None) -> None:
    """Write `card.json` and `MODEL_CARD.md` into an exported folder.

    Args:
        directory: The exported folder.
        origin: The folder of the recognizer that was exported; what its card says is kept, but for its scores. A run's
            folder has a result in place of a card.
        exported: The exported recognizer.
        verdict: The gate's.
        dataset: That calibrated and judged; None: rendered faces did.
    """
    files = read_header(directory).files
    card = _card_of(origin) | {
        "recognizer": exported.name,
        "source": exported.source,
        "engine": exported.engine,
        "precision": exported.precision,
        "sha256": files,
    }
    for name in SCORES:
        card.pop(name, None)  # the source's own
    if dataset is not None:
        card |= {"dataset": dataset.name, "fingerprint": dataset.fingerprint()}
        for name in SCORES:
            card[name] = {"validation": getattr(verdict.exported, name)}
    (directory / _CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    kept = ""
    if (origin / _TEXT).is_file():
        text = (origin / _TEXT).read_text(encoding="utf-8")
        kept = _CHECKSUM.sub("", text[max(text.find("\n## "), 0) :]).strip() + "\n\n"
        kept = f"What follows is said of {exported.source} as it was trained.\n\n{kept}"
    checksums = "\n".join(f"- `{name}` sha256 `{digest}`" for name, digest in files.items())
    (directory / _TEXT).write_text(f"{_export_text(exported, verdict)}\n{kept}{checksums}\n", encoding="utf-8")


def _card_of(origin: Path) -> dict[str, Any]:
    if (origin / _CARD).is_file():
        card: dict[str, Any] = json.loads((origin / _CARD).read_bytes())
        return card
    try:
        result = json.loads((origin.parent / "result.json").read_bytes())
        return {"config_hash": result["config_hash"], "commit": result["environment"]["commit"]}
    except (OSError, ValueError, KeyError, TypeError):  # a network may be exported whatever lies beside it
        return {}


def _export_text(exported: Exported, verdict: Verdict) -> str:
    calibration = exported.source_.calibration
    calibrated = f", calibrated on {calibration[1]} training faces of {calibration[0]}" if calibration else ""
    judged = "passed" if verdict.passed else "**failed** (" + "; ".join(verdict.failures) + ")"
    extra = type(exported.engine_).extra
    size = exported.info().size_bytes
    return f"""\
# {exported.source} in {exported.precision} for {exported.engine}

Exported from {exported.source}{calibrated}. `pip install 'ferbench[{extra}]'` runs it; its answers need neither Keras
nor TensorFlow. {size:,} bytes. `ferbench.load` takes the folder that this card lies in.

## Gate

{verdict.n:,} validation faces of {verdict.dataset}: {judged}.

| | {exported.source} in Keras | exported |
|---|---|---|
{_row("accuracy, %", "accuracy", verdict.reference, verdict.exported)}
{_row("macro-F1, %", "macro_f1", verdict.reference, verdict.exported)}
{_row("ECE, %", "calibration_error", verdict.reference, verdict.exported)}

{100 * verdict.agreement:.2f} % of labels agree, no probability differs by more than {verdict.max_difference:.2g}, and
one face takes {verdict.latency_ratio:.2f} of the time that Keras takes (one machine, on one day).
"""


def _row(title: str, name: str, reference: Quality, exported: Quality) -> str:
    return f"| {title} | {100 * getattr(reference, name):.2f} | {100 * getattr(exported, name):.2f} |"
