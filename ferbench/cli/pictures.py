"""What commands share that look at pictures of faces: their arguments, and a detector fit for photographs."""

from __future__ import annotations

import argparse
from typing import Any

from ferbench import registry

_PHOTOGRAPH = (1280, 960)


def add_pictures(parser: argparse.ArgumentParser) -> None:
    """`IMAGE... --recognizer NAME_OR_DIR --detector NAME`."""
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="a picture of one cropped face, or a photograph")
    parser.add_argument("--recognizer", default="cnn9", metavar="NAME_OR_DIR", help="(default: %(default)s)")
    parser.add_argument("--detector", metavar="NAME", help="find the faces first: haar, yunet, mtcnn")


def open_detector(name: str) -> Any:
    """A detector that looks at a photograph in more detail than a camera loop has time for."""
    has_size = "input_size" in registry.resolve("detectors", name)
    return registry.create("detectors", name, {"input_size": _PHOTOGRAPH} if has_size else None)
