"""Which emotions there are: named sets of classes, the way from one set to another, and other words for each.

A label is an index into a tuple of class names; no other file knows which emotion stands at which index.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ferbench.errors import ConfigError, UnknownNameError, did_you_mean
from ferbench.types import EMOTIONS

COMPOUNDS: dict[str, str | None] = {
    "happily_surprised": "surprise",
    "happily_disgusted": None,
    "sadly_fearful": "fear",
    "sadly_angry": "anger",
    "sadly_surprised": "surprise",
    "sadly_disgusted": "disgust",
    "fearfully_angry": "anger",
    "fearfully_surprised": "surprise",
    "angrily_surprised": "surprise",
    "angrily_disgusted": "disgust",
    "disgustedly_surprised": "surprise",
}
"""RAF-DB's compound emotions (Li et al. 2017, after Du et al. 2014) in its order, and the basic one each maps to.

The map is a convention: the adjective is the emotion, the adverb its color. Happily disgusted has halves of opposite
valence and maps to none: its faces are dropped.
"""

LABEL_SETS: dict[str, tuple[str, ...]] = {
    "fer7": EMOTIONS,
    "fer6": tuple(emotion for emotion in EMOTIONS if emotion != "disgust"),
    "ferplus8": (*EMOTIONS, "contempt"),
    "rafdb11": tuple(COMPOUNDS),
    "heads4": ("anger", "disgust", "fear", "surprise"),
}
"""Sets of classes by name. `fer6` has no disgust: FER2013 has few such faces, and they are merged into anger.

`ferplus8` adds contempt, as FER+, CK+ and AffectNet's eight classes have it. `rafdb11` are RAF-DB's compound emotions,
`heads4` the basic ones that those map to.
"""

ALIASES: dict[str, str] = {
    "angry": "anger",
    "disgusted": "disgust",
    "afraid": "fear",
    "fearful": "fear",
    "scared": "fear",
    "happy": "happiness",
    "joy": "happiness",
    "sad": "sadness",
    "surprised": "surprise",
    "natural": "neutral",
    "neutrality": "neutral",
    "contemptuous": "contempt",
}
"""Other words for an emotion, as class folders and label files have them."""

_MERGED_INTO = {"disgust": "anger"}
_DROPPED = frozenset({"contempt", *(name for name, head in COMPOUNDS.items() if head is None)})


def classes_of(name: str) -> tuple[str, ...]:
    """The classes of a named label set.

    Raises:
        UnknownNameError: no such set; the message suggests the nearest.
    """
    if name not in LABEL_SETS:
        raise UnknownNameError(f"No label set named '{name}'. {did_you_mean(name, LABEL_SETS)}")
    return LABEL_SETS[name]


def label_set_name(classes: tuple[str, ...]) -> str | None:
    """The name of the label set with exactly these classes in this order, None where there is none."""
    return next((name for name, known in LABEL_SETS.items() if known == tuple(classes)), None)


def emotion_named(word: str) -> str:
    """The emotion that a word stands for, whatever its case: "Happy" is happiness.

    Raises:
        UnknownNameError: the word is neither an emotion nor an alias of one.
    """
    key = word.strip().lower()
    emotion = ALIASES.get(key, key)
    known = {*EMOTIONS, *ALIASES.values()}
    if emotion not in known:
        raise UnknownNameError(f"No emotion named '{word}'. {did_you_mean(key, known | set(ALIASES))}")
    return emotion


def label_map(source: tuple[str, ...], target: tuple[str, ...]) -> NDArray[np.int64]:
    """Where each class of `source` goes in `target`.

    A class goes to its namesake; without one, disgust goes to anger, contempt is dropped, and a compound emotion goes
    where `COMPOUNDS` says or is dropped.

    Returns:
        int64, (n_source,): an index into `target`, -1 where faces of that class are dropped.

    Raises:
        ConfigError: a class has nowhere to go, or a class of `target` would have to be split off another.
    """
    for name, classes in (("source", source), ("target", target)):
        if len(set(classes)) != len(classes):
            raise ConfigError(f"The {name} classes must differ, got {', '.join(classes)}: name each once.")
    reached = {*source, *(COMPOUNDS.get(emotion) for emotion in source)}
    for emotion in target:
        if emotion not in reached:
            whole = _MERGED_INTO.get(emotion)
            reason = f"{whole} cannot be split into {whole} and {emotion}" if whole in source else "no face has it"
            raise ConfigError(
                f"Classes {', '.join(source)} cannot become classes with {emotion}: {reason}. "
                "Choose a label set whose classes the data has."
            )
    return np.array([_target_index(emotion, target) for emotion in source], dtype=np.int64)


def describe_map(source: tuple[str, ...], target: tuple[str, ...]) -> str:
    """What `label_map` does beside renumbering, for a person to read: "contempt is dropped, disgust becomes anger".

    Empty where every class keeps its name.

    Raises:
        ConfigError: see `label_map`.
    """
    moves = zip(source, label_map(source, target).tolist(), strict=True)
    return ", ".join(
        f"{emotion} is dropped" if index < 0 else f"{emotion} becomes {target[index]}"
        for emotion, index in moves
        if index < 0 or target[index] != emotion
    )


def counterpart(emotion: str, classes: tuple[str, ...]) -> str | None:
    """What a class is called among others: its namesake, what it is merged into, or None."""
    candidates = (emotion, _MERGED_INTO.get(emotion), COMPOUNDS.get(emotion))
    return next((name for name in candidates if name in classes), None)


def _target_index(emotion: str, target: tuple[str, ...]) -> int:
    found = counterpart(emotion, target)
    if found is not None:
        return target.index(found)
    if emotion in _DROPPED:
        return -1
    raise ConfigError(f"The class {emotion} has no counterpart in {', '.join(target)}: choose a label set that has it.")
