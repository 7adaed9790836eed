import subprocess
import sys

import numpy as np
import pytest

from ferbench.errors import ConfigError, ImagesError, UnknownNameError
from ferbench.recognizers.classical.hog_svm import HogSvm
from ferbench.recognizers.deep.cnn9 import Cnn9
from ferbench.recognizers.deep.recipe import Training
from ferbench.recognizers.explanation import explain


@pytest.fixture(scope="module")
def cnn9(tiny) -> Cnn9:
    recognizer = Cnn9(widths=(2, 2, 2), dense=(8,), training=Training(epochs=1, batch_size=14))
    return recognizer.fit(tiny.train.images, tiny.train.labels)


@pytest.fixture(scope="module")
def hog_svm(tiny) -> HogSvm:
    return HogSvm(c=(0.1,)).fit(tiny.train.images, tiny.train.labels)


def test_a_network_is_explained_in_every_way(cnn9, tiny) -> None:
    found = explain(cnn9, tiny.validation.images[:3])
    assert found.grad_cam.shape == found.occlusion.shape == (3, 48, 48)
    assert [maps.shape for maps in found.features.values()] == [(3, 24, 24, 2), (3, 12, 12, 2), (3, 6, 6, 2)]
    assert found.asked == found.prediction.names


def test_what_has_no_layers_is_explained_by_occlusion(hog_svm, tiny) -> None:
    found = explain(hog_svm, tiny.validation.images[:2])
    assert found.occlusion.shape == (2, 48, 48) and np.abs(found.occlusion).max() > 0
    assert found.grad_cam is None and not found.features


def test_only_what_was_asked_for_is_done(cnn9, tiny) -> None:
    found = explain(cnn9, tiny.validation.images[:2], methods=["grad_cam"], emotion="fear")
    assert found.asked == ("fear", "fear")
    assert found.grad_cam is not None and found.occlusion is None and not found.features


def test_faces_are_resized_to_what_the_recognizer_sees(hog_svm) -> None:
    found = explain(hog_svm, np.full((1, 60, 80), 90, np.uint8))
    assert found.images.shape == (1, 48, 48)


@pytest.mark.parametrize("method", ["grad_cam", "features"])
def test_layers_that_are_not_there_are_refused(hog_svm, tiny, method) -> None:
    with pytest.raises(ConfigError, match=f"{method} looks into the layers .* hog_svm has none: ask for occlusion"):
        explain(hog_svm, tiny.validation.images[:1], methods=["occlusion", method])


def test_unknown_names_are_refused_with_a_suggestion(hog_svm, tiny) -> None:
    faces = tiny.validation.images[:1]
    with pytest.raises(UnknownNameError, match="Did you mean 'occlusion'"):
        explain(hog_svm, faces, methods=["oclusion"])
    with pytest.raises(UnknownNameError, match=r"hog_svm knows no class 'hapiness'\. Did you mean 'happiness'"):
        explain(hog_svm, faces, emotion="hapiness")


@pytest.mark.parametrize("faces", [np.empty((0, 48, 48), np.uint8), np.zeros((48, 48), np.uint8)])
def test_what_is_no_batch_of_faces_is_refused(hog_svm, faces) -> None:
    with pytest.raises(ImagesError):
        explain(hog_svm, faces)


def test_a_classical_recognizer_is_explained_without_keras() -> None:
    code = (
        "import sys, numpy as np, ferbench; from ferbench.recognizers.explanation import explain; "
        "explain(ferbench.load('lbp_svm'), np.zeros((1, 48, 48), np.uint8)); print('keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
