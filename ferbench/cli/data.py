"""`data`: prepare, describe, audit and export datasets."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ferbench import registry
from ferbench.cli.commands import Commands, add_set
from ferbench.cli.console import notice, out, print_json, progress
from ferbench.errors import ConfigError


def add(commands: Commands) -> None:
    """`data prepare|info|audit|export`."""
    actions = commands.group("data", "Prepare and inspect datasets.")
    prepare = actions.add("prepare", "Read a dataset's own files once into a compact cache.", _prepare)
    prepare.add_argument("name", metavar="NAME", help="fer2013, ferplus, ... (python -m ferbench list: preparers)")
    prepare.add_argument(
        "path",
        type=Path,
        metavar="PATH",
        help="fer2013: fer2013.csv, icml_face_data.csv (also .gz .xz .zip .tar.gz) or the folder with train and test; "
        "ferplus: fer2013new.csv; other sets: their folder",
    )
    prepare.add_argument("--detector", metavar="NAME", help="own pictures: cut out the largest face (haar, yunet)")
    add_set(prepare, "a parameter of the preparer")
    info = actions.add("info", "Counts by split and class, fingerprint and place.", _info, json=True)
    info.add_argument("name", nargs="?", default="fer2013", metavar="NAME", help="(default: %(default)s)")
    audit = actions.add(
        "audit", "Look for duplicates, leaks between splits, conflicting labels and blank images.", _audit, json=True
    )
    audit.add_argument("name", nargs="?", default="fer2013", metavar="NAME", help="(default: %(default)s)")
    audit.add_argument(
        "--sheet", action="store_true", help="draw what was found; it shows faces, so it stays out of the repository"
    )
    export = actions.add("export", "Write a prepared dataset back to picture folders, or to a csv.", _export)
    export.add_argument("name", metavar="NAME")
    export.add_argument("target", type=Path, metavar="TARGET", help="a folder; or a file that ends in .csv or .csv.gz")


def _prepare(options: argparse.Namespace) -> int:
    from ferbench.config import assignments
    from ferbench.data.pictures import read_problems

    ours = ("path", "votes_csv", "on_progress", "notice", "crop", "counts")  # not for a user to set
    prepare = registry.get("preparers", options.name)
    params = registry.resolve("preparers", options.name, assignments(options.set), given=ours)
    if options.detector:
        params["crop"] = _crop(options.name, options.detector, prepare)
    if "notice" in inspect.signature(prepare).parameters:
        params["notice"] = notice
    with progress() as show:
        place = prepare(options.path, on_progress=show, **params)
    out.print(f"Prepared: {place}")
    problems = read_problems(place)
    if problems:
        notice(f"Pictures left out, as they could not be used: {len(problems)}, named in {place / 'unreadable.txt'}.")
    if place.name in registry.names("datasets"):
        _info(argparse.Namespace(name=place.name, json=False))
    return 0


def _crop(name: str, detector: str, prepare: Callable[..., Any]) -> Any:
    from ferbench.faces.crops import LargestFace

    if "crop" not in inspect.signature(prepare).parameters:
        raise ConfigError(f"'{name}' holds face crops already: --detector is for one's own pictures (folder).")
    return LargestFace(registry.create("detectors", detector))


def _info(options: argparse.Namespace) -> int:
    from ferbench.data.dataset import data_home
    from ferbench.report.tables import dataset_table

    card = registry.create("datasets", options.name).card()
    folder = "ferplus" if card.name.startswith("ferplus_") else card.name
    place = "drawn in memory" if card.is_synthetic else str(data_home() / "datasets" / folder)
    if options.json:
        print_json({**card.model_dump(), "place": place})
    else:
        out.print(dataset_table(card, place))
    return 0


def _audit(options: argparse.Namespace) -> int:
    from ferbench.data.audit import audit
    from ferbench.data.dataset import data_home
    from ferbench.report.audit import audit_tables, contact_sheet

    dataset = registry.create("datasets", options.name)
    with progress() as show:
        found = audit(dataset, on_progress=show)
    pages = contact_sheet(dataset, found, data_home() / "audits" / dataset.name) if options.sheet else []
    if options.json:
        print_json({**found.model_dump(mode="json"), "sheets": [str(page) for page in pages]})
        return 0
    out.print(*audit_tables(found))
    for page in pages:
        out.print(str(page), soft_wrap=True)
    return 0


def _export(options: argparse.Namespace) -> int:
    from ferbench.data.export import export_csv, export_folder

    dataset = registry.create("datasets", options.name)
    export = export_csv if options.target.name.endswith((".csv", ".csv.gz")) else export_folder
    with progress() as show:
        export(dataset, options.target, on_progress=show)
    out.print(f"Written: {options.target}")
    return 0
