"""Local learning on bags of visual words: Ionescu, Popescu, Grozea, ICML workshop on challenges 2013."""

from __future__ import annotations

from typing import Any, Literal

from ferbench.recognizers.classical.bovw_svm import BovwSvm
from ferbench.recognizers.classical.local_svm import LocalSvm


class BovwLocalSvm(BovwSvm):
    """The features of `BovwSvm`; each face is classified by an SVM of the training faces that are nearest to it.

    It keeps all training faces' features, and is the slower, the more they are.

    Args:
        neighbors: Number of training faces to learn from.
    """

    name = "bovw_local_svm"

    def __init__(
        self,
        *,
        cells: tuple[float, ...] = (2.0, 3.0, 4.0),
        step: float = 2.0,
        values: int = 64,
        words: int = 1000,
        strips: int = 3,
        counts: Literal["presence", "frequency"] = "frequency",
        neighbors: int = 400,
        c: tuple[float, ...] = (0.3, 1.0, 3.0),
        seed: int = 0,
    ) -> None:
        super().__init__(
            cells=cells, step=step, values=values, words=words, strips=strips, counts=counts, c=c, seed=seed
        )
        self.neighbors = neighbors

    @classmethod
    def smoke_params(cls) -> dict[str, Any]:
        """Those of `BovwSvm`, and a dozen neighbors."""
        return {**super().smoke_params(), "neighbors": 12}

    def _svm(self) -> LocalSvm:
        return LocalSvm(neighbors=self.neighbors)
