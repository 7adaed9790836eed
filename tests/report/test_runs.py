"""A run that is damaged, incomplete or not of our protocol is refused with a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ferbench.errors import DataError
from ferbench.report.runs import collect, read_run

Content = dict[str, Any]


def change_result(directory: Path, change: Callable[[Content], None]) -> None:
    path = directory / "result.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def change_predictions(directory: Path, change: Callable[[Content], None]) -> None:
    path = directory / "predictions.npz"
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    change(arrays)
    np.savez_compressed(path, **arrays)


def test_finished_run_is_read_in_the_order_of_its_rows(make_run) -> None:
    directory = make_run()

    def shuffle(arrays: Content) -> None:
        order = np.random.default_rng(0).permutation(140)
        for name in ("index", "labels", "probabilities", "groups"):
            arrays[f"test_{name}"] = arrays[f"test_{name}"][order]

    before = read_run(directory)
    change_predictions(directory, shuffle)
    after = read_run(directory)
    assert before.test is not None and after.test is not None
    assert after.test.is_of_the_same_faces(before.test)
    np.testing.assert_array_equal(after.test.probabilities, before.test.probabilities)
    assert after.test.right.mean() == pytest.approx(after.result.test.accuracy)


def test_run_on_validation_only_has_no_test_predictions(make_run) -> None:
    assert read_run(make_run(with_test=False)).test is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda content: content["protocol"].update(chosen_on="test"), "choices were made on test"),
        (lambda content: content["protocol"].update(fitted_on="train+test"), r"fitted on train\+test"),
        (lambda content: content["test"].update(accuracy=float("nan")), "NaN is not a number"),
        (lambda content: content["cost"].update(fit_seconds=1e300), "beyond all sense"),
        (lambda content: content["cost"].update(n_parameters=10**400), "beyond all sense"),
        (lambda content: content["test"].update(accuracy=0.99), "one was changed"),
        (lambda content: content["test"].update(macro_f1=0.99), "one was changed"),
        (lambda content: content["validation"].update(log_loss=0.01), "one was changed"),
        (lambda content: content["test"].update(accuracy_interval=[0.0, 0.01]), "one was changed"),
        (lambda content: content["clean_test"].update(accuracy=0.99), "not of some of its faces"),
        (lambda content: content["clean_test"]["confusion"][0].__setitem__(0, 999), "not of some of its faces"),
        (lambda content: content["clean_test"]["confusion"][0].pop(), "not of some of its faces"),
        (lambda content: content["config"].update(seed=1), "does not give its config_hash"),
        (lambda content: content["test"].update(n=139), "all faces must be scored"),
        (lambda content: content["dataset"].update(n_test=3589), "all faces must be scored"),
        (lambda content: content["dataset"]["counts"]["test"].update(anger=1), "labels of test are not those"),
        (lambda content: content["recognizer"].update(classes=["anger", "fear"]), "only runs on the same classes"),
        (lambda content: content["config"].update(name="<script>alert(1)</script>"), "config.name"),
        (lambda content: content.pop("environment"), "environment"),
        (lambda content: content.update(schema_version=9), "schema_version"),
    ],
)
def test_result_that_is_changed_is_refused(make_run, change, sentence: str) -> None:
    directory = make_run()
    change_result(directory, change)
    with pytest.raises(DataError, match=sentence):
        read_run(directory)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda arrays: arrays.update(test_index=arrays["test_index"][:99]), "99 faces and 140 rows"),
        (lambda arrays: arrays.pop("test_groups"), "needs numbers under test_groups"),
        (lambda arrays: arrays.update(classes=arrays["classes"][:6]), "a class is missing"),
        (lambda arrays: arrays.pop("classes"), "has the classes none"),
        (lambda arrays: arrays.update(test_probabilities=arrays["test_probabilities"][:, :6]), "a class is missing"),
        (lambda arrays: arrays["test_probabilities"].__setitem__((3, 2), np.nan), "NaN"),
        (lambda arrays: arrays.update(test_probabilities=arrays["test_probabilities"] * 2), "sum to 1"),
        (lambda arrays: arrays["test_labels"].__setitem__(0, 77), "labels of test are not those"),
        (lambda arrays: arrays["test_index"].__setitem__(1, arrays["test_index"][0]), "twice"),
        (
            lambda arrays: arrays.update(test_labels=arrays["test_labels"].astype(str)),
            "needs numbers under test_labels",
        ),
        (
            lambda arrays: arrays.update(test_probabilities=np.roll(arrays["test_probabilities"], 1, axis=0)),
            "one was changed",
        ),
    ],
)
def test_predictions_that_are_changed_are_refused(make_run, change, sentence: str) -> None:
    directory = make_run()
    change_predictions(directory, change)
    with pytest.raises(DataError, match=sentence):
        read_run(directory)


def test_choice_on_the_faces_of_test_is_refused(make_run) -> None:
    directory = make_run()
    names = ("index", "labels", "probabilities", "groups")

    def copy_test(arrays: Content) -> None:
        arrays.update({f"validation_{name}": arrays[f"test_{name}"] for name in names})

    def claim_it(content: Content) -> None:
        content["validation"] = content["test"]
        content["dataset"]["counts"]["validation"] = content["dataset"]["counts"]["test"]

    change_predictions(directory, copy_test)
    change_result(directory, claim_it)
    with pytest.raises(DataError, match="was chosen on test"):
        read_run(directory)


def test_any_byte_that_flips_is_noticed_or_of_no_matter(make_run) -> None:
    directory = make_run()
    path = directory / "predictions.npz"
    whole, run = path.read_bytes(), read_run(directory)
    random = np.random.default_rng(0)
    n_refused = 0
    for place in random.integers(0, len(whole), 100).tolist():
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged)
        try:
            found = read_run(directory)
        except DataError:
            n_refused += 1
            continue
        assert found.validation.is_of_the_same_faces(run.validation)
        np.testing.assert_array_equal(found.validation.probabilities, run.validation.probabilities)
    assert n_refused > 50


def test_run_without_a_face_is_refused(make_run) -> None:
    directory = make_run()

    def empty(arrays: Content) -> None:
        for name in ("index", "labels", "probabilities", "groups"):
            arrays[f"validation_{name}"] = arrays[f"validation_{name}"][:0]

    def claim_it(content: Content) -> None:
        content["dataset"].update(n_validation=0)
        content["validation"].update(n=0)

    change_predictions(directory, empty)
    change_result(directory, claim_it)
    with pytest.raises(DataError, match="no face of validation"):
        read_run(directory)


def test_fewer_predictions_are_refused(make_run) -> None:
    directory = make_run()

    def cut(arrays: Content) -> None:
        for name in ("index", "labels", "probabilities", "groups"):
            arrays[f"test_{name}"] = arrays[f"test_{name}"][:-7]

    change_predictions(directory, cut)
    with pytest.raises(DataError, match="predictions for 133 faces of test, its result says 140"):
        read_run(directory)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("result.json", b'{"schema_version": 1, "conf', "half written"),
        ("result.json", b"", "half written"),
        ("result.json", b"\xff\xfe\x00", "half written"),
        ("result.json", b"[" * 100_000, "half written"),
        ("result.json", b"[]", "not a result"),
        ("result.json", b" " * 16_000_001, "16 MB"),
        ("predictions.npz", b"", "damaged"),
        ("predictions.npz", b"PK\x03\x04 half", "damaged"),
    ],
)
def test_file_that_is_damaged_is_refused(make_run, name: str, content: bytes, sentence: str) -> None:
    directory = make_run()
    (directory / name).write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        read_run(directory)


@pytest.mark.parametrize("name", ["result.json", "predictions.npz"])
def test_run_that_lacks_a_file_is_refused(make_run, name: str) -> None:
    directory = make_run()
    (directory / name).unlink()
    with pytest.raises(DataError, match=f"{name} does not exist"):
        read_run(directory)


def test_pickled_predictions_are_refused(make_run) -> None:
    directory = make_run()
    change_predictions(directory, lambda arrays: arrays.update(test_labels=np.array([{}] * 140, dtype=object)))
    with pytest.raises(DataError, match="damaged"):
        read_run(directory)


def test_collection_keeps_good_runs_and_says_why_others_are_set_apart(make_run, reports: Path) -> None:
    make_run("good")
    (make_run("bad") / "result.json").write_text("{")
    make_run("copied").rename(reports / "elsewhere")
    (reports / "elsewhere" / "fer2013").mkdir()
    found = collect(reports)
    assert [run.place for run in found.runs] == ["good/fer2013/seed0"]
    assert {one.place for one in found.set_apart} == {"bad/fer2013/seed0"}


def test_run_in_a_folder_of_another_name_is_set_apart(make_run, reports: Path) -> None:
    make_run("real")
    (reports / "real").rename(reports / "other")
    (one,) = collect(reports).set_apart
    assert "real/fer2013/seed0" in one.reason and "move it back" in one.reason


def test_folder_of_reports_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no folder"):
        collect(tmp_path / "none")
