"""AffectNet (Mollahosseini, Hasani and Mahoor, IEEE TAC 2017): faces from the web with an emotion, valence and arousal.

Two layouts go around: the first release, with annotations in CSV files and pictures in which the face is a box, and the
later one, with cut pictures and an array file for each annotation. The pictures are for research on request and not
ours to give away.

The labels of the true test set are not public. As everywhere in the literature, the official validation set is the
test split here; validation is divided off the official training set.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ferbench.data.affectnet_annotations import Annotation, read_arrays, read_csv
from ferbench.data.dataset import Dataset, Split, data_home
from ferbench.data.emotions import LABEL_SETS
from ferbench.data.extras import read_extra
from ferbench.data.listing import TEST, TRAIN, Listing, load_prepared, prepare_listing, validation_carve
from ferbench.errors import DataError
from ferbench.types import EMOTIONS, ProgressHook

_CLASSES = LABEL_SETS["ferplus8"]
_LISTS = ("Manually_Annotated_file_lists", "Manually_Annotated/Manually_Annotated_file_lists")
_IMAGES = ("Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images")
_EXTRA = "valence_arousal"
_HOW_TO_GET = (
    "AffectNet is not on this machine: ask its authors for it (http://mohammadmahoor.com/affectnet/, for research "
    "only), unpack it, then run: python -m ferbench data prepare affectnet PATH"
)


def load_affectnet8() -> Dataset:
    """AffectNet's seven emotions and contempt as `prepare_affectnet` left them on this machine.

    Raises:
        DatasetMissingError: they have not been prepared; the message says how.
        DataError: what was prepared is damaged.
    """
    return replace(load_prepared("affectnet", _CLASSES, _HOW_TO_GET), name="affectnet8")


def load_affectnet7() -> Dataset:
    """AffectNet's seven emotions, faces of contempt left out, as `prepare_affectnet` left them on this machine.

    Raises:
        DatasetMissingError, DataError: see `load_affectnet8`.
    """
    splits = {name: _without_contempt(split) for name, split in load_affectnet8().splits()}
    return Dataset(name="affectnet7", classes=EMOTIONS, is_synthetic=False, **splits)


def load_affectnet_regression(*, n_classes: Literal[7, 8] = 8) -> dict[str, NDArray[np.float32]]:
    """Valence and arousal of the faces of `load_affectnet7` or `load_affectnet8`, in the same order.

    Returns:
        For "train", "validation" and "test" float32 (n, 2): valence and arousal from -1 to 1, NaN where not annotated.

    Raises:
        DatasetMissingError, DataError: see `load_affectnet8`.
    """
    eight = load_affectnet8()
    values = read_extra(data_home() / "datasets" / "affectnet", _EXTRA, eight)
    dataset = eight if n_classes == 8 else load_affectnet7()
    return {name: values[split.rows] for name, split in dataset.splits()}


def prepare_affectnet(
    path: str | Path,
    *,
    validation_share: float = 0.1,
    seed: int = 0,
    on_progress: ProgressHook = lambda stage, done, total: None,
) -> Path:
    """Read AffectNet once, in either layout, to gray faces of 48 x 48 pixels.

    The official training set is divided into training and validation by class and `seed`, identical pictures together;
    the official validation set is the test split. Rows without an emotion (none, uncertain, no face) are dropped. In
    each split faces of contempt come last.

    Args:
        path: The folder with `training.csv` and `validation.csv` (or `Manually_Annotated_file_lists/`) and
            `Manually_Annotated_Images/`; or the one with `train_set/` and `val_set/`.
        validation_share: How much of the official training set becomes validation.
        seed: Of that division.
        on_progress: Called as work goes on.

    Returns:
        The folder of the prepared dataset, under `data_home()`.

    Raises:
        DataError: the layout is another one, or an annotation is malformed; the message names the file and line.
    """
    carve = validation_carve(validation_share)
    listing, values = _listing(Path(path), on_progress)
    return prepare_listing(
        "affectnet", _CLASSES, listing, carve=carve, seed=seed, extras={_EXTRA: values}, on_progress=on_progress
    )


def _listing(path: Path, on_progress: ProgressHook) -> tuple[Listing, NDArray[np.float32]]:
    """What to read, with contempt last; and valence and arousal of every row of the source, (n_source, 2)."""
    paths: list[str] = []
    labels, parts, rows, boxes, values = array("q"), array("q"), array("q"), array("i"), array("f")
    for part, source in _sources(path, on_progress):
        for annotation in source:
            values.extend((np.nan, np.nan) if annotation is None else annotation[2:4])
            if annotation is not None:
                paths.append(annotation.path)
                labels.append(_CLASSES.index(annotation.emotion))
                parts.append(part)
                rows.append(len(values) // 2 - 1)
                boxes.extend(annotation.box or ())
    if not paths:
        raise DataError(f"{path} holds no row with an emotion: give AffectNet's folder.")
    label_ids = np.array(labels, np.int64)
    order = np.argsort(label_ids == _CLASSES.index("contempt"), kind="stable")
    listing = Listing(
        paths=[paths[i] for i in order],
        labels=label_ids[order],
        parts=np.array(parts, np.int64)[order],
        boxes=np.array(boxes, np.int32).reshape(-1, 4)[order] if boxes else None,
        rows=np.array(rows, np.int64)[order],
    )
    return listing, np.array(values, np.float32).reshape(-1, 2)


def _sources(path: Path, on_progress: ProgressHook) -> Iterator[tuple[int, Iterator[Annotation | None]]]:
    if (path / "train_set").is_dir():
        yield TRAIN, read_arrays(path / "train_set", on_progress)
        yield TEST, read_arrays(path / "val_set", on_progress)
        return
    lists = next((path / name for name in _LISTS if (path / name).is_dir()), path)
    images = next((path / name for name in _IMAGES if (path / name).is_dir()), path)
    yield TRAIN, read_csv(lists / "training.csv", images, on_progress)
    yield TEST, read_csv(lists / "validation.csv", images, on_progress)


def _without_contempt(split: Split) -> Split:
    n = int(np.count_nonzero(split.labels < len(EMOTIONS)))  # contempt comes last, so nothing is copied
    return Split(split.images[:n], split.labels[:n], split.rows[:n], split.groups[:n])
