"""A person's own pictures: a folder with a folder for each class, or a CSV file with a row for each picture."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ferbench.data.archives import BadRowError, Table, read_table
from ferbench.data.dataset import Dataset
from ferbench.data.emotions import LABEL_SETS, emotion_named
from ferbench.data.listing import TEST, TRAIN, VALIDATION, Listing, load_prepared, prepare_listing
from ferbench.data.pictures import Crop
from ferbench.errors import ConfigError, DataError, UnknownNameError
from ferbench.types import ProgressHook

_SPLITS = {
    "train": TRAIN,
    "training": TRAIN,
    "val": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "test": TEST,
    "testing": TEST,
}
_COLUMNS = ("path", "label", "split", "group")
_CSV = Table("a CSV file with the columns path,label[,split][,group]", ())
_NOT_PICTURES = frozenset({"thumbs.db", "desktop.ini"})
_NAMED_AT_MOST = 10


class _Row(NamedTuple):
    path: Path
    word: str
    split: int | None = None
    group: str = ""


def load_folder(*, name: str = "own") -> Dataset:
    """A person's own pictures as `prepare_folder` left them on this machine.

    Raises:
        DatasetMissingError: none of that name have been prepared; the message says how.
        DataError: what was prepared is damaged.
    """
    _check_name(name)
    return load_prepared(
        name,
        None,
        f"No pictures are prepared under the name '{name}': run python -m ferbench data prepare folder PATH.",
    )


def prepare_folder(
    path: str | Path,
    *,
    name: str = "own",
    classes: Sequence[str] | None = None,
    shares: Sequence[float] = (0.7, 0.15, 0.15),
    seed: int = 0,
    crop: Crop | None = None,
    on_progress: ProgressHook = lambda stage, done, total: None,
) -> Path:
    """Read one's own pictures to gray faces of 48 x 48 pixels, labelled by the words for their classes.

    Where no split is named, pictures are divided by class and `seed` into `shares`; where training and test are named
    and validation is not, validation is divided off training. Pictures of one group, and identical ones, never cross
    that division. Pictures that cannot be read, or on which `crop` finds no face, are left out and named in
    `unreadable.txt`.

    Args:
        path: A folder with `class/*` or `split/class/*`, the splits named train, validation (val, valid) and test; or a
            CSV file with the columns `path,label` and, if wanted, `split` and `group`, paths relative to the file.
        name: Under which the dataset is stored and loaded.
        classes: Names of the classes, where they are not emotions or not all are wanted; None: those of FER2013, with
            contempt if it occurs.
        shares: Of train, validation and test.
        seed: Of the division.
        crop: A face detector in front, see `pictures.Crop`; None: each picture is a face as a whole.
        on_progress: Called as work goes on.

    Returns:
        The folder of the prepared dataset, under `data_home()`.

    Raises:
        ConfigError: `name`, `classes` or `shares` cannot be used.
        DataError: the layout is another one, a row is malformed, or labels are not known classes; they are listed.
    """
    _check_name(name)
    if len(shares) != 3 or not all(np.isfinite(share) and share > 0 for share in shares):
        raise ConfigError(f"shares must be three positive numbers, train, validation and test, got {tuple(shares)}.")
    if classes is not None:
        _check_classes(classes)
    path = Path(path)
    is_file = path.is_file()
    rows = list(read_table(path, _CSV, _csv_parser(path.parent), on_progress) if is_file else _read_folder(path))
    if not rows:
        raise DataError(
            f"{path} holds no pictures: give a folder of class folders, or a CSV file {','.join(_COLUMNS)}."
        )
    names, labels = _labels([row.word for row in rows], classes)
    parts, carve = _parts([row.split for row in rows], tuple(shares))
    return prepare_listing(
        name,
        names,
        Listing([row.path for row in rows], labels, parts, _groups(rows)),
        carve=carve,
        seed=seed,
        crop=crop,
        on_progress=on_progress,
    )


def _check_name(name: str) -> None:
    from ferbench.registry import names

    taken = set(names("datasets")) - {"folder"}
    if re.fullmatch("[a-z0-9][a-z0-9_-]*", name) is None or name in taken:
        raise ConfigError(
            f"'{name}' cannot name your own pictures: use lower-case letters, digits, _ and -, "
            "and not the name of another dataset."
        )


def _check_classes(classes: Sequence[str]) -> None:
    if len(classes) < 2 or len({own.strip().lower() for own in classes}) < len(classes):
        raise ConfigError(f"classes must be two or more different names, got {', '.join(classes) or 'none'}.")


def _read_folder(path: Path) -> Iterator[_Row]:
    tops = _folders(path)
    named = [top for top in tops if top.name.lower() in _SPLITS]
    if named and len(named) < len(tops):
        other = next(top.name for top in tops if top not in named)
        raise DataError(f"{path} holds splits ({named[0].name}) and other folders ({other}): keep one kind.")
    for split in named:
        for folder in _folders(split):
            yield from (_Row(file, folder.name, _SPLITS[split.name.lower()]) for file in _files(folder))
    for folder in [] if named else tops:
        yield from (_Row(file, folder.name) for file in _files(folder))


def _folders(path: Path) -> list[Path]:
    return [entry for entry in _entries(path) if entry.is_dir() and entry.name != "__MACOSX"]


def _files(path: Path) -> list[Path]:
    return [entry for entry in _entries(path) if entry.name.lower() not in _NOT_PICTURES and not entry.is_dir()]


def _entries(path: Path) -> list[Path]:
    try:
        return sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path} cannot be read ({reason}): give a folder of class folders, or a CSV file.") from error


def _csv_parser(folder: Path) -> Callable[[list[str]], Callable[[list[str]], _Row]]:
    def parser_of(header: list[str]) -> Callable[[list[str]], _Row]:
        columns = [column.strip().lower() for column in header]
        if len(set(columns)) != len(columns) or not {"path", "label"} <= set(columns) <= set(_COLUMNS):
            raise BadRowError(f"expected the columns {','.join(_COLUMNS)}, the last two if wanted, and no other.")

        def parse(fields: list[str]) -> _Row:
            if len(fields) != len(columns):
                raise BadRowError(f"expected {len(columns)} fields, {','.join(columns)}, got {len(fields)}.")
            values = dict(zip(columns, (field.strip() for field in fields), strict=True))
            if not values["path"] or not values["label"]:
                raise BadRowError("path and label must not be empty: fill them in, or remove the row.")
            word = values.get("split", "")
            if word and word.lower() not in _SPLITS:
                raise BadRowError(f"split must be train, validation or test, got {word[:40]!r}.")
            return _Row(folder / values["path"], values["label"], _SPLITS.get(word.lower()), values.get("group", ""))

        return parse

    return parser_of


def _labels(words: list[str], classes: Sequence[str] | None) -> tuple[tuple[str, ...], np.ndarray]:
    known = {own.strip().lower(): own for own in classes or ()}

    def name_of(word: str) -> str | None:
        key = word.strip().lower()
        if key in known:
            return known[key]
        try:
            emotion = emotion_named(word)
        except UnknownNameError:
            return None
        return emotion if classes is None or emotion in classes else None

    found = {word: name_of(word) for word in sorted(set(words))}
    unknown = [word for word, name in found.items() if name is None]
    if unknown:
        wanted = "emotions" if classes is None else f"among {', '.join(classes)}"
        advice = "Rename them, or name your own classes." if classes is None else "Rename them, or name them too."
        raise DataError(f"Labels must be {wanted}, got {_listed(unknown)}. {advice}")
    if classes is None:
        names = next(LABEL_SETS[name] for name in ("fer7", "ferplus8") if set(found.values()) <= set(LABEL_SETS[name]))
    else:
        names = tuple(classes)
    return names, np.array([names.index(found[word] or "") for word in words], np.int64)


def _listed(words: Sequence[str]) -> str:
    more = f" and {len(words) - _NAMED_AT_MOST} more" if len(words) > _NAMED_AT_MOST else ""
    return ", ".join(repr(word[:40]) for word in words[:_NAMED_AT_MOST]) + more


def _parts(splits: list[int | None], shares: tuple[float, ...]) -> tuple[np.ndarray, tuple[float, ...] | None]:
    n_unnamed = splits.count(None)
    if n_unnamed == len(splits):
        return np.full(len(splits), TRAIN, np.int64), shares
    if n_unnamed:
        raise DataError(f"{n_unnamed} of {len(splits)} pictures have no split: name it for all of them, or for none.")
    if not {TRAIN, TEST} <= set(splits):
        raise DataError("Named splits must include train and test: add the missing one, or name none.")
    parts = np.array(splits, np.int64)
    return parts, None if VALIDATION in splits else (shares[0], shares[1], 0.0)


def _groups(rows: Iterable[_Row]) -> np.ndarray:
    ids: dict[str, int] = {}
    return np.array(
        [ids.setdefault(f"g{row.group}" if row.group else f"f{row.path}", len(ids)) for row in rows], np.int64
    )
