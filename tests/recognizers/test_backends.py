"""The same recipe trains two steps on every Keras backend that is installed, and weights load across them."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import ferbench

TRAIN = """
import sys
import numpy as np
from ferbench import registry
recipe = {"epochs": 1, "batch_size": 8, "mixup": 0.2, "ema_decay": 0.9, "augmentation": {"erasing": 0.5}}
params = {"widths": [4, 4], "stem": 2, "training": recipe}
rng = np.random.default_rng(0)
faces, labels = rng.integers(0, 256, (16, 24, 24)).astype(np.uint8), np.arange(16) % 7
recognizer = registry.create("recognizers", "mini_xception", params)
recognizer.fit(faces, labels, validation=(faces, labels))
recognizer.save(sys.argv[1] + "/model")
np.save(sys.argv[1] + "/answers.npy", recognizer.predict_proba(faces))
np.save(sys.argv[1] + "/faces.npy", faces)
"""


@pytest.mark.parametrize("backend", ["tensorflow", "torch", "jax"])
def test_two_steps_train_and_the_weights_load_here(backend: str, tmp_path: Path) -> None:
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    environment = {**os.environ, "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, "-c", TRAIN, str(tmp_path)], env=environment, check=True)
    loaded = ferbench.load(tmp_path / "model")
    difference = np.abs(loaded.predict_proba(np.load(tmp_path / "faces.npy")) - np.load(tmp_path / "answers.npy"))
    assert difference.max() < 1e-4
