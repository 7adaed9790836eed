"""One experiment from configuration to result: the only place where everything meets.

`train` fits, `validation` chooses, `test` is scored once a finished configuration; `protocol.py` sees to the last.
"""

from ferbench.experiment.evaluating import evaluate
from ferbench.experiment.resolving import Notice, Resolved, resolve
from ferbench.experiment.running import run

__all__ = ["Notice", "Resolved", "evaluate", "resolve", "run"]
