from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ferbench.recognizers.classical.feature_cache import FeatureCache

DATA = np.arange(12, dtype=np.uint8).reshape(3, 4)


class Counter:
    """Doubles the data and counts how often it was asked to."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, np.ndarray]:
        self.calls += 1
        return {"twice": DATA.astype(np.int8) * 2}


def test_an_array_is_computed_once(tmp_path: Path) -> None:
    compute = Counter()
    for _ in range(2):
        values = FeatureCache(tmp_path, "sift", 1).get("features", [DATA], compute)
        np.testing.assert_array_equal(values["twice"], DATA * 2)
        assert values["twice"].dtype == np.int8
    assert compute.calls == 1


def test_without_a_folder_nothing_is_kept() -> None:
    compute = Counter()
    FeatureCache(None, "sift").get("features", [DATA], compute)
    FeatureCache(None, "sift").get("features", [DATA], compute)
    assert compute.calls == 2


@pytest.mark.parametrize(
    ("identity", "data"),
    [
        (("sift", 2), DATA),
        (("sift", 1), DATA + np.uint8(1)),
        (("sift", 1), DATA.reshape(4, 3)),
        (("sift", 1), DATA.astype(np.int8)),
    ],
)
def test_other_parameters_or_data_are_another_array(identity: tuple, data: np.ndarray, tmp_path: Path) -> None:
    compute = Counter()
    FeatureCache(tmp_path, "sift", 1).get("features", [DATA], compute)
    FeatureCache(tmp_path, *identity).get("features", [data], compute)
    assert compute.calls == 2


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "foreign"])
def test_a_damaged_file_is_computed_and_written_again(damage: str, tmp_path: Path) -> None:
    compute, cache = Counter(), FeatureCache(tmp_path, "sift")
    cache.get("features", [DATA], compute)
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[content.index(bytes((DATA * 2).ravel()))] ^= 1
    replaced = {"flip": content, "cut": content[:-30], "empty": b"", "foreign": b"PK hello"}
    path.write_bytes(replaced[damage])
    np.testing.assert_array_equal(cache.get("features", [DATA], compute)["twice"], DATA * 2)
    assert compute.calls == 2
    np.testing.assert_array_equal(cache.get("features", [DATA], compute)["twice"], DATA * 2)
    assert compute.calls == 2


def test_a_file_with_any_byte_flipped_is_computed_again_or_still_right(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, "sift")
    cache.get("features", [DATA], Counter())
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for place in range(len(whole)):
        for mask in (0x01, 0x08, 0xFF):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
            np.testing.assert_array_equal(cache.get("features", [DATA], Counter())["twice"], DATA * 2)


def test_arrays_that_other_code_computed_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compute, code = Counter(), tmp_path / "code"
    for number, text in enumerate(("radius = 1", "radius = 2", "radius = 1")):
        folder = code / str(number)
        folder.mkdir(parents=True)
        (folder / "sift.py").write_text(text)
        monkeypatch.setattr("ferbench.recognizers.classical.feature_cache._CODE", folder)
        FeatureCache(tmp_path / "kept", "sift").get("features", [DATA], compute)
    assert compute.calls == 2


def test_no_half_written_file_stays(tmp_path: Path) -> None:
    FeatureCache(tmp_path, "sift").get("features", [DATA], Counter())
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]
    assert "partial" not in next(tmp_path.iterdir()).name
