"""How sure a number is. Pure functions over arrays; no recognizer, file or clock is known here."""

from ferbench.statistics.intervals import bootstrap_interval

__all__ = ["bootstrap_interval"]
