"""`predict`: the emotion on pictures."""

from __future__ import annotations

import argparse

from ferbench import registry
from ferbench.cli.commands import Commands
from ferbench.cli.console import complain, import_quietly, out, print_json, saved_name


def add(commands: Commands) -> None:
    """`predict IMAGE...`."""
    parser = commands.add("predict", "Tell the emotion on face crops of any size.", _predict, json=True)
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="a picture file showing one cropped face")
    parser.add_argument("--recognizer", default="cnn9", metavar="NAME_OR_DIR", help="(default: %(default)s)")


def _predict(options: argparse.Namespace) -> int:
    import numpy as np

    from ferbench.data.images import read_gray, resize
    from ferbench.errors import DataError
    from ferbench.report.tables import predictions_table

    import_quietly(saved_name(options.recognizer))
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
    if options.json:
        print_json(rows)
    elif rows:
        out.print(predictions_table(rows, recognizer.classes))
    for failure in failures:
        complain(failure)
    return 2 if failures else 0
