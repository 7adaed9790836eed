from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from ferbench import registry
from ferbench.errors import ConfigError, DataError, PluginError, UnknownNameError
from ferbench.recognizers.prior import Prior


@pytest.fixture
def entry_point(monkeypatch: pytest.MonkeyPatch) -> Any:
    def install(name: str, target: str) -> None:
        point = EntryPoint(name, target, "ferbench.recognizers")
        monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == point.group else [])

    return install


def test_names_are_sorted_and_hold_the_built_in_ones() -> None:
    names = registry.names("recognizers")
    assert names == sorted(names)
    assert {"prior", "hog_svm", "lbp_svm", "cnn3", "cnn9"} <= set(names)


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"No recognizer named 'cnn8'\. Did you mean 'cnn[39]'\?"):
        registry.get("recognizers", "cnn8")


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'recognizers'"):
        registry.names("recognizer")


def test_entry_point_is_listed_and_loaded(entry_point: Any) -> None:
    entry_point("acme.prior", "ferbench.recognizers.prior:Prior")
    assert "acme.prior" in registry.names("recognizers")
    assert registry.get("recognizers", "acme.prior") is Prior


def test_entry_point_that_claims_a_taken_name_is_an_error(entry_point: Any) -> None:
    entry_point("cnn9", "acme:Cnn9")
    with pytest.raises(PluginError, match=r"Two packages claim the recognizer name 'cnn9'"):
        registry.names("recognizers")


def test_entry_point_that_fails_to_import_says_why(entry_point: Any) -> None:
    entry_point("acme.broken", "acme_is_not_installed:Broken")
    with pytest.raises(PluginError, match=r"'acme\.broken'.*No module named 'acme_is_not_installed'") as raised:
        registry.get("recognizers", "acme.broken")
    assert isinstance(raised.value.__cause__, ImportError)


def test_added_name_works_and_cannot_be_taken_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_added", {})
    registry.add("recognizers", "mine", Prior)
    assert isinstance(registry.create("recognizers", "mine"), Prior)
    with pytest.raises(PluginError, match="taken"):
        registry.add("recognizers", "mine", Prior)


class Typed:
    def __init__(self, *, rate: float = 0.1, sizes: tuple[int, ...] = (1, 2), seed: int = 0) -> None:
        self.rate, self.sizes, self.seed = rate, sizes, seed


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_added", {"recognizers": {"typed": Typed}})


@pytest.mark.usefixtures("typed")
def test_create_coerces_what_yaml_gives_and_injects_the_seed() -> None:
    created = registry.create("recognizers", "typed", {"rate": "1e-3", "sizes": [4]}, seed=7)
    assert (created.rate, created.sizes, created.seed) == (0.001, (4,), 7)


@pytest.mark.usefixtures("typed")
def test_misspelt_parameter_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ConfigError, match=r"unknown key 'rat'\. Did you mean 'rate'\?"):
        registry.create("recognizers", "typed", {"rat": 1})


@pytest.mark.usefixtures("typed")
def test_wrong_type_says_what_came() -> None:
    with pytest.raises(ConfigError, match=r"'rate'.*valid number.*got 'fast'"):
        registry.create("recognizers", "typed", {"rate": "fast"})


def test_signature_with_kwargs_is_refused() -> None:
    def loose(**kwargs: Any) -> None: ...

    with pytest.raises(PluginError, match="keyword-only"):
        registry.schema_of(loose)


def test_load_of_nothing_says_what_there_is() -> None:
    with pytest.raises(UnknownNameError, match="No trained recognizer 'nowhere'"):
        registry.load("nowhere")


def test_load_of_a_name_without_weights_says_how_to_train() -> None:
    with pytest.raises(UnknownNameError, match=r"run experiments/cnn3\.yaml"):
        registry.load("cnn3")


def test_load_of_an_empty_folder_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no trained recognizer"):
        registry.load(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"name": "prior"}', ""])
def test_broken_header_is_a_data_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "recognizer.json").write_text(text)
    with pytest.raises(DataError):
        registry.load(tmp_path)
