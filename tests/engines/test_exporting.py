from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import ferbench
from ferbench import registry
from ferbench.cli import main
from ferbench.data.synthetic import load_synthetic
from ferbench.engines import gate
from ferbench.engines.converting import calibration_faces
from ferbench.errors import ConfigError, DataError, DatasetMissingError, MissingLibraryError, UnknownNameError

Exported = Callable[..., Path]
ENGINES = registry.names("engines")
UNNEEDED = (
    *("tensorflow", "keras", "sklearn", "skimage", "mlflow", "pandas", "scipy", "skops", "cv2", "h5py", "matplotlib"),
    *("pooch", "threadpoolctl", "rich", "yaml", "tf2onnx", "onnx"),
)
FACES = load_synthetic(n_train=21, n_validation=63, n_test=21, seed=2).validation.images


@pytest.mark.parametrize("engine", ENGINES)
def test_float32_answers_as_the_source_does(engine: str, source: Path, exported: Exported) -> None:
    recognizer, reference = ferbench.load(exported(engine)), ferbench.load(source)
    assert np.abs(recognizer.predict_proba(FACES) - reference.predict_proba(FACES)).max() < 1e-5
    assert recognizer.classes == reference.classes


def test_float16_halves_the_file_and_answers_alike(source: Path, exported: Exported) -> None:
    half, whole = ferbench.load(exported("onnxruntime", "float16")), ferbench.load(exported("onnxruntime"))
    assert half.info().size_bytes < 0.6 * whole.info().size_bytes
    assert np.abs(half.predict_proba(FACES) - whole.predict_proba(FACES)).max() < 0.01


def test_int8_quarters_the_file_and_answers_alike(exported: Exported) -> None:
    whole, small = ferbench.load(exported("litert")), ferbench.load(exported("litert", "int8"))
    assert small.info().size_bytes < 0.4 * whole.info().size_bytes
    assert np.abs(small.predict_proba(FACES) - whole.predict_proba(FACES)).max() < 0.1
    assert small.display_name == "cnn3 litert int8"


def test_dynamic_int8_is_as_small_and_answers_more_alike(source: Path, exported: Exported) -> None:
    dynamic, static = ferbench.load(exported("litert", "int8_dynamic")), ferbench.load(exported("litert", "int8"))
    answers = ferbench.load(source).predict_proba(FACES)
    assert dynamic.info().size_bytes < 1.05 * static.info().size_bytes
    lost = [np.abs(one.predict_proba(FACES) - answers).mean() for one in (dynamic, static)]
    assert lost[0] < lost[1]
    assert dynamic.source_.calibration is None


def test_a_precision_that_the_engine_lacks_is_refused(source: Path, exported: Exported) -> None:
    exported("onnxruntime")
    with pytest.raises(ConfigError, match=r"'onnxruntime' has no int8_dynamic: take float32, float16, int8\."):
        ferbench.export(source, "onnx", precision="int8_dynamic")


