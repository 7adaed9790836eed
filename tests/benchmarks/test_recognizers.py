"""One face at a time through the public interface, every recognizer beside `cnn9`; and the call that decides it all."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ferbench import registry
from ferbench.config import load_experiment
from ferbench.data.synthetic import load_synthetic
from ferbench.recognizers.base import Recognizer

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
PACKAGE = "ferbench.recognizers.classical."
REGISTERED = tuple(name for name in registry.names("recognizers") if name != "exported")  # its forms are shipped
CLASSICAL = tuple(name for name in REGISTERED if registry.get("recognizers", name).__module__.startswith(PACKAGE))
NAMES = sorted({*registry.shipped(), *REGISTERED})
ENSEMBLES = ("classical_ensemble", "ensemble")
ROUNDS = 21
FACES = 210
MANY_FACES = 3000  # for those that compare a face with others: all landmarks of hog_rbf, a tenth of bovw_local_svm's


@pytest.fixture(scope="module")
def images():
    return load_synthetic(n_train=70, n_validation=70, n_test=70).validation.images


@pytest.fixture(scope="module")
def recognizers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recognizer]:
    """Those that are shipped, and the others as their experiments make them, fitted on few drawn faces."""
    made = {name: registry.load(name) for name in registry.shipped()}
    train = load_synthetic(n_train=MANY_FACES, n_validation=7, n_test=7).train
    kept = tmp_path_factory.mktemp("members")
    # Ensembles last: their members are then there.
    for name in sorted(set(REGISTERED) - made.keys(), key=lambda name: (name in ENSEMBLES, name)):
        params = dict(load_experiment(EXPERIMENTS / f"{name}.yaml").recognizer.params)
        if "members" in params:
            members = [member if isinstance(member, str) else member["name"] for member in params["members"]]
            params["members"] = [member if member in registry.shipped() else str(kept / member) for member in members]
        if "c" in params:
            params["c"] = params["c"][:1]
        n = MANY_FACES if {"landmarks", "neighbors"} & params.keys() else FACES
        if name not in (*CLASSICAL, "ensemble"):  # what a network takes does not depend on what it has learnt
            params["training"], n = {"epochs": 1, "batch_size": 7}, 7
        recognizer = registry.create("recognizers", name, params)
        made[name] = recognizer.fit(train.images[:n], train.labels[:n])
        made[name].save(kept / name)
    return made


@pytest.fixture(scope="module")
def milliseconds(recognizers: dict[str, Recognizer], images: np.ndarray) -> dict[str, np.ndarray]:
    """Of one face, by recognizer, a value a round; in each round another one is first."""
    face = images[:1]
    for recognizer in recognizers.values():
        recognizer.warm_up(face)
    found: dict[str, list[float]] = {name: [] for name in recognizers}
    order = sorted(recognizers)
    for number in range(ROUNDS):
        turn = number * len(order) // ROUNDS
        for name in order[turn:] + order[:turn]:
            found[name].append(_median_milliseconds(lambda name=name: recognizers[name].predict_proba(face)))
    return {name: np.array(values) for name, values in found.items()}


def _median_milliseconds(call: Callable[[], Any], n_calls: int = 7) -> float:
    seconds = []
    for _ in range(n_calls):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)) * 1000


@pytest.mark.parametrize("name", NAMES)
def test_batch_1_beside_cnn9(
    benchmark, name: str, recognizers: dict[str, Recognizer], milliseconds: dict[str, np.ndarray], images: np.ndarray
) -> None:
    times = milliseconds[name] / milliseconds["cnn9"]
    low, high = np.quantile(times, [0.25, 0.75])
    benchmark.extra_info |= {
        "ms_a_face": float(np.median(milliseconds[name])),
        "ms_a_face_of_cnn9": float(np.median(milliseconds["cnn9"])),
        "times_cnn9": float(np.median(times)),
        "middle_half_of_times_cnn9": (float(low), float(high)),
        "rounds": ROUNDS,
        "shipped": name in registry.shipped(),
    }
    benchmark.pedantic(recognizers[name].predict_proba, args=(images[:1],), rounds=20, warmup_rounds=2)
    assert len(times) == ROUNDS


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
