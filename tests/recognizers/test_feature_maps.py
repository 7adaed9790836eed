import numpy as np
import pytest

from ferbench import registry
from ferbench.errors import ConfigError
from ferbench.recognizers.deep.cnn9 import Cnn9
from ferbench.recognizers.deep.feature_maps import feature_maps, shrinking_layers


@pytest.fixture(scope="module")
def cnn9() -> Cnn9:
    recognizer = Cnn9(widths=(2, 3, 4))
    recognizer.network_ = recognizer.build(48, 48)
    return recognizer


FACES = np.random.default_rng(0).integers(0, 256, (3, 48, 48)).astype(np.uint8)


def test_maps_are_those_after_the_pooling_layers(cnn9) -> None:
    maps = feature_maps(cnn9, FACES)
    assert [values.shape for values in maps.values()] == [(3, 24, 24, 2), (3, 12, 12, 3), (3, 6, 6, 4)]
    assert all("pooling" in name for name in maps)


def test_a_layer_can_be_named(cnn9) -> None:
    name = cnn9.network_.layers[2].name
    (values,) = feature_maps(cnn9, FACES, [name]).values()
    assert values.shape == (3, 48, 48, 2) and values.dtype == np.float32


def test_a_layer_that_is_no_picture_is_refused(cnn9) -> None:
    for name in ("nothing", cnn9.network_.layers[-1].name):
        with pytest.raises(ConfigError, match=r"Choose one of: .*max_pooling"):
            feature_maps(cnn9, FACES, [name])


def test_a_network_without_pooling_shows_each_size_once() -> None:
    network = registry.create("recognizers", "resnet18", {"widths": [4, 4, 4], "blocks": 1}).build(48, 48)
    sizes = [network.get_layer(name).output.shape[1] for name in shrinking_layers(network)]
    assert sizes == [24, 12, 6]


@pytest.mark.parametrize(
    ("name", "params", "sizes"),
    [
        ("ferbench_net", {"widths": [4, 4, 4], "blocks": 1}, [24, 12, 6]),
        ("mini_xception", {"stem": 2, "widths": [4, 4]}, [22, 11]),
    ],
)
def test_pooling_beside_strides_hides_no_size(name, params, sizes) -> None:
    network = registry.create("recognizers", name, params).build(48, 48)
    assert [network.get_layer(layer).output.shape[1] for layer in shrinking_layers(network)] == sizes
