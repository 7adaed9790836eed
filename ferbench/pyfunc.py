"""A saved recognizer as an MLflow pyfunc model: MLflow imports this module by name and unpickles nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ferbench import registry
from ferbench.recognizers.base import Recognizer


class FaceModel:
    """Takes gray faces, uint8 (n, height, width), and answers a table of probabilities, a column a class."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.recognizer = recognizer

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Probabilities of each face, a row a face."""
        images = np.asarray(model_input)
        return pd.DataFrame(self.recognizer.predict_proba(images), columns=list(self.recognizer.classes))


def _load_pyfunc(data_path: str) -> FaceModel:
    return FaceModel(registry.load(Path(data_path)))
