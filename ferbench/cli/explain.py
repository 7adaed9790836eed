"""`explain`: where in a face a recognizer finds its answer, as pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ferbench import registry
from ferbench.cli.commands import Commands
from ferbench.cli.console import complain, import_quietly, notice, out, print_json, saved_name
from ferbench.cli.pictures import add_pictures, open_detector
from ferbench.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ferbench.recognizers.explanation import Explanation
    from ferbench.types import Images


def add(commands: Commands) -> None:
    """`explain IMAGE...`."""
    parser = commands.add(
        "explain", "Draw where in a face a recognizer finds its answer, a picture a face.", _explain, json=True
    )
    add_pictures(parser)
    parser.add_argument(
        "--method",
        metavar="NAMES",
        help="of grad_cam, occlusion, features, with commas between (default: all that the recognizer has layers for)",
    )
    parser.add_argument("--class", dest="emotion", metavar="NAME", help="ask about it (default: the most probable one)")
    parser.add_argument(
        "--to", type=Path, default=Path("explanations"), metavar="DIR", help="where to draw (default: %(default)s)"
    )


def _explain(options: argparse.Namespace) -> int:
    import_quietly(saved_name(options.recognizer))
    from ferbench.recognizers.explanation import explain

    recognizer = registry.load(options.recognizer)
    detector = open_detector(options.detector) if options.detector else None
    methods = options.method.split(",") if options.method else None
    options.to.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    failures = []
    for path in options.images:
        try:
            faces = _faces(path, detector, recognizer.image_size)
        except DataError as error:
            failures.append(str(error))
            continue
        if len(faces) == 0:
            notice(f"{path}: {options.detector} finds no face.")
            continue
        found = explain(recognizer, faces, methods=methods, emotion=options.emotion)
        for place in range(len(faces)):
            name = f"{Path(path).stem}_{recognizer.name}" + (f"_face{place + 1}" if options.detector else "")
            target = _free(options.to / f"{name}.png", {row["picture"] for row in rows})
            _draw(target, f"{recognizer.display_name}: {Path(path).name}", found, place)
            rows.append({"image": path, "face": place + 1, "picture": str(target), **_numbers(found, place)})
    if options.json:
        print_json(rows)
    else:
        for row in rows:
            out.print(f"{row['picture']}: {row['emotion']}, {100 * row['confidence']:.0f} %", soft_wrap=True)
    for failure in failures:
        complain(failure)
    return 2 if failures else 0


def _faces(path: str, detector: Any, size: tuple[int, int]) -> Images:
    from ferbench.data.images import read_color, read_gray, resize
    from ferbench.faces.crops import crop_faces

    if detector is None:
        return resize(read_gray(path)[None], size)
    picture = read_color(path)
    return crop_faces(picture, detector.detect(picture), size=size, framing=detector.framing)


def _free(target: Path, taken: set[str]) -> Path:
    """`target`, or with a number where a picture of the same name was drawn from another folder just now."""
    choice, number = target, 1
    while str(choice) in taken:
        number += 1
        choice = target.with_stem(f"{target.stem}-{number}")
    return choice


def _draw(target: Path, title: str, found: Explanation, place: int) -> None:
    from ferbench.report.explain import draw_explanation

    draw_explanation(
        target,
        found.images[place],
        _probabilities(found, place),
        title=title,
        asked=found.asked[place],
        grad_cam=None if found.grad_cam is None else found.grad_cam[place],
        occlusion=None if found.occlusion is None else found.occlusion[place],
        features={layer: maps[place] for layer, maps in found.features.items()},
    )


def _probabilities(found: Explanation, place: int) -> dict[str, float]:
    return dict(zip(found.prediction.classes, found.prediction.probabilities[place].tolist(), strict=True))


def _numbers(found: Explanation, place: int) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        "emotion": found.prediction.names[place],
        "confidence": round(float(found.prediction.confidence[place]), 4),
        "probabilities": {name: round(value, 4) for name, value in _probabilities(found, place).items()},
        "class": found.asked[place],
    }
    for method in ("grad_cam", "occlusion"):
        heat = getattr(found, method)
        if heat is not None:
            numbers[method] = heat[place].round(4).astype(float).tolist()
    if found.features:
        numbers["features"] = {layer: _summary(maps[place]) for layer, maps in found.features.items()}
    return numbers


def _summary(maps: NDArray[np.float32]) -> dict[str, Any]:
    return {"shape": list(maps.shape), "channel_means": maps.mean(axis=(0, 1)).astype(float).tolist()}
