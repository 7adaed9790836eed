import numpy as np
import pytest

import ferbench
from ferbench.errors import DataError
from ferbench.recognizers.deep.cnn9 import Cnn9
from ferbench.recognizers.deep.half_weights import halve_weights
from ferbench.recognizers.deep.recipe import Training
from ferbench.recognizers.prior import Prior


@pytest.fixture
def cnn9(tiny) -> Cnn9:
    recognizer = Cnn9(widths=(8, 8, 8), dense=(128,), training=Training(epochs=1, batch_size=14))
    return recognizer.fit(tiny.train.images, tiny.train.labels)


def test_halved_weights_load_and_answer_alike(cnn9, tiny, tmp_path) -> None:
    cnn9.save(tmp_path / "model")
    file = tmp_path / "model" / "network.weights.h5"
    before = file.stat().st_size
    halve_weights(tmp_path / "model")
    loaded = ferbench.load(tmp_path / "model")
    images = tiny.validation.images
    assert np.abs(loaded.predict_proba(images) - cnn9.predict_proba(images)).max() < 0.01
    assert file.stat().st_size < 0.75 * before
    assert {weight.dtype for weight in loaded.network_.get_weights()} == {np.dtype("float32")}


def test_weights_beyond_float16_are_refused(cnn9, tmp_path) -> None:
    cnn9.network_.set_weights([weight * 0 + 1e6 for weight in cnn9.network_.get_weights()])
    cnn9.save(tmp_path / "model")
    with pytest.raises(DataError, match="beyond float16"):
        halve_weights(tmp_path / "model")
    assert ferbench.load(tmp_path / "model")


def test_what_is_no_network_is_refused(tiny, tmp_path) -> None:
    Prior().fit(tiny.train.images, tiny.train.labels).save(tmp_path / "model")
    with pytest.raises(DataError, match="no Keras weights"):
        halve_weights(tmp_path / "model")
