import keras
import pytest
from keras import layers

from ferbench.recognizers.deep.accounting import account


def network_of(*stack: keras.layers.Layer) -> keras.Model:
    inputs = x = keras.Input((12, 12, 2))
    for layer in stack:
        x = layer(x)
    return keras.Model(inputs, x)


@pytest.mark.parametrize(
    ("layer", "multiply_adds", "n_parameters"),
    [
        (layers.Conv2D(5, 3, padding="same"), 144 * 9 * 2 * 5, 9 * 2 * 5 + 5),
        (layers.Conv2D(5, 3), 100 * 9 * 2 * 5, 9 * 2 * 5 + 5),
        (layers.Conv2D(4, 3, strides=2, padding="same", groups=2), 36 * 9 * 1 * 4, 9 * 1 * 4 + 4),
        (layers.DepthwiseConv2D(3, padding="same", use_bias=False), 144 * 9 * 2, 18),
        (layers.SeparableConv2D(5, 3, padding="same", use_bias=False), 144 * (9 * 2 + 2 * 5), 18 + 10),
        (layers.Dense(3), 144 * 2 * 3, 2 * 3 + 3),
        (layers.MaxPooling2D(2), 0, 0),
        (layers.BatchNormalization(), 0, 8),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_layer_costs_what_a_hand_counts(layer, multiply_adds, n_parameters) -> None:
    found = account(network_of(layer))
    assert (found.multiply_adds, found.n_parameters) == (multiply_adds, n_parameters)
    assert found.weight_bytes == 4 * n_parameters


@pytest.mark.parametrize(
    ("stack", "side"),
    [
        ([layers.Activation("relu")], 1),
        ([layers.Conv2D(1, 3)], 3),
        ([layers.Conv2D(1, 3), layers.Conv2D(1, 3)], 5),
        ([layers.Conv2D(1, 3), layers.MaxPooling2D(2), layers.Conv2D(1, 3)], 3 + 1 + 2 * 2),
        ([layers.Conv2D(1, 5, strides=2), layers.Conv2D(1, 3, strides=2), layers.Conv2D(1, 1)], 5 + 2 * 2),
        ([layers.Conv2D(1, 3, dilation_rate=2)], 5),
        ([layers.Conv2D(1, 3), layers.GlobalAveragePooling2D(), layers.Dense(9)], 3),
        ([layers.AveragePooling2D(2), layers.Flatten(), layers.Dense(9)], 2),
    ],
    ids=lambda value: "-".join(layer.name for layer in value) if isinstance(value, list) else value,
)
def test_receptive_field_grows_as_a_hand_counts(stack, side) -> None:
    assert account(network_of(*stack)).receptive_field == side


def test_of_two_paths_the_one_that_sees_farther_counts() -> None:
    inputs = keras.Input((12, 12, 2))
    near, far = layers.Conv2D(3, 1)(inputs), layers.Conv2D(3, 5, padding="same")(inputs)
    assert account(keras.Model(inputs, layers.Add()([near, far]))).receptive_field == 5


def test_a_gate_over_the_whole_picture_is_not_local() -> None:
    inputs = keras.Input((12, 12, 2))
    x = layers.Conv2D(3, 3)(inputs)
    gate = layers.Conv2D(3, 1)(layers.GlobalAveragePooling2D(keepdims=True)(x))
    found = account(keras.Model(inputs, layers.Multiply()([x, gate])))
    assert found.receptive_field == 3
    assert found.multiply_adds == 100 * 9 * 2 * 3 + 1 * 1 * 3 * 3
