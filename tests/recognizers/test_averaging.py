import keras
import numpy as np
import pytest

from ferbench.recognizers.deep.averaging import WeightAverage


@pytest.fixture
def network() -> keras.Model:
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer="zeros")(inputs))
    model.set_weights([np.zeros((1, 1)), np.zeros(1)])
    return model


def set_to(network: keras.Model, value: float) -> None:
    network.set_weights([np.full((1, 1), value), np.full(1, value)])


def test_average_of_what_stays_is_what_stays(network) -> None:
    average = WeightAverage(network, 0.99)
    set_to(network, 4.0)
    for step in range(1, 2001):
        average.follow(step)
    assert average.arrays[0] == pytest.approx(4.0, rel=1e-3)


def test_average_lags_behind_and_forgets_by_its_decay(network) -> None:
    average = WeightAverage(network, 0.9)
    set_to(network, 1.0)
    for step in range(1, 4001):
        average.follow(step)
    set_to(network, 2.0)
    for step in range(4001, 4009):
        average.follow(step)
    assert average.arrays[0] == pytest.approx(2.0 - 0.9**8, rel=1e-5)


def test_network_shows_the_average_for_a_moment_only(network) -> None:
    average = WeightAverage(network, 0.5)
    set_to(network, 3.0)
    with pytest.raises(ZeroDivisionError), average.shown():
        assert network.get_weights()[0] == 0.0
        raise ZeroDivisionError
    assert network.get_weights()[0] == 3.0


def test_without_decay_nothing_is_kept_or_shown(network) -> None:
    average = WeightAverage(network, 0.0)
    set_to(network, 3.0)
    average.follow(8)
    with average.shown():
        assert network.get_weights()[0] == 3.0
    assert average.arrays == []
