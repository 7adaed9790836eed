from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ferbench.data.appearance import OCCLUSIONS, Identity, Scene, draw_identities, draw_scenes
from ferbench.data.expressions import ACTION_UNITS, Units, action_units, columns_of
from ferbench.data.rendering import render
from ferbench.data.sheet import contact_sheet
from ferbench.data.synthetic import draw_faces
from ferbench.errors import ConfigError, ImagesError
from ferbench.types import Images

STILL = {"yaw": 0, "pitch": 0, "roll": 0, "gaze": 0, "shift_x": 0, "shift_y": 0, "scale": 0.95, "noise": 0, "blur": 0}
STUDIO = {"light_yaw": 0, "light_pitch": 30, "background": 0.5, "background_slope": 0, "occlusion": 0}
NEUTRAL = 6


def persons(n: int, **fixed: Any) -> Identity:
    return draw_identities(n, np.random.default_rng(0), **{"beard": 0, "moustache": 0, "glasses": 0, **fixed})


def scenes(n: int, **changed: Any) -> Scene:
    return draw_scenes(n, np.random.default_rng(1), **{**STILL, **STUDIO, **changed})


def showing(*units: int, n: int = 8) -> Units:
    shown = np.zeros((n, len(ACTION_UNITS)), np.float32)
    shown[:, columns_of(units)] = 1
    return shown


def change(first: Images, second: Images) -> np.ndarray:
    return np.abs(first.astype(np.int64) - second)


@pytest.mark.parametrize("size", [24, 48, 97, 512])
def test_render_draws_any_size(size: int) -> None:
    faces = render(action_units(np.arange(2)), persons(2), scenes(2), size)
    assert faces.dtype == np.uint8 and faces.shape == (2, size, size)
    assert (faces.reshape(2, -1).std(axis=1) > 10).all()


@pytest.mark.parametrize("size", [23, 513])
def test_render_refuses_other_sizes(size: int) -> None:
    with pytest.raises(ImagesError, match="size must be 24 to 512"):
        render(showing(n=1), persons(1), scenes(1), size)


def test_render_of_nobody_is_empty() -> None:
    assert render(showing(n=0), persons(0), scenes(0)).shape == (0, 48, 48)


@pytest.mark.parametrize("value", [-0.1, 1.5, np.nan])
def test_render_refuses_units_out_of_range(value: float) -> None:
    with pytest.raises(ConfigError, match="action units must lie in 0 to 1"):
        render(showing(n=1) + np.float32(value), persons(1), scenes(1))


def test_render_refuses_tables_of_different_length() -> None:
    with pytest.raises(ConfigError, match="one a person"):
        render(showing(n=2), persons(3), scenes(3))


def test_a_face_does_not_depend_on_those_drawn_beside_it() -> None:
    drawn = draw_faces(np.arange(60) % 7, rng=np.random.default_rng(2))
    order = np.random.default_rng(3).permutation(60)[:40]
    again = render(drawn.units[order], drawn.identity.take(order), drawn.scene.take(order))
    np.testing.assert_array_equal(again, drawn.images[order])


@pytest.mark.parametrize("unit", ACTION_UNITS)
def test_each_action_unit_changes_every_face(unit: int) -> None:
    base = render(showing(25), persons(8), scenes(8), 96)
    moved = render(np.maximum(showing(25), showing(unit) if unit != 25 else 0), persons(8), scenes(8), 96)
    at_rest = render(showing(), persons(8), scenes(8), 96)
    reference = at_rest if unit == 25 else base
    assert (change(moved, reference).reshape(8, -1).max(axis=1) > 12).all()


@pytest.mark.parametrize(("units", "rows"), [((1, 2, 4, 5), (0.65, 1.0)), ((12, 15, 20, 23), (0.0, 0.35))])
def test_a_unit_leaves_the_other_half_of_the_face_alone(units: tuple[int, ...], rows: tuple[float, float]) -> None:
    still = render(showing(), persons(8), scenes(8, pitch=0), 96)
    moved = render(showing(*units), persons(8), scenes(8, pitch=0), 96)
    part = slice(int(rows[0] * 96), int(rows[1] * 96))
    assert change(still, moved)[:, part].max() <= 12


def test_a_stronger_expression_changes_more() -> None:
    who, view = persons(7), scenes(7)
    labels = np.arange(7)
    rest, weak, strong = (render(action_units(labels, strength), who, view) for strength in (0.0, 0.4, 1.0))
    emotional = labels != NEUTRAL
    weaker, stronger = (change(rest, faces).reshape(7, -1).sum(axis=1) for faces in (weak, strong))
    assert (stronger[emotional] > 1.3 * weaker[emotional]).all()
    assert stronger[NEUTRAL] == 0


def test_jaw_drop_opens_a_dark_mouth() -> None:
    closed, opened = (render(units, persons(8), scenes(8), 96)[:, 66:80, 42:54] for units in (showing(), showing(26)))
    assert (opened.min(axis=(1, 2)) < 40).all() and (closed.min(axis=(1, 2)) >= opened.min(axis=(1, 2))).all()


