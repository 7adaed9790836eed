"""A stack of classical recognizers alone."""

from __future__ import annotations

from typing import Any

from ferbench import registry
from ferbench.errors import ConfigError
from ferbench.recognizers.base import Recognizer
from ferbench.recognizers.ensemble import Ensemble


class ClassicalEnsemble(Ensemble):
    """An `Ensemble` that hears no network; its parameters are that one's."""

    name = "classical_ensemble"

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """Two small members."""
        names = ("hog_svm", "lbp_svm")
        members = [{"name": name, "params": registry.get("recognizers", name).smoke_params()} for name in names]
        return {"members": members}

    def _admit(self, member: Recognizer) -> None:
        if member.family not in ("baseline", "classical"):
            raise ConfigError(f"{self.name} has classical members only, got {member.name}: name it in an ensemble.")
