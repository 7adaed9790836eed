from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ferbench import registry
from ferbench.cli import main
from ferbench.engines.record import Survey, read_survey
from ferbench.engines.stopwatch import time_by_turns
from ferbench.engines.survey import survey_engines
from ferbench.errors import ConfigError, DataError
from ferbench.recognizers.prior import Prior
from ferbench.report.engines import COLUMNS, engine_rows, engines_figure, engines_markdown

Exported = Callable[..., Path]


@pytest.fixture(scope="module")
def written(exported: Exported, tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A survey of what needs no conversion: an exported network, and a recognizer that is no network."""
    folder = tmp_path_factory.mktemp("survey")
    Prior().fit(tiny.train.images, tiny.train.labels).save(folder / "prior")
    names = [str(exported("litert", "int8")), str(folder / "prior")]
    arguments = ["--dataset", "synthetic", "--queries", "40", "--threads", "1", "2", "--to", str(folder / "out")]
    assert main(["engines", *names, *arguments]) == 0
    return folder / "out"


def test_every_form_is_timed_with_every_number_of_threads(written: Path) -> None:
    survey = read_survey(written / "engines.json")
    assert [form.engine for form in survey.forms] == ["litert", "native"]
    assert (survey.forms[0].recognizer, survey.forms[0].precision) == ("cnn3", "int8")
    for form in survey.forms:
        assert [timing.threads for timing in form.timings] == [1, 2]
        assert all(timing.single.n == 40 and timing.batch.batch_size == 64 for timing in form.timings)
        assert form.size_bytes > 0 and form.start_seconds > form.load_seconds > 0
        assert form.memory_bytes is None or form.memory_bytes >= 0
        assert 0 <= form.accuracy <= 1


def test_table_and_figure_show_every_form(written: Path) -> None:
    survey = read_survey(written / "engines.json")
    assert len(engine_rows(survey)) == 4 and all(len(row) == len(COLUMNS) for row in engine_rows(survey))
    assert list(survey.installed_bytes) == ["litert"] and 5e7 < survey.installed_bytes["litert"] < 4e8
    text = (written / "engines.md").read_text()
    assert "- installed for litert: " in text
    assert text == engines_markdown(survey) and "| cnn3 | litert | int8 |" in text and "drawn by a program" in text
    labels = [entry.get_text() for entry in engines_figure(survey).axes[0].get_legend().get_texts()]
    assert {"cnn3", "litert", "native", "int8", "float32"} <= set(labels)
    assert (written / "engines.png").read_bytes().startswith(b"\x89PNG")


def test_a_network_is_converted_and_judged_and_what_cannot_be_is_told(
    source: Path, exported: Exported, tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, file = registry.get("engines", "litert"), exported("litert") / "network.tflite"

    def convert(cls: type, network: object, precision: str, calibration: object) -> dict[str, bytes]:
        if precision == "float16":
            raise RuntimeError("\nno kernel for op Erf\nlong trace")
        return {file.name: file.read_bytes()}

    monkeypatch.setattr(engine, "precisions", ("float32", "float16"))
    monkeypatch.setattr(engine, "convert", classmethod(convert))
    survey = survey_engines([str(source)], tiny, threads=[1], engines=["litert"], n_queries=1)
    reference, form = survey.forms
    assert (reference.engine, reference.verdict) == ("keras", None)
    assert form.verdict is not None and form.verdict.passed and form.accuracy == reference.accuracy
    assert reference.multiply_adds == form.multiply_adds == registry.load(source).info().multiply_adds > 0
    assert survey.left_out == {
        f"{source} litert float16": "cnn3 cannot be converted to float16 for litert (no kernel for op Erf): "
        "choose another engine or precision."
    }


def test_turns_go_round_and_every_query_counts() -> None:
    faces = np.zeros((3, 48, 48), np.uint8)
    prior = Prior().fit(faces, np.zeros(3, np.int64))
    times = time_by_turns([prior, prior], faces, n_queries=80, batch_size=5)
    assert [(single.n, batch.n, batch.batch_size) for single, batch in times] == [(80, 10, 5)] * 2


@pytest.mark.parametrize(("names", "threads"), [([], [1]), (["prior"], []), (["prior"], [0])])
def test_an_empty_survey_is_refused(names: list[str], threads: list[int], tiny) -> None:
    with pytest.raises(ConfigError, match="A survey needs"):
        survey_engines(names, tiny, threads=threads)


def test_a_damaged_survey_is_refused(written: Path, tmp_path: Path) -> None:
    content = json.loads((written / "engines.json").read_text())
    (tmp_path / "engines.json").write_text(json.dumps(content | {"forms": 1}))
    with pytest.raises(DataError, match="is no survey of this version"):
        read_survey(tmp_path / "engines.json")
    assert isinstance(read_survey(written / "engines.json"), Survey)
