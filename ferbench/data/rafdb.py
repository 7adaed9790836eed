"""RAF-DB (Li, Deng and Du, CVPR 2017): faces from the web, labelled by about forty people each.

The basic part has seven emotions, the compound part eleven. Both come as aligned pictures of 100 x 100 pixels with a
list of labels. They are for research on request and not ours to give away: the user brings the folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from ferbench.data.dataset import Dataset
from ferbench.data.emotions import LABEL_SETS
from ferbench.data.listing import TEST, TRAIN, Listing, load_prepared, prepare_listing, validation_carve
from ferbench.errors import DataError
from ferbench.types import EMOTIONS, ProgressHook

_BASIC = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
_LINE = re.compile(r"((train|test)_[0-9]{1,6})\.jpg[ \t]+([0-9]{1,2})")
_HOW_TO_GET = (
    "RAF-DB is not on this machine: ask its authors for it (http://www.whdeng.cn/RAF/model1.html, for research only), "
    "unpack it, then run: python -m ferbench data prepare {} PATH"
)


class _Kind(NamedTuple):
    name: str
    folder: str
    classes: tuple[str, ...]
    codes: tuple[str, ...]
    counts: dict[str, int]


_KINDS = {
    "basic": _Kind("rafdb", "basic", EMOTIONS, _BASIC, {"train": 12_271, "test": 3_068}),
    "compound": _Kind(
        "rafdb_compound", "compound", LABEL_SETS["rafdb11"], LABEL_SETS["rafdb11"], {"train": 3_162, "test": 792}
    ),
}


def load_rafdb() -> Dataset:
    """RAF-DB's seven basic emotions as `prepare_rafdb` left them on this machine.

    Raises:
        DatasetMissingError: they have not been prepared; the message says how.
        DataError: what was prepared is damaged.
    """
    return load_prepared("rafdb", EMOTIONS, _HOW_TO_GET.format("rafdb"))


def load_rafdb_compound() -> Dataset:
    """RAF-DB's eleven compound emotions as `prepare_rafdb` left them on this machine.

    Raises:
        DatasetMissingError: they have not been prepared; the message says how.
        DataError: what was prepared is damaged.
    """
    return load_prepared("rafdb_compound", LABEL_SETS["rafdb11"], _HOW_TO_GET.format("rafdb_compound"))


def prepare_rafdb(
    path: str | Path,
    *,
    kind: Literal["basic", "compound"] = "basic",
    validation_share: float = 0.1,
    seed: int = 0,
    counts: Mapping[str, int] | Literal["official"] | None = "official",
    on_progress: ProgressHook = lambda stage, done, total: None,
) -> Path:
    """Read RAF-DB's aligned pictures once to gray faces of 48 x 48 pixels.

    The official test pictures are the test split. The official training pictures are divided into training and
    validation by class and `seed`, identical pictures together.

    Args:
        path: The folder with `basic/` and `compound/`, or one of these two.
        kind: Which part.
        validation_share: How much of the official training pictures becomes validation.
        seed: Of that division.
        counts: Lines that the list must have for "train" and "test"; "official": 12,271 and 3,068 of the basic part,
            3,162 and 792 of the compound one; None checks nothing.
        on_progress: Called as work goes on.

    Returns:
        The folder of the prepared dataset, under `data_home()`.

    Raises:
        DataError: the layout is another one, a line of the list is malformed, or lines are missing.
    """
    part, carve = _KINDS[kind], validation_carve(validation_share)
    path = Path(path)
    root = path / part.folder if (path / part.folder).is_dir() else path
    labels_path = root / "EmoLabel" / "list_patition_label.txt"  # the authors' spelling
    listing = _listing(labels_path, root / "Image" / "aligned", part)
    expected = part.counts if counts == "official" else counts
    found = {"train": int((listing.parts == TRAIN).sum()), "test": int((listing.parts == TEST).sum())}
    if expected is not None and found != dict(expected):
        raise DataError(
            f"{labels_path} must list {expected['train']:,} training and {expected['test']:,} test pictures, "
            f"got {found['train']:,} and {found['test']:,}: this is not the whole official list, unpack it again."
        )
    return prepare_listing(part.name, part.classes, listing, carve=carve, seed=seed, on_progress=on_progress)


def _listing(labels_path: Path, images: Path, part: _Kind) -> Listing:
    try:
        lines = labels_path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(
            f"{labels_path} cannot be read ({getattr(error, 'strerror', None) or error}): give the folder of RAF-DB "
            f"that holds {part.folder}/EmoLabel and {part.folder}/Image/aligned."
        ) from error
    names: dict[str, int] = {}
    labels, parts = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None or not 1 <= int(match[3]) <= len(part.codes) or match[1] in names:
            raise DataError(
                f"{labels_path}, line {number}: expected 'train_00001.jpg 5', each picture once, with a label "
                f"from 1 to {len(part.codes)}, got {line[:40]!r}: unpack the list again."
            )
        names[match[1]] = number
        labels.append(part.classes.index(part.codes[int(match[3]) - 1]))
        parts.append(TRAIN if match[2] == "train" else TEST)
    paths = [images / f"{name}_aligned.jpg" for name in names]
    return Listing(paths, np.array(labels, np.int64), np.array(parts, np.int64))
