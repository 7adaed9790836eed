from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import ferbench
from ferbench import registry
from ferbench.engines.choice import _folder, through
from ferbench.engines.converting import convert
from ferbench.engines.gate import Reference, judge, read_verdict, write_verdict
from ferbench.errors import ConfigError, UnknownNameError
from ferbench.evaluation import origin_of
from ferbench.recognizers.deep.cnn3 import Cnn3
from ferbench.recognizers.prior import Prior

Exported = Callable[..., Path]


@pytest.fixture
def kept(source: Path, exported: Exported, tiny, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Puts an export and a verdict where an earlier process would have left them; converting again is an error."""

    prior = Prior().fit(tiny.train.images, tiny.train.labels)
    perfect = judge(Reference(prior, tiny.name, tiny.validation), prior, engine="litert", precision="float32")

    def refuse(*arguments: object, **keywords: object) -> None:
        raise AssertionError("converted again")

    monkeypatch.setattr("ferbench.engines.choice.convert", refuse)
    installed = {name: registry.get("engines", name).is_installed for name in registry.names("engines")}
    for name in installed:
        monkeypatch.setattr(registry.get("engines", name), "is_installed", classmethod(lambda cls: False))

    def keep(engine: str, **verdict: object) -> Path:
        monkeypatch.setattr(registry.get("engines", engine), "is_installed", installed[engine])
        folder = _folder(source, engine)
        shutil.copytree(exported(engine), folder)
        if verdict:
            write_verdict(perfect.model_copy(update=verdict), folder)
        return folder

    return keep


def test_keras_is_the_recognizer_as_it_is(source: Path) -> None:
    assert through(source, "keras") == source
    assert isinstance(ferbench.load(source, engine="keras"), Cnn3)


def test_an_engine_answers_from_what_was_converted_before(source: Path, kept: Callable[..., Path], tiny) -> None:
    folder = kept("litert")
    recognizer = ferbench.load(source, engine="litert")
    assert through(source, "litert") == folder
    images = tiny.validation.images
    assert np.abs(recognizer.predict_proba(images) - ferbench.load(source).predict_proba(images)).max() < 1e-4


def test_other_weights_are_kept_elsewhere(source: Path) -> None:
    assert _folder(source, "litert").parent != _folder(registry.find("cnn9"), "litert").parent


def test_another_temperature_is_kept_elsewhere(source: Path, tmp_path: Path) -> None:
    shutil.copytree(source, tmp_path / "model")
    header = json.loads((source / "recognizer.json").read_text())
    (tmp_path / "model/recognizer.json").write_text(json.dumps(header | {"temperature": 2.0}))
    assert _folder(source, "litert").parent != _folder(tmp_path / "model", "litert").parent


def test_another_number_of_threads_keeps_the_temperature(exported: Exported, tiny) -> None:
    recognizer = ferbench.load(exported("litert"))
    recognizer.temperature_ = 2.0
    images = tiny.validation.images
    assert np.allclose(recognizer.with_threads(2).predict_proba(images), recognizer.predict_proba(images), atol=1e-5)


def test_a_kept_form_is_called_after_its_experiment_and_tells_its_dataset(
    source: Path, exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = ferbench.load(exported("litert"))
    monkeypatch.setattr("ferbench.engines.choice.convert", lambda *arguments: form)
    shutil.copytree(source, tmp_path / "run/model")
    config = {"name": "mine", "seed": 0, "dataset": {"name": "synthetic", "params": {}}}
    (tmp_path / "run/result.json").write_text(json.dumps({"config": config}))
    shutil.copytree(source, tmp_path / "other")
    of_run, of_folder = (origin_of(through(tmp_path / name, "litert")) for name in ("run", "other"))
    assert (of_run.experiment, of_run.fitted_on) == ("mine_litert_float32", "synthetic")
    assert (of_folder.experiment, of_folder.fitted_on) == ("other_litert_float32", None)


@pytest.mark.parametrize("engine", ["litert", "auto"])
def test_a_damaged_form_is_converted_again(
    engine: str, source: Path, exported: Exported, kept: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, form = kept("litert", latency_ratio=0.3), ferbench.load(exported("litert"))
    (folder / "network.tflite").write_bytes(b"damaged")
    monkeypatch.setattr("ferbench.engines.choice.convert", lambda *arguments: form)
    through(source, engine)
    assert ferbench.load(folder).display_name == "cnn3 litert float32"
    assert list(folder.parent.iterdir()) == [folder]


def test_a_damaged_verdict_is_asked_for_again(source: Path, kept: Callable[..., Path]) -> None:
    folder = kept("litert")
    (folder / "gate.json").write_text("{")
    through(source, "auto")
    assert read_verdict(folder) is not None


def test_the_form_of_a_process_that_was_faster_stays(
    source: Path, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, folder = ferbench.load(exported("litert")), _folder(source, "litert")

    def convert_slowly(*arguments: object) -> object:
        shutil.copytree(exported("litert"), folder)
        (folder / "theirs").touch()
        return form

    monkeypatch.setattr("ferbench.engines.choice.convert", convert_slowly)
    assert through(source, "litert") == folder and (folder / "theirs").is_file()
    assert list(folder.parent.iterdir()) == [folder]


def test_auto_takes_the_fastest_that_passed(source: Path, kept: Callable[..., Path]) -> None:
    kept("litert", latency_ratio=0.3)
    fastest = kept("onnxruntime", latency_ratio=0.2)
    assert through(source, "auto") == fastest


@pytest.mark.parametrize("verdict", [{"passed": False, "latency_ratio": 0.1}, {"latency_ratio": 1.2}])
def test_auto_stays_with_keras_where_nothing_passes_or_is_faster(
    verdict: dict, source: Path, kept: Callable[..., Path]
) -> None:
    kept("litert", **verdict)
    assert through(source, "auto") == source


def test_auto_asks_the_gate_where_it_has_not_been_asked(source: Path, kept: Callable[..., Path]) -> None:
    folder = kept("litert")
    assert through(source, "auto") == folder
    assert (folder / "gate.json").is_file()


def test_auto_passes_over_an_engine_whose_converter_breaks(
    source: Path, kept: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = kept("onnxruntime", latency_ratio=0.2)
    litert = registry.get("engines", "litert")

    def fail(cls: type, *arguments: object) -> None:
        raise RuntimeError("no kernel for op Erf")

    monkeypatch.setattr(litert, "is_installed", classmethod(lambda cls: True))
    monkeypatch.setattr(litert, "convert", classmethod(fail))
    monkeypatch.setattr("ferbench.engines.choice.convert", convert)
    assert through(source, "auto") == fast


def test_auto_leaves_alone_what_is_no_network_or_exported_already(exported: Exported) -> None:
    assert through("hog_svm", "auto") == registry.find("hog_svm")
    assert through(exported("litert"), "auto") == exported("litert")


def test_a_named_engine_for_what_is_no_network_is_refused(exported: Exported) -> None:
    exported("litert")
    with pytest.raises(ConfigError, match="hog_svm is no Keras network"):
        ferbench.load("hog_svm", engine="litert")


def test_an_unknown_engine_suggests_the_nearest(source: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"No engine named 'openvin'\. Did you mean 'openvino'"):
        ferbench.load(source, engine="openvin")