@pytest.mark.parametrize("engine", ENGINES)
def test_it_loads_and_answers_on_numpy_and_pydantic_alone(engine: str, exported: Exported) -> None:
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({UNNEEDED}));"
        "import numpy, ferbench; recognizer = ferbench.load(sys.argv[1]);"
        "print(recognizer.predict_proba(numpy.zeros((3, 48, 48), numpy.uint8)).shape)"
    )
    done = subprocess.run([sys.executable, "-c", code, exported(engine)], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "(3, 7)", done.stderr


@pytest.mark.parametrize(
    ("engine", "library", "extra"),
    [
        ("litert", "ai_edge_litert", "litert"),
        ("onnxruntime", "onnxruntime", "onnx"),
        ("openvino", "openvino", "openvino"),
    ],
)
def test_a_missing_library_is_one_sentence_with_the_command(
    engine: str, library: str, extra: str, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    assert not registry.get("engines", engine).is_installed()
    with pytest.raises(MissingLibraryError, match=rf"pip install 'ferbench\[{extra}\]'"):
        ferbench.load(source, engine=engine)


def test_fitting_an_exported_one_is_refused(exported: Exported, tiny) -> None:
    with pytest.raises(ConfigError, match="cannot be fitted"):
        ferbench.load(exported("litert")).fit(tiny.train.images, tiny.train.labels)


def test_what_cannot_be_exported_is_refused(exported: Exported, source: Path) -> None:
    folder = exported("litert")
    with pytest.raises(ConfigError, match=r"hog_svm is no Keras network"):
        ferbench.export("hog_svm", "litert")
    with pytest.raises(ConfigError, match="exported already, for litert"):
        ferbench.export(folder, "litert")
    with pytest.raises(UnknownNameError, match="Did you mean 'litert'"):
        ferbench.export(source, "litret")


@pytest.mark.parametrize("out", [".", "run", "run/model", "run/model/inside", "file"])
def test_a_folder_that_is_no_recognizer_s_or_the_source_s_own_is_left_alone(
    out: str, exported: Exported, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported("onnxruntime")
    shutil.copytree(source.parent, tmp_path / "run")
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError, match="choose a"):
        ferbench.export("run", "onnx", out=out)
    assert sorted(tmp_path.rglob("*")) == before


def test_classes_that_no_faces_are_rendered_of_are_refused_before_anything_is_written(
    exported: Exported, source: Path, tmp_path: Path
) -> None:
    exported("litert")
    shutil.copytree(source, tmp_path / "model")
    header = json.loads((source / "recognizer.json").read_text())
    header["classes"] = [f"mood{number}" for number in range(7)]
    (tmp_path / "model/recognizer.json").write_text(json.dumps(header))
    (tmp_path / "model/card.json").write_text('{"dataset": "rafdb"}')
    with pytest.raises(DatasetMissingError, match="none are rendered of mood0"):
        ferbench.export(tmp_path / "model", "litert", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert ferbench.load(tmp_path / "model", engine="auto").name == "cnn3"


@pytest.mark.parametrize(("seed", "name"), [(0, "mine"), (3, "mine_seed3")])
def test_an_export_is_called_after_experiment_and_seed(
    seed: int, name: str, exported: Exported, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = ferbench.load(exported("litert"))
    monkeypatch.setattr("ferbench.engines.exporting.convert", lambda *arguments, **settings: form)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(source.parent, tmp_path / "run")
    result = json.loads((source.parent / "result.json").read_text())
    result["config"]["name"] = "mine"
    result |= {"config_hash": "0123abc", "environment": {"commit": "fedcba"}}
    (tmp_path / "run/result.json").write_text(json.dumps(result))
    header = json.loads((source / "recognizer.json").read_text())
    header["params"]["seed"] = seed
    (tmp_path / "run/model/recognizer.json").write_text(json.dumps(header))
    directory = ferbench.export("run", "litert").directory
    assert directory == Path(f"exports/{name}_litert_float32")
    card = json.loads((directory / "card.json").read_text())
    assert (card["config_hash"], card["commit"]) == ("0123abc", "fedcba")


def test_int8_without_training_faces_is_refused(exported: Exported) -> None:
    exported("litert")
    with pytest.raises(DatasetMissingError, match="calibrated on training faces"):
        ferbench.export("cnn9", "litert", precision="int8")


def test_calibration_faces_are_training_faces_of_the_network_s_size(tiny) -> None:
    faces = calibration_faces(tiny, (24, 24))
    assert faces.shape == (42, 24, 24, 1) and faces.dtype == np.uint8


def test_command_exports_judges_and_marks_what_fails(
    exported: Exported, source: Path, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported("onnxruntime")
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(source), "--to", "onnx", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    folder = tmp_path / "exports/cnn3_onnx_float32"
    assert printed["passed"] and printed["dataset"] == "synthetic" and printed["n"] == 21
    assert ferbench.load(folder).info().size_bytes > 0
    assert json.loads((folder / "card.json").read_text())["dataset"] == "synthetic"
    assert "21 validation faces of synthetic: passed" in (folder / "MODEL_CARD.md").read_text()
    assert main(["predict", str(Path(__file__).parent / "none.png"), "--recognizer", str(folder)]) == 2

    monkeypatch.setitem(gate.TOLERANCES, "float16", gate.Tolerances(max_difference=0.0))
    assert main(["export", str(source), "--to", "onnx", "--precision", "float16", "--out", "half"]) == 1
    assert "the gate failed: a probability differs by" in " ".join(capsys.readouterr().err.split())
    assert not gate.read_verdict(tmp_path / "half").passed
    assert ferbench.load(tmp_path / "half").display_name == "cnn3 onnxruntime float16"
