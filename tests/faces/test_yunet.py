import functools
import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from ferbench import registry
from ferbench.data.dataset import data_home
from ferbench.errors import DataError
from ferbench.faces import yunet
from ferbench.faces.crops import crop_faces
from ferbench.faces.matching import match
from ferbench.faces.yunet import YuNet
from ferbench.types import Boxes, FrameImage

BLANK = np.zeros((48, 64, 3), np.uint8)


@pytest.fixture
def detector(yunet_model: str) -> YuNet:
    return YuNet(path=yunet_model)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[str]]]:
    """Starts a server that answers with some bytes in place of OpenCV Zoo; its list grows by each request."""
    servers = []

    def start(answer: bytes, status: int = 200, n_announced: int | None = None) -> list[str]:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                requests.append(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(n_announced or len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: object) -> None:
                pass

        requests: list[str] = []
        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=functools.partial(server.serve_forever, 0.02), daemon=True).start()
        servers.append(server)
        monkeypatch.setattr(yunet, "URL", f"http://127.0.0.1:{server.server_port}/{yunet.FILENAME}")
        return requests

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yunet, "URL", f"http://127.0.0.1:1/{yunet.FILENAME}")
    monkeypatch.delenv(yunet.VARIABLE, raising=False)


def test_finds_a_person_and_both_eyes(detector: YuNet, astronaut: FrameImage) -> None:
    faces = detector.detect(astronaut)
    x1, y1, x2, y2 = faces.boxes[0]
    assert len(faces) == 1 and faces.boxes.dtype == np.int32
    assert x1 < 200 and x2 > 247 and y1 < 100 and y2 > 145
    assert faces.eyes is not None
    np.testing.assert_allclose(faces.eyes[0], [[203, 105], [244, 105]], atol=9)


def test_finds_drawn_faces(yunet_model: str, crowd: tuple[FrameImage, Boxes]) -> None:
    frame, true = crowd
    faces = YuNet(path=yunet_model, input_size=(1260, 1060)).detect(frame)
    assert np.count_nonzero(match(faces.boxes, true) >= 0) >= 27
    assert crop_faces(frame, faces, framing=YuNet().framing).shape == (len(faces), 48, 48)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 900), (900, 1), (33, 31), (30, 900), (2160, 3840)])
def test_finds_nothing_where_nothing_is(detector: YuNet, height: int, width: int) -> None:
    assert len(detector.detect(np.full((height, width, 3), 128, np.uint8))) == 0


def test_noise_gives_boxes_inside_the_picture(yunet_model: str) -> None:
    detector = YuNet(path=yunet_model, threshold=0.01, input_size=(64, 64))
    rng = np.random.default_rng(0)
    for height, width in rng.integers(1, 80, (40, 2)):
        faces = detector.detect(rng.integers(0, 256, (height, width, 3), np.uint8))
        assert (faces.boxes >= 0).all() and (faces.boxes[:, 2:] <= (width, height)).all()
        assert (faces.boxes[:, 2:] > faces.boxes[:, :2]).all()


def test_the_size_of_the_picture_may_change_between_calls(yunet_model: str, astronaut: FrameImage) -> None:
    detector = YuNet(path=yunet_model)
    wide = cv2.copyMakeBorder(astronaut, 0, 0, 200, 200, cv2.BORDER_CONSTANT)
    for picture in (astronaut, wide, astronaut[:300], astronaut, wide):
        fresh = YuNet(path=yunet_model).detect(picture)
        found = detector.detect(picture)
        assert len(found) == 1
        np.testing.assert_array_equal(found.boxes, fresh.boxes)
        np.testing.assert_array_equal(found.eyes, fresh.eyes)


def test_boxes_are_scaled_back_to_the_picture(yunet_model: str, astronaut: FrameImage) -> None:
    boxes = [YuNet(path=yunet_model, input_size=(side, side)).detect(astronaut).boxes[0] for side in (200, 512, 900)]
    np.testing.assert_allclose(boxes, [boxes[1]] * 3, atol=14)