def test_a_turned_head_mirrors_the_head_turned_the_other_way() -> None:
    symmetric = {"background_slope": 0, "light_yaw": 0}
    who = persons(6, hair_style=0)
    left = render(showing(n=6), who, scenes(6, yaw=-25, **symmetric), 96)
    right = render(showing(n=6), who, scenes(6, yaw=25, **symmetric), 96)
    assert change(left[:, :, ::-1], right).mean() < 1.5


def test_features_move_further_than_the_head_when_it_turns() -> None:
    who = persons(6, hair_style=0, skin=0.5, hair=0.02)
    eyes = [render(showing(n=6), who, scenes(6, yaw=yaw), 96)[:, 40:56].astype(float) for yaw in (0, 20)]
    dark = [np.maximum(110 - rows, 0) for rows in eyes]
    center = [(shade.sum(axis=1) * np.arange(96)).sum(axis=1) / shade.sum(axis=(1, 2)) for shade in dark]
    assert (center[1] > center[0] + 4).all()


def test_light_from_the_right_brightens_the_right_cheek() -> None:
    faces = render(showing(), persons(8, hair_style=0), scenes(8, light_yaw=60), 96)[:, 45:65].astype(float)
    assert (faces[:, :, 60:72].mean(axis=(1, 2)) > faces[:, :, 24:36].mean(axis=(1, 2)) + 10).all()


@pytest.mark.parametrize("occlusion", OCCLUSIONS[1:])
def test_occlusion_hides_part_of_the_face(occlusion: str) -> None:
    covered = scenes(8, occlusion=OCCLUSIONS.index(occlusion), occlusion_size=0.8)
    changed = change(render(showing(), persons(8), scenes(8)), render(showing(), persons(8), covered)) > 5
    assert (changed.mean(axis=(1, 2)) > 0.02).all() and (changed.mean(axis=(1, 2)) < 0.5).all()


def test_edges_are_anti_aliased() -> None:
    large = render(showing(), persons(8), scenes(8, clothes=0.3), 192)
    small = render(showing(), persons(8), scenes(8, clothes=0.3), 48).astype(float)
    averaged = large.reshape(8, 48, 4, 48, 4).mean(axis=(2, 4))
    assert np.abs(small - averaged).mean() < 4


def test_blur_smooths_and_noise_roughens() -> None:
    def roughness(**changed: Any) -> float:
        faces = render(showing(), persons(8), scenes(8, **changed)).astype(float)
        return float(np.abs(np.diff(faces, axis=2)).mean())

    assert roughness(blur=1.5) < roughness() < roughness(noise=10)


def test_setting_a_column_changes_no_other() -> None:
    free = draw_scenes(5, np.random.default_rng(0))
    fixed = draw_scenes(5, np.random.default_rng(0), yaw=12)
    assert fixed.yaw.tolist() == [12] * 5
    for name in set(Scene.__slots__) - {"yaw"}:
        np.testing.assert_array_equal(getattr(free, name), getattr(fixed, name))


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(ConfigError, match="Scene has no column 'yawn'"):
        draw_scenes(1, np.random.default_rng(0), yawn=3)


def test_a_column_of_another_length_is_refused() -> None:
    with pytest.raises(ConfigError, match="age must be one number or 3"):
        draw_identities(3, np.random.default_rng(0), age=[0, 1])


def on_canvas(face: np.ndarray) -> np.ndarray:
    canvas = np.tile(np.linspace(90, 160, 320).astype(np.uint8), (240, 1))
    canvas[40:200, 80:240] = face
    return canvas


def overlap(box: Any) -> float:
    """Intersection over union with where the faces are, about the middle of the canvas."""
    x, y, w, h = (float(value) for value in box[:4])
    wide, high = min(x + w, 220) - max(x, 100), min(y + h, 190) - max(y, 60)
    shared = max(wide, 0) * max(high, 0)
    return shared / (w * h + 120 * 130 - shared)


@pytest.fixture(scope="module")
def portraits() -> Images:
    return draw_faces(np.arange(280) % 7, rng=np.random.default_rng(8), size=160).images


def test_haar_finds_nine_faces_in_ten(portraits: Images) -> None:
    detector = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_alt2.xml")
    found = [any(overlap(box) > 0.4 for box in detector.detectMultiScale(on_canvas(face))) for face in portraits]
    assert np.mean(found) >= 0.9


def test_yunet_finds_nine_faces_in_ten(portraits: Images) -> None:
    models = sorted((Path(os.environ.get("FERBENCH_TEST_DATA", "/nowhere")) / "models").glob("*yunet*.onnx"))
    if not models:
        pytest.skip("FERBENCH_TEST_DATA is not set: it names the folder with models/face_detection_yunet_*.onnx")
    detector = cv2.FaceDetectorYN.create(str(models[0]), "", (320, 240))
    found = []
    for face in portraits:
        faces = detector.detect(cv2.cvtColor(on_canvas(face), cv2.COLOR_GRAY2BGR))[1]
        found.append(faces is not None and any(overlap(box) > 0.4 for box in faces))
    assert np.mean(found) >= 0.9


def test_contact_sheet_is_written(tmp_path: Path) -> None:
    picture = cv2.imread(str(contact_sheet(tmp_path / "sheet.png")))
    assert picture.shape[0] > 1000 and picture.shape[1] > 800
