"""What every architecture has in common, and what its paper says of it."""

import json
from collections import Counter
from pathlib import Path

import keras
import numpy as np
import pytest

from ferbench import registry
from ferbench.errors import DataError
from ferbench.recognizers.deep.accounting import account
from ferbench.recognizers.deep.frozen import freeze
from ferbench.recognizers.deep.training import forward

NAMES = ["lenet5", "alexnet", "vgg", "resnet18", "mobilenet", "mini_xception", "efficientnet", "cbam_resnet"]
NAMES += ["cnn3", "cnn9", "ferbench_net"]


def build(name: str, side: int = 48, **params) -> keras.Model:
    return registry.create("recognizers", name, params).build(side, side)


@pytest.fixture(scope="module")
def networks() -> dict[str, keras.Model]:
    return {name: build(name) for name in NAMES}


def small(name: str, seed: int) -> keras.Model:
    """The smallest of its kind for faces of 24 x 24; its batch normalization looks as if it had learnt."""
    keras.utils.set_random_seed(seed)
    network = build(name, 24, **registry.get("recognizers", name).smoke_params())
    random = np.random.default_rng(seed)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    return network


def test_weights_of_another_network_are_refused_in_one_sentence(tmp_path: Path) -> None:
    for name, widths in (("own", (2, 2, 2)), ("other", (3, 2, 2))):
        recognizer = registry.create("recognizers", "cnn3", {"widths": widths, "dense": 4})
        recognizer.network_ = recognizer.build(*recognizer.image_size)
        recognizer._fitted = True
        recognizer.save(tmp_path / name)
    header = json.loads((tmp_path / "own/recognizer.json").read_text())
    header["files"] = json.loads((tmp_path / "other/recognizer.json").read_text())["files"]
    (tmp_path / "other/recognizer.json").write_text(json.dumps(header))
    with pytest.raises(DataError, match=r"files of a cnn3 .*: restore them or train again\.$") as caught:
        registry.load(tmp_path / "other")
    assert "\n" not in str(caught.value)


def layers_of(network: keras.Model) -> Counter[str]:
    return Counter(type(layer).__name__ for layer in network.layers)


@pytest.mark.parametrize("name", NAMES)
def test_small_and_oblong_faces_are_taken(name: str) -> None:
    recognizer_class = registry.get("recognizers", name)
    recognizer = registry.create("recognizers", name, recognizer_class.smoke_params())
    recognizer.classes = ("yes", "no")
    assert recognizer.build(24, 24).output_shape == (None, 2)
    answer = recognizer.build(24, 30).predict_on_batch(np.full((1, 24, 30, 1), 90, np.uint8))
    assert np.asarray(answer).sum() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("lenet5", {"Conv2D": 2, "AveragePooling2D": 2, "Dense": 3}),
        ("alexnet", {"Conv2D": 5, "MaxPooling2D": 3, "Dense": 3}),
        ("vgg", {"Conv2D": 10, "MaxPooling2D": 4, "Dense": 3}),
        ("resnet18", {"Conv2D": 17 + 3, "Add": 8, "Dense": 1}),
        ("cbam_resnet", {"Conv2D": 17 + 3 + 8 * 3, "Add": 8, "Dense": 1}),
        ("mini_xception", {"SeparableConv2D": 8, "Conv2D": 2 + 4 + 1, "Add": 4, "MaxPooling2D": 4}),
        ("mobilenet", {"DepthwiseConv2D": 1 + 15, "Add": 15 - 5, "Dense": 1}),
        ("efficientnet", {"DepthwiseConv2D": 1 + 9, "Dense": 1}),
    ],
)
def test_layers_are_those_of_its_paper(networks, name: str, kinds: dict[str, int]) -> None:
    found = layers_of(networks[name])
    assert {kind: found[kind] for kind in kinds} == kinds


def test_paper_widths_give_the_paper_sizes() -> None:
    assert account(build("mini_xception", 64, widths=[16, 32, 64, 128])).n_parameters == 58_423
    assert account(build("mobilenet", width=1.0)).n_parameters == pytest.approx(1.8e6, rel=0.15)
    assert account(build("resnet18", widths=[64, 128, 256, 512])).n_parameters == pytest.approx(11.2e6, rel=0.02)


def test_sizes_keep_their_promises(networks) -> None:
    sizes = {name: account(network).n_parameters for name, network in networks.items()}
    assert sizes["mini_xception"] < 100_000
    assert sizes["ferbench_net"] < 1_500_000
    assert sizes["resnet18"] < sizes["cbam_resnet"] < 1.05 * sizes["resnet18"]


@pytest.mark.parametrize("name", ["resnet18", "vgg"])
def test_width_is_a_parameter(name: str) -> None:
    narrow = build(name, widths=[4, 4, 4, 4])
    assert max(layer.filters for layer in narrow.layers if isinstance(layer, keras.layers.Conv2D)) == 4


def test_batch_normalization_follows_quickly(networks) -> None:
    kinds = [layer for network in networks.values() for layer in network.layers]
    assert {layer.momentum for layer in kinds if isinstance(layer, keras.layers.BatchNormalization)} == {0.9}


def test_attention_weighs_each_channel_and_each_place_between_nothing_and_all() -> None:
    network = build("cbam_resnet", widths=[8], blocks=1)
    gates = [layer.input[1] for layer in network.layers if isinstance(layer, keras.layers.Multiply)]
    assert [tuple(gate.shape) for gate in gates] == [(None, 1, 1, 8), (None, 24, 24, 1)]
    faces = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 1)).astype(np.uint8)
    for values in keras.Model(network.inputs, gates).predict_on_batch(faces):
        assert ((np.asarray(values) > 0) & (np.asarray(values) < 1)).all()


@pytest.mark.parametrize("name", NAMES)
def test_frozen_network_answers_as_the_network_does(name: str) -> None:
    network = small(name, seed=0)
    faces = np.random.default_rng(1).integers(0, 256, (5, 24, 24)).astype(np.uint8)
    expected = forward(network, faces)
    assert expected.std(axis=0).max() > 0 and expected.max() < 0.999
    np.testing.assert_allclose(forward(freeze(network), faces), expected, atol=1e-5)


def test_network_assigned_anew_is_what_answers() -> None:
    face = np.full((1, 24, 24), 90, np.uint8)
    recognizer = registry.create("recognizers", "cnn3", registry.get("recognizers", "cnn3").smoke_params())
    for seed in (0, 1):
        recognizer.network_ = small("cnn3", seed)
        answer = recognizer._predict_proba(face)
        np.testing.assert_allclose(answer, forward(recognizer.network_, face), atol=1e-5)