def test_a_higher_threshold_finds_no_more(yunet_model: str, astronaut: FrameImage) -> None:
    assert len(YuNet(path=yunet_model, threshold=0.99).detect(astronaut)) == 0


def test_the_environment_names_the_model(
    yunet_model: str, astronaut: FrameImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(yunet.VARIABLE, yunet_model)
    assert len(registry.create("detectors", "yunet").detect(astronaut)) == 1


def test_making_one_reads_nothing() -> None:
    detector = YuNet(path="/nowhere/model.onnx")
    with pytest.raises(DataError, match="cannot be read"):
        detector.detect(BLANK)


@pytest.mark.parametrize("is_variable", [False, True])
def test_a_model_file_that_is_missing_is_named(
    is_variable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = str(tmp_path / "model.onnx")
    monkeypatch.setenv(yunet.VARIABLE, missing)
    with pytest.raises(DataError, match=r"model\.onnx cannot be read \(No such file.*FERBENCH_YUNET"):
        YuNet(path=None if is_variable else missing).detect(BLANK)


def test_a_folder_as_a_model_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        YuNet(path=str(tmp_path)).detect(BLANK)


@pytest.mark.parametrize("damaged", ["empty", "noise", "half", "text"])
def test_a_damaged_model_file_is_refused(damaged: str, yunet_model: str, tmp_path: Path) -> None:
    model = Path(yunet_model).read_bytes()
    contents = {
        "empty": b"",
        "noise": np.random.default_rng(0).bytes(len(model)),
        "half": model[: len(model) // 2],
        "text": b"version https://git-lfs.github.com/spec/v1\n",
    }
    (tmp_path / "model.onnx").write_bytes(contents[damaged])
    with pytest.raises(DataError, match=r"model\.onnx is damaged or no YuNet"):
        YuNet(path=str(tmp_path / "model.onnx")).detect(BLANK)


def test_without_a_network_it_says_how_to_give_a_file() -> None:
    with pytest.raises(DataError, match=r"cannot be fetched .*download http.* by path or in FERBENCH_YUNET"):
        YuNet().detect(BLANK)
    assert not list((data_home() / "models").glob("*"))


def test_it_is_fetched_once(
    serve: Callable[..., list[str]], yunet_model: str, astronaut: FrameImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Path(yunet_model).read_bytes()
    monkeypatch.setattr(yunet, "SHA256", hashlib.sha256(model).hexdigest())
    requests = serve(model)
    assert len(YuNet().detect(astronaut)) == len(YuNet().detect(astronaut)) == 1
    assert len(requests) == 1
    assert (data_home() / "models" / yunet.FILENAME).read_bytes() == model


@pytest.mark.parametrize(
    "answer",
    [
        {"answer": b"<html>sign in</html>"},
        {"answer": b"half a model", "n_announced": 232_589},
        {"answer": b"no such file", "status": 404},
    ],
    ids=["other bytes", "cut off", "not found"],
)
def test_what_comes_and_is_not_the_model_is_not_kept(serve: Callable[..., list[str]], answer: dict) -> None:
    serve(**answer)
    with pytest.raises(DataError, match="cannot be fetched"):
        YuNet().detect(BLANK)
    assert not list((data_home() / "models").glob("*"))


def test_a_damaged_copy_is_fetched_again(
    serve: Callable[..., list[str]], yunet_model: str, astronaut: FrameImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Path(yunet_model).read_bytes()
    monkeypatch.setattr(yunet, "SHA256", hashlib.sha256(model).hexdigest())
    kept = data_home() / "models" / yunet.FILENAME
    kept.parent.mkdir(parents=True)
    kept.write_bytes(model[:-100])
    serve(model)
    assert len(YuNet().detect(astronaut)) == 1
    assert kept.read_bytes() == model


def test_a_folder_that_cannot_be_written_is_named(serve: Callable[..., list[str]]) -> None:
    serve(b"model")
    data_home().parent.mkdir(parents=True, exist_ok=True)
    data_home().write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"cannot be fetched to .*models"):
        YuNet().detect(BLANK)
