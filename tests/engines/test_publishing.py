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
from ferbench.engines.card import write_cards
from ferbench.engines.gate import read_verdict, write_verdict
from ferbench.engines.publishing import publish_exported
from ferbench.errors import DataError
from ferbench.recognizers.exported import Exported
from ferbench.recognizers.prior import Prior

Form = Callable[..., Path]


@pytest.fixture(scope="module")
def int8(source: Path, exported: Form, tmp_path_factory: pytest.TempPathFactory) -> Path:
    exported("litert")
    folder = tmp_path_factory.mktemp("int8") / "export"
    assert main(["export", str(source), "--to", "litert", "--int8", "--dataset", "synthetic", "--out", str(folder)]) < 2
    verdict = read_verdict(folder)
    assert verdict is not None and verdict.precision == "int8"
    write_verdict(verdict.model_copy(update={"passed": True, "failures": ()}), folder)
    return folder


@pytest.fixture
def copy(int8: Path, tmp_path: Path) -> Path:
    publish_exported(int8, tmp_path / "copy")
    return tmp_path / "copy"


def test_a_published_one_is_shipped_by_name_and_needs_no_tensorflow(int8: Path, tmp_path: Path, capsys) -> None:
    assert main(["publish", str(int8), "--to", str(tmp_path / "cnn3_int8")]) == 0
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('tensorflow', 'keras', 'sklearn', 'skimage', 'mlflow')));"
        "from pathlib import Path; import numpy; from ferbench import registry; registry.WEIGHTS = Path(sys.argv[1]);"
        "print(registry.shipped(), registry.load('cnn3_int8').predict(numpy.zeros((1, 48, 48), numpy.uint8)).classes)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("['cnn3_int8'] ('anger'"), done.stderr
    card = json.loads((tmp_path / "cnn3_int8/card.json").read_text())
    assert card["sha256"] == json.loads((tmp_path / "cnn3_int8/recognizer.json").read_text())["files"]


def test_it_replaces_what_was_there(copy: Path, int8: Path) -> None:
    (copy / "old").touch()
    publish_exported(int8, copy)
    assert not (copy / "old").exists()
    assert ferbench.load(copy).predict_proba(np.zeros((2, 48, 48), np.uint8)).shape == (2, 7)


@pytest.mark.parametrize("target", [".", "parent", "parent/export/inside", "other", "other/file"])
def test_a_folder_that_is_no_recognizer_s_or_its_own_is_left_alone(
    target: str, int8: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(int8, tmp_path / "parent/export")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").touch()
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert main(["publish", "parent/export", "--to", target]) == 2
    assert main(["publish", "parent/export", "--to", "parent/export"]) == 2
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("missing", ["gate.json", "card.json", "MODEL_CARD.md", "network.tflite"])
def test_what_lacks_a_file_is_refused(missing: str, copy: Path, tmp_path: Path) -> None:
    (copy / missing).unlink()
    with pytest.raises(DataError, match="lacks"):
        publish_exported(copy, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_was_judged_on_rendered_faces_alone_claims_no_scores_and_is_refused(
    source: Path, copy: Path, tmp_path: Path
) -> None:
    shutil.copytree(source, tmp_path / "origin")
    scores = {"test": 0.7}
    card = {"dataset": "fer2013", "accuracy": scores, "macro_f1": scores, "log_loss": scores}
    (tmp_path / "origin/card.json").write_text(json.dumps(card))
    verdict, recognizer = read_verdict(copy), ferbench.load(copy)
    assert verdict is not None and isinstance(recognizer, Exported)
    write_cards(copy, tmp_path / "origin", recognizer, verdict, None)
    assert not {"accuracy", "macro_f1", "log_loss"} & set(json.loads((copy / "card.json").read_text()))
    with pytest.raises(DataError, match="judged on rendered faces alone"):
        publish_exported(copy, tmp_path / "out")


def test_what_failed_its_gate_is_refused(copy: Path, tmp_path: Path) -> None:
    verdict = read_verdict(copy)
    assert verdict is not None
    write_verdict(verdict.model_copy(update={"passed": False, "failures": ("accuracy lost",)}), copy)
    with pytest.raises(DataError, match=r"gate failed .* \(accuracy lost\): export a finer precision"):
        publish_exported(copy, tmp_path / "out")


def test_what_is_not_exported_is_refused(tmp_path: Path, tiny) -> None:
    Prior().fit(tiny.train.images, tiny.train.labels).save(tmp_path / "prior")
    with pytest.raises(DataError, match="holds a prior, not an exported recognizer"):
        publish_exported(tmp_path / "prior", registry.WEIGHTS / "never")
