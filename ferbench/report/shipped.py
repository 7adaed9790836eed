"""Forms of networks that come with the package: what their cards and their gates say. No weights are read."""

from __future__ import annotations

import json
from typing import NamedTuple

from ferbench import registry
from ferbench.engines.gate import Verdict, read_verdict
from ferbench.errors import DataError


class ShippedForm(NamedTuple):
    """A network that was exported and is shipped.

    Attributes:
        name: To load it by.
        config_hash: Of the run whose network it is.
        verdict: The gate's, with engine, precision and scores on validation.
        size_bytes: Of its files.
    """

    name: str
    config_hash: str
    verdict: Verdict
    size_bytes: int


def shipped_form(name: str) -> ShippedForm | None:
    """What is shipped under a name; None where nothing is, or what is shipped is no export.

    Raises:
        DataError: its card or its `gate.json` is damaged.
    """
    if name not in registry.shipped():
        return None
    directory = registry.find(name)
    verdict = read_verdict(directory)
    if verdict is None:
        return None
    try:
        card = json.loads((directory / "card.json").read_bytes())
        size = sum((directory / file).stat().st_size for file in card["sha256"])
        return ShippedForm(name, str(card["config_hash"]), verdict, size)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"The card of {name} is damaged ({error}): install ferbench again.") from error


def shipped_as(config_hash: str) -> list[str]:
    """Names under which the recognizer of a run is shipped, as it was fitted or exported."""
    return [name for name in registry.shipped() if config_hash_of(name) == config_hash]


def config_hash_of(name: str) -> str | None:
    """Of the run that a shipped recognizer is from; None where its card does not say it."""
    try:
        return str(json.loads((registry.find(name) / "card.json").read_bytes())["config_hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a recognizer without a card of ours is one that no run is known of
