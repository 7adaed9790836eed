import numpy as np
import pytest
from sklearn import metrics as sk

from ferbench.errors import DataError
from ferbench.metrics import brier, calibration_error, log_loss, score

CLASSES = ("a", "b", "c")


@pytest.fixture
def predictions() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200)
    probabilities = rng.dirichlet(np.ones(3), 200).astype(np.float32)
    return labels, probabilities


def test_scores_equal_scikit_learn(predictions) -> None:
    labels, probabilities = predictions
    predicted, doubles = probabilities.argmax(axis=1), probabilities.astype(float)
    scores = score(labels, probabilities, CLASSES)
    assert scores.accuracy == pytest.approx(sk.accuracy_score(labels, predicted))
    assert scores.balanced_accuracy == pytest.approx(sk.balanced_accuracy_score(labels, predicted))
    assert scores.macro_f1 == pytest.approx(sk.f1_score(labels, predicted, average="macro"))
    assert scores.log_loss == pytest.approx(sk.log_loss(labels, doubles / doubles.sum(axis=1, keepdims=True)), rel=1e-5)
    assert scores.confusion == sk.confusion_matrix(labels, predicted).tolist()
    assert sum(entry.support for entry in scores.classes.values()) == scores.n == 200


def test_brier_equals_its_definition(predictions) -> None:
    labels, probabilities = predictions
    expected = ((probabilities - np.eye(3)[labels]) ** 2).sum(axis=1).mean()
    assert brier(labels, probabilities) == pytest.approx(expected, rel=1e-6)


def test_brier_leaves_its_input_alone(predictions) -> None:
    labels, probabilities = predictions
    before = probabilities.copy()
    brier(labels, probabilities)
    assert np.array_equal(before, probabilities)


def test_calibration_error_of_an_honest_and_of_a_boastful_recognizer() -> None:
    right = np.array([1.0, 0.0, 1.0, 0.0])
    assert calibration_error(right, np.full(4, 0.5)) == pytest.approx(0.0)
    assert calibration_error(right, np.full(4, 1.0)) == pytest.approx(0.5)
    assert calibration_error(right, np.zeros(4)) == pytest.approx(0.5)


def test_certain_and_wrong_has_a_finite_log_loss() -> None:
    assert log_loss(np.array([0]), np.array([[0.0, 1.0]], np.float32)) == pytest.approx(-np.log(1e-7))


def test_class_without_faces_is_left_out_of_averages() -> None:
    probabilities = np.array([[0.9, 0.1, 0.0], [0.1, 0.9, 0.0]], np.float32)
    scores = score(np.array([0, 1]), probabilities, CLASSES)
    assert scores.macro_f1 == scores.balanced_accuracy == 1.0
    assert scores.classes["c"].support == 0


def test_interval_widens_when_rows_are_copies_of_each_other(predictions) -> None:
    labels, probabilities = predictions
    alone = score(labels, probabilities, CLASSES).accuracy_interval
    groups = np.arange(200) // 20
    together = score(np.repeat(labels[:10], 20), np.repeat(probabilities[:10], 20, axis=0), CLASSES, groups=groups)
    low, high = together.accuracy_interval
    assert high - low > 2 * (alone[1] - alone[0])


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        (np.array([0, 1]), np.ones((3, 3), np.float32), "must be"),
        (np.empty(0, np.int64), np.empty((0, 3), np.float32), "nothing to score"),
        (np.array([0]), np.full((1, 3), np.nan, np.float32), "finite"),
    ],
)
def test_what_cannot_be_scored_is_refused(labels, probabilities, message: str) -> None:
    with pytest.raises(DataError, match=message):
        score(labels, probabilities, CLASSES)
