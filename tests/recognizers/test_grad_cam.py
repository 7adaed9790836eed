import keras
import numpy as np
import pytest
from keras import layers

from ferbench import registry
from ferbench.errors import ConfigError
from ferbench.recognizers.deep.feature_maps import feature_maps
from ferbench.recognizers.deep.grad_cam import grad_cam
from ferbench.recognizers.deep.keras_recognizer import KerasRecognizer

FACES = np.random.default_rng(0).integers(0, 256, (3, 12, 12)).astype(np.uint8)
LABELS = np.array([0, 3, 6])


class Small(KerasRecognizer):
    """One convolution, then what `head` says, then softmax."""

    name = "small"
    head = "average"

    def build(self, height: int, width: int) -> keras.Model:
        inputs = keras.Input((height, width, 1))
        x = layers.Conv2D(4, 3, padding="same", activation="relu", name="maps")(layers.Rescaling(1 / 255)(inputs))
        if self.head == "average":
            x = layers.GlobalAveragePooling2D()(x)
        else:
            x = layers.Dense(5, activation="tanh")(layers.Dropout(0.9)(layers.Flatten()(x)))
        return keras.Model(inputs, layers.Dense(7, activation="softmax", name="answer")(x))


def built(head: str) -> Small:
    keras.utils.set_random_seed(0)
    recognizer = Small()
    recognizer.head = head
    recognizer.image_size = (12, 12)
    recognizer.network_ = recognizer.build(12, 12)
    recognizer._fitted = True
    return recognizer


def expected(maps: np.ndarray, weights: np.ndarray) -> np.ndarray:
    heat = np.maximum((maps * weights[:, None, None, :]).sum(axis=3), 0)
    highest = heat.max(axis=(1, 2), keepdims=True)
    return heat / np.where(highest > 0, highest, 1)


def test_behind_an_average_it_is_the_class_activation_map() -> None:
    recognizer = built("average")
    maps = feature_maps(recognizer, FACES, ["maps"])["maps"]
    kernel = recognizer.network_.get_layer("answer").get_weights()[0]
    assert grad_cam(recognizer, FACES, LABELS) == pytest.approx(expected(maps, kernel.T[LABELS]), abs=1e-4)


def test_behind_dense_layers_weights_are_the_score_s_slopes() -> None:
    recognizer = built("dense")
    network = recognizer.network_
    maps = feature_maps(recognizer, FACES, ["maps"])["maps"]
    tail = keras.Model(network.get_layer("maps").output, network.layers[-1].input)
    kernel = network.get_layer("answer").get_weights()[0]
    slopes = np.empty((3, 4))
    for channel in range(4):
        nudge = np.zeros(4, np.float32)
        nudge[channel] = 0.01
        change = tail.predict_on_batch(maps + nudge) - tail.predict_on_batch(maps - nudge)
        slopes[:, channel] = (np.asarray(change) @ kernel)[np.arange(3), LABELS] / 0.02
    assert grad_cam(recognizer, FACES, LABELS) == pytest.approx(expected(maps, slopes), abs=0.02)


def test_nothing_of_the_recognizer_changes() -> None:
    recognizer = built("dense")
    before, answers = recognizer.network_.get_weights(), recognizer.predict_proba(FACES)
    heat = grad_cam(recognizer, FACES)
    assert heat.shape == FACES.shape and heat.dtype == np.float32 and 0 <= heat.min() <= heat.max() <= 1
    assert all(np.array_equal(old, new) for old, new in zip(before, recognizer.network_.get_weights(), strict=True))
    assert len(recognizer.network_.trainable_weights) == 6
    assert np.array_equal(recognizer.predict_proba(FACES), answers)


@pytest.mark.parametrize("head", ["average", "dense"])
def test_maps_asked_for_again_leave_the_graph_as_it_is(head: str) -> None:
    recognizer = built(head)
    first = grad_cam(recognizer, FACES, LABELS)

    def n_uses() -> int:
        return sum(len(layer._inbound_nodes) + len(layer._outbound_nodes) for layer in recognizer.network_.layers)

    before = n_uses()
    assert np.array_equal(grad_cam(recognizer, FACES, LABELS), first)
    assert n_uses() == before


def test_a_layer_that_is_no_picture_is_refused() -> None:
    with pytest.raises(ConfigError, match="Choose one of: "):
        grad_cam(built("average"), FACES, layer_name="answer")


@pytest.mark.parametrize("name", ["mini_xception", "cbam_resnet", "lenet5"])
def test_any_network_has_one(name: str) -> None:
    recognizer = registry.create("recognizers", name, registry.get("recognizers", name).smoke_params())
    recognizer.network_ = recognizer.build(48, 48)
    recognizer._fitted = True
    faces = np.random.default_rng(0).integers(0, 256, (2, 48, 48)).astype(np.uint8)
    assert np.isfinite(grad_cam(recognizer, faces, np.array([0, 1]))).all()
