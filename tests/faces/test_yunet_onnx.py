from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from ferbench.errors import ConfigError, DataError, MissingLibraryError
from ferbench.faces.yunet import YuNet
from ferbench.types import Boxes, FrameImage

BLANK = np.zeros((48, 64, 3), np.uint8)


def same(image: FrameImage, model: str, **params: object) -> int:
    """How many faces both engines find, once they are seen to be the same ones."""
    pytest.importorskip("onnxruntime")
    ours = YuNet(path=model, engine="onnxruntime", **params).detect(image)
    theirs = YuNet(path=model, **params).detect(image)
    np.testing.assert_array_equal(ours.boxes, theirs.boxes)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-4)
    if len(ours):
        np.testing.assert_allclose(ours.eyes, theirs.eyes, atol=1e-2)
    return len(ours)


@pytest.mark.parametrize("size", [(320, 240), (640, 480), (100, 90), (1260, 1060)])
def test_it_finds_what_opencv_finds(size: tuple[int, int], yunet_model: str, crowd: tuple[FrameImage, Boxes]) -> None:
    n = same(crowd[0], yunet_model, input_size=size)
    assert n >= 25 or size[0] < 640


def test_a_photograph_gives_the_same_face_and_eyes(yunet_model: str, astronaut: FrameImage) -> None:
    assert same(astronaut, yunet_model) == 1


def test_overlapping_candidates_are_told_apart_alike(yunet_model: str, astronaut: FrameImage) -> None:
    assert same(astronaut, yunet_model, threshold=0.05, input_size=(512, 512)) >= 1


def test_where_no_face_is_none_is_found(yunet_model: str) -> None:
    pytest.importorskip("onnxruntime")
    faces = YuNet(path=yunet_model, engine="onnxruntime").detect(BLANK)
    assert len(faces) == 0


def test_the_size_of_the_picture_may_change(yunet_model: str, astronaut: FrameImage) -> None:
    pytest.importorskip("onnxruntime")
    detector = YuNet(path=yunet_model, engine="onnxruntime")
    first = detector.detect(astronaut)
    detector.detect(BLANK)
    np.testing.assert_array_equal(detector.detect(astronaut).boxes, first.boxes)


def test_no_network_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    (tmp_path / "model.onnx").write_bytes(b"no network")
    with pytest.raises(DataError, match="damaged or no network"):
        YuNet(path=str(tmp_path / "model.onnx"), engine="onnxruntime").detect(BLANK)


def test_a_network_for_one_size_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["input"], ["cls_8"])],
        "fixed",
        [value("input", onnx.TensorProto.FLOAT, [1, 3, 64, 64])],
        [value("cls_8", onnx.TensorProto.FLOAT, [1, 3, 64, 64])],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ConfigError, match="64 x 64 only"):
        YuNet(path=str(tmp_path / "model.onnx"), engine="onnxruntime").detect(BLANK)


def test_without_the_library_the_message_has_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.onnx").write_bytes(b"never read")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingLibraryError, match=r"pip install 'ferbench\[onnx\]'"):
        YuNet(path=str(tmp_path / "model.onnx"), engine="onnxruntime").detect(BLANK)


def test_another_engine_is_refused() -> None:
    with pytest.raises(ConfigError, match="opencv or onnxruntime"):
        YuNet(engine="tensorrt")  # type: ignore[arg-type]
