"""`predict`: the emotion on face crops, or on every face of photographs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ferbench import registry
from ferbench.cli.commands import Commands
from ferbench.cli.console import complain, import_quietly, notice, out, print_json, saved_name
from ferbench.cli.export import add_engine, through_engine
from ferbench.cli.pictures import add_pictures, open_detector
from ferbench.errors import ConfigError, DataError


def add(commands: Commands) -> None:
    """`predict IMAGE...`."""
    parser = commands.add(
        "predict", "Tell the emotion on face crops of any size, or with --detector on photographs.", _predict, json=True
    )
    add_pictures(parser)
    add_engine(parser)
    parser.add_argument("--draw", type=Path, metavar="DIR", help="with --detector: also write the pictures, with boxes")


def _predict(options: argparse.Namespace) -> int:
    from ferbench.report.tables import predictions_table

    if options.draw and not options.detector:
        raise ConfigError("--draw shows where faces were found: give --detector too.")
    options.recognizer = through_engine(options.recognizer, options.engine)
    import_quietly(saved_name(options.recognizer))
    rows, failures = _faces(options) if options.detector else _crops(options)
    if options.json:
        print_json(rows)
    elif rows:
        out.print(predictions_table(rows, registry.load(options.recognizer).classes))
    for failure in failures:
        complain(failure)
    return 2 if failures else 0


def _crops(options: argparse.Namespace) -> tuple[list[dict[str, Any]], list[str]]:
    import numpy as np

    from ferbench.data.images import read_gray, resize

    recognizer = registry.load(options.recognizer)
    faces, read, failures = [], [], []
    for path in options.images:
        try:
            faces.append(resize(read_gray(path)[None], recognizer.image_size)[0])
            read.append(path)
        except DataError as error:
            failures.append(str(error))
    height, width = recognizer.image_size
    prediction = recognizer.predict(np.stack(faces) if faces else np.empty((0, height, width), np.uint8))
    rows = [
        {
            "image": path,
            "emotion": name,
            "confidence": round(float(confidence), 4),
            "probabilities": {c: round(float(p), 4) for c, p in zip(recognizer.classes, row, strict=True)},
        }
        for path, name, confidence, row in zip(
            read, prediction.names, prediction.confidence, prediction.probabilities, strict=True
        )
    ]
    return rows, failures


def _faces(options: argparse.Namespace) -> tuple[list[dict[str, Any]], list[str]]:
    from ferbench.data.images import read_color
    from ferbench.faces.analyzer import FaceAnalyzer

    analyzer = FaceAnalyzer(options.recognizer, open_detector(options.detector))
    rows: list[dict[str, Any]] = []
    failures = []
    for path in options.images:
        try:
            picture = read_color(path)
            found = analyzer.analyze(picture)
        except DataError as error:
            failures.append(str(error))
            continue
        if not len(found):
            notice(f"{path}: {options.detector} finds no face.")
        rows += [{"image": path, **row} for row in found.rows()]
        if options.draw:
            _draw(picture, found, options.draw / f"{Path(path).stem}.png")
    return rows, failures


def _draw(picture: Any, found: Any, target: Path) -> None:
    from ferbench.data.images import write_picture
    from ferbench.realtime.overlay import draw
    from ferbench.realtime.view import View

    view = View(boxes=found.boxes, probabilities=found.probabilities, classes=found.classes)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_picture(target, draw(picture, view))
    notice(f"Drawn: {target}")
