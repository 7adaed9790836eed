"""Every engine at every precision: threads get right answers, and files that are not its own are refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest

import ferbench
from ferbench import registry
from ferbench.data.synthetic import load_synthetic
from ferbench.errors import DataError
from ferbench.recognizers.header import sha256_of

Exported = Callable[..., Path]
ENGINES = registry.names("engines")
FORMS = [(engine, precision) for engine in ENGINES for precision in registry.get("engines", engine).precisions]
FACES = load_synthetic(n_train=21, n_validation=42, n_test=21, seed=2).validation.images
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda content: content[: len(content) // 2],
    "without its end": lambda content: content[:-64],
    "empty": lambda content: b"",
    "text": lambda content: b"hello\n",
}


@pytest.fixture(scope="module", params=FORMS, ids="-".join)
def form(request: pytest.FixtureRequest, exported: Exported) -> Path:
    return exported(*request.param)


@pytest.fixture(scope="module")
def strangers(exported: Exported) -> Callable[[str], dict[str, dict[str, bytes]]]:
    """Files of whole networks, for an engine: one for smaller faces, one for fewer classes."""
    networks = {"smaller faces": dense(24, 7), "fewer classes": dense(48, 2)}
    made: dict[str, dict[str, dict[str, bytes]]] = {}

    def files(engine: str) -> dict[str, dict[str, bytes]]:
        if engine not in made:
            convert = registry.get("engines", engine).convert
            made[engine] = {name: convert(network, "float32", None) for name, network in networks.items()}
        return made[engine]

    return files


def test_four_threads_get_the_answers_that_one_gets(form: Path) -> None:
    recognizer = ferbench.load(form)
    parts = [slice(row, row + n) for n in (1, 7, 1) for row in range(0, len(FACES), n)]
    with ThreadPoolExecutor(4) as threads:  # before any call: the first of each kind is what an engine plans for
        answers = list(threads.map(lambda part: recognizer.predict_proba(FACES[part]), parts))
    alone = [recognizer.predict_proba(FACES[part]) for part in parts]
    assert np.ptp(np.concatenate(alone), axis=0).max() > 0.01  # faces that are mixed up are noticed
    for answer, expected in zip(answers, alone, strict=True):
        np.testing.assert_allclose(answer, expected, atol=1e-6)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_even_where_its_checksum_says_nothing(
    damage: str, form: Path, tmp_path: Path
) -> None:
    for path in sorted(form.iterdir()):
        folder = shutil.copytree(form, tmp_path / path.name)
        (folder / path.name).write_bytes(DAMAGES[damage](path.read_bytes()))
        for _ in sealed(folder):
            assert_refused(folder)


@pytest.mark.parametrize("other", ["smaller faces", "fewer classes"])
def test_a_whole_network_of_another_shape_is_refused(
    other: str, form: Path, strangers: Callable[[str], dict[str, dict[str, bytes]]], tmp_path: Path
) -> None:
    files = strangers(ferbench.load(form).params()["engine"])[other]
    for number, names in enumerate([list(files), *([name] for name in files if len(files) > 1)]):
        folder = shutil.copytree(form, tmp_path / str(number))
        for name in names:
            (folder / name).write_bytes(files[name])
        for _ in sealed(folder):
            assert_refused(folder)


def dense(side: int, n_classes: int) -> keras.Model:
    """The least that is a network."""
    layers = [keras.layers.Flatten(), keras.layers.Dense(n_classes, activation="softmax")]
    return keras.Sequential([keras.Input((side, side, 1)), *layers])


def sealed(folder: Path) -> Iterator[None]:
    """The folder as it is, then with checksums that fit its files, as far as it has a header."""
    yield
    try:
        header = json.loads((folder / "recognizer.json").read_bytes())
    except ValueError:
        return
    header["files"] = {name: sha256_of(folder / name) for name in header["files"]}
    (folder / "recognizer.json").write_text(json.dumps(header))
    yield


def assert_refused(folder: Path) -> None:
    with pytest.raises(DataError) as refusal:
        ferbench.load(folder)
    text = str(refusal.value)
    assert "\n" not in text and text.endswith(".") and len(text) < 600
