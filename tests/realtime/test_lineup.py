import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from ferbench.errors import ConfigError, UnknownNameError
from ferbench.realtime.lineup import Lineup, as_spelled, warm
from ferbench.recognizers.prior import Prior


def prior(label: int = 0) -> Prior:
    return Prior().fit(np.zeros((2, 48, 48), np.uint8), np.array([label, label]))


def lineup(*names: str, **settings) -> Lineup:
    return Lineup([(name, prior()) for name in names], **settings)


def collected(lineup: Lineup) -> list[str]:
    for _ in range(500):
        sentences = lineup.collect()
        if sentences:
            return sentences
        time.sleep(0.01)
    raise AssertionError("nothing became ready")


def test_the_first_is_current_and_next_goes_round() -> None:
    three = lineup("a", "b", "c")
    seen = [three.name]
    for _ in range(3):
        three.next()
        seen.append(three.name)
    assert seen == ["a", "b", "c", "a"]


def test_select_takes_a_position_and_refuses_one_that_is_not_there() -> None:
    two = lineup("a", "b")
    assert two.select(1) and two.name == "b"
    assert not two.select(2) and not two.select(-1)
    assert two.name == "b"


def test_shipped_ones_come_by_name_and_the_same_twice_is_told_apart() -> None:
    assert Lineup.of(["prior", "hog_svm", "prior"]).names == ("prior", "hog_svm", "prior 2")


def test_an_unknown_name_is_refused_before_the_first_frame() -> None:
    with pytest.raises(UnknownNameError, match="hog_svm"):
        Lineup.of(["hog_svn"])


def test_none_at_all_and_two_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least one"):
        Lineup([])
    with pytest.raises(ConfigError, match="name of its own"):
        lineup("a", "a")


def test_one_that_is_asked_for_joins_and_becomes_current() -> None:
    two = lineup("a", "b")
    two.request("hog_svm")
    (sentence,) = collected(two)
    assert "hog_svm joined" in sentence
    assert two.names == ("a", "b", "hog_svm") and two.name == "hog_svm"


def test_one_that_cannot_be_loaded_is_reported_and_changes_nothing(tmp_path) -> None:
    two = lineup("a", "b")
    two.request(str(tmp_path))
    (sentence,) = collected(two)
    assert "cannot be loaded" in sentence and "holds no trained recognizer" in sentence
    assert two.names == ("a", "b") and two.name == "a"


def test_whatever_a_loader_raises_is_reported() -> None:
    def load(name: str) -> Prior:
        raise ZeroDivisionError("by plug-in")

    one = lineup("a", load=load)
    one.request("x")
    assert collected(one) == ["x cannot be loaded: by plug-in"]


def test_the_one_before_carries_on_after_a_failure() -> None:
    three = lineup("a", "b", "c")
    three.select(1)
    three.select(2)
    assert three.fail(RuntimeError("no")) == "c failed, b carries on: no"
    assert three.name == "b"
    assert three.fail(RuntimeError("no")) == "b failed, a carries on: no"
    assert three.fail(RuntimeError("no")) is None
    assert three.name == "a"


def test_one_that_failed_can_be_chosen_again() -> None:
    two = lineup("a", "b")
    two.select(1)
    two.fail(RuntimeError("once"))
    assert two.select(1) and two.name == "b"
    assert two.fail(RuntimeError("twice")) == "b failed, a carries on: twice"


def test_warming_asks_for_one_face_and_for_several() -> None:
    class Counting(Prior):
        sizes: ClassVar[list[int]] = []

        def warm_up(self, images):
            self.sizes.append(len(images))

    recognizer = Counting().fit(np.zeros((2, 48, 48), np.uint8), np.array([0, 1]))
    assert warm(recognizer) is recognizer
    assert recognizer.sizes == [1, 2, 3]


def test_names_and_paths_typed_without_capitals_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Runs" / "MyNet").mkdir(parents=True)
    assert as_spelled("HOG_svm") == "hog_svm"
    assert as_spelled("runs/mynet") == str(Path("Runs/MyNet"))
    assert as_spelled(str(tmp_path / "runs")) == str(tmp_path / "Runs")
    assert as_spelled("nowhere/mynet") == "nowhere/mynet"


def test_a_path_that_means_two_folders_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "Net").mkdir()
    (tmp_path / "NET").mkdir()
    if len(list(tmp_path.iterdir())) == 2:
        assert as_spelled(str(tmp_path / "net")) == str(tmp_path / "net")
