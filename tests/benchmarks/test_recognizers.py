"""One face at a time through the public interface, for every shipped recognizer; and the call that decides it all."""

import pytest

from ferbench import registry
from ferbench.data.synthetic import load_synthetic


@pytest.fixture(scope="module")
def images():
    return load_synthetic(n_train=70, n_validation=70, n_test=70).validation.images


@pytest.mark.parametrize("name", registry.shipped())
def test_batch_1(benchmark, name: str, images) -> None:
    recognizer = registry.load(name)
    recognizer.warm_up(images[:1])
    benchmark(recognizer.predict_proba, images[:1])


def test_predict_proba_is_many_times_faster_than_keras_predict(compare, images) -> None:
    recognizer = registry.load("cnn9")
    face = images[:1]
    ratio = compare(
        lambda: recognizer.predict_proba(face), lambda: recognizer.network_.predict(face[..., None], verbose=0)
    )
    assert ratio > 5


def test_the_interface_costs_little_over_the_bare_network(compare, images) -> None:
    recognizer = registry.load("cnn9")
    face = images[:1]

    def bare() -> None:
        for _ in range(50):
            recognizer.network_.predict_on_batch(face[..., None])

    def ours() -> None:
        for _ in range(50):
            recognizer.predict_proba(face)

    assert compare(bare, ours) < 1.3
