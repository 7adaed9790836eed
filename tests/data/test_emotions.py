from __future__ import annotations

import numpy as np
import pytest

from ferbench.data.emotions import (
    ALIASES,
    LABEL_SETS,
    classes_of,
    describe_map,
    emotion_named,
    label_map,
    label_set_name,
)
from ferbench.errors import ConfigError, UnknownNameError
from ferbench.types import EMOTIONS

FER6 = ("anger", "fear", "happiness", "sadness", "surprise", "neutral")
CONTEMPT8 = (*EMOTIONS, "contempt")


def test_label_sets_have_the_agreed_order() -> None:
    assert classes_of("fer7") == EMOTIONS
    assert classes_of("fer6") == FER6


def test_classes_of_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'fer7'"):
        classes_of("fer77")


def test_label_set_name_finds_exactly_these_classes() -> None:
    for name, classes in LABEL_SETS.items():
        assert label_set_name(classes) == name
    assert label_set_name(FER6[::-1]) is None


def test_label_map_merges_disgust_into_anger() -> None:
    mapped = label_map(EMOTIONS, FER6)
    assert mapped.dtype == np.int64
    assert mapped.tolist() == [0, 0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("classes", LABEL_SETS.values())
def test_label_map_of_the_same_classes_is_the_identity(classes: tuple[str, ...]) -> None:
    assert label_map(classes, classes).tolist() == list(range(len(classes)))


def test_label_map_follows_another_order() -> None:
    assert label_map(EMOTIONS, EMOTIONS[::-1]).tolist() == [6, 5, 4, 3, 2, 1, 0]


def test_label_map_drops_contempt() -> None:
    assert label_map(CONTEMPT8, EMOTIONS).tolist() == [0, 1, 2, 3, 4, 5, 6, -1]


def test_ferplus8_is_fer7_and_contempt() -> None:
    assert classes_of("ferplus8") == CONTEMPT8


def test_label_map_from_ferplus8_to_fer6_drops_and_merges() -> None:
    assert label_map(CONTEMPT8, FER6).tolist() == [0, 0, 1, 2, 3, 4, 5, -1]


def test_describe_map_states_what_is_dropped_and_what_is_merged() -> None:
    assert describe_map(CONTEMPT8, FER6) == "disgust becomes anger, contempt is dropped"
    assert describe_map(CONTEMPT8, EMOTIONS) == "contempt is dropped"
    assert describe_map(EMOTIONS, EMOTIONS[::-1]) == ""


def test_label_map_refuses_to_split_anger() -> None:
    with pytest.raises(ConfigError, match="anger cannot be split into anger and disgust"):
        label_map(FER6, EMOTIONS)


def test_label_map_refuses_a_class_that_no_face_has() -> None:
    with pytest.raises(ConfigError, match="with contempt: no face has it"):
        label_map(EMOTIONS, CONTEMPT8)


def test_label_map_refuses_a_class_with_nowhere_to_go() -> None:
    with pytest.raises(ConfigError, match="fear has no counterpart in anger, happiness"):
        label_map(("anger", "fear", "happiness"), ("anger", "happiness"))


def test_label_map_refuses_a_class_named_twice() -> None:
    with pytest.raises(ConfigError, match="source classes must differ"):
        label_map(("anger", "anger"), FER6)


@pytest.mark.parametrize(("word", "emotion"), [(" Happy ", "happiness"), ("SAD", "sadness"), ("fear", "fear")])
def test_emotion_named_knows_other_words(word: str, emotion: str) -> None:
    assert emotion_named(word) == emotion


def test_emotion_named_knows_every_emotion_and_alias() -> None:
    assert [emotion_named(emotion) for emotion in CONTEMPT8] == list(CONTEMPT8)
    assert {emotion_named(alias) for alias in ALIASES} <= set(CONTEMPT8)


def test_emotion_named_refuses_an_unknown_word_with_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'happy'"):
        emotion_named("hapy")
