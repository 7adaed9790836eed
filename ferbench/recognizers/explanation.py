"""What an answer rests on: Grad-CAM, occlusion maps and feature maps of some faces in one call. Nothing is drawn here.

Keras is imported only for its own networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ferbench.data.images import resize
from ferbench.errors import ConfigError, ImagesError, UnknownNameError, did_you_mean
from ferbench.recognizers.arrays import check_images
from ferbench.recognizers.base import Recognizer
from ferbench.recognizers.occlusion import occlusion_maps
from ferbench.types import Images, Labels, Prediction

if TYPE_CHECKING:
    from ferbench.recognizers.deep.keras_recognizer import KerasRecognizer

METHODS = ("grad_cam", "occlusion", "features")
"""What can be asked for; all but "occlusion" look into the layers of a Keras network."""


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Some faces, what a recognizer says of them and what that rests on, one row a face.

    Attributes:
        images: uint8, (n, height, width), of the size that the recognizer sees.
        prediction: What it says.
        labels: The class asked about for each face, (n,).
        grad_cam: float32, (n, height, width), 0 to 1; None: not asked for.
        occlusion: float32, (n, height, width), the probability lost, -1 to 1; None: not asked for.
        features: By layer, float32, (n, height, width, channels); empty: not asked for.
    """

    images: Images
    prediction: Prediction
    labels: Labels
    grad_cam: NDArray[np.float32] | None
    occlusion: NDArray[np.float32] | None
    features: dict[str, NDArray[np.float32]]

    @property
    def asked(self) -> tuple[str, ...]:
        """The class asked about for each face, by name."""
        return tuple(self.prediction.classes[label] for label in self.labels)


def explain(
    recognizer: Recognizer, images: Images, *, methods: Sequence[str] | None = None, emotion: str | None = None
) -> Explanation:
    """Show where in a face a recognizer finds its answer.

    Args:
        recognizer: A fitted one.
        images: uint8, (n, height, width), of any size.
        methods: Of `METHODS`: "grad_cam" (Selvaraju et al., ICCV 2017), "occlusion" (Zeiler and Fergus, ECCV 2014),
            "features", the maps behind each pooling. None: all that the recognizer has layers for.
        emotion: The class asked about; None: the one that each face is most probable to be.

    Raises:
        ImagesError: images are not uint8 (n, height, width), or there are none.
        UnknownNameError: no such method, or the recognizer knows no such class.
        ConfigError: a method needs layers and the recognizer has none.
    """
    check_images(images)
    if len(images) == 0:
        raise ImagesError("There is nothing to explain: images is empty.")
    network = _as_network(recognizer)
    chosen = _chosen(recognizer, methods, has_layers=network is not None)
    faces = images if images.shape[1:] == recognizer.image_size else resize(images, recognizer.image_size)
    prediction = recognizer.predict(faces)
    labels = prediction.label_ids if emotion is None else np.full(len(faces), _label(recognizer, emotion), np.int64)
    heat, features = None, {}
    if network is not None and "grad_cam" in chosen:
        from ferbench.recognizers.deep.grad_cam import grad_cam

        heat = grad_cam(network, faces, labels)
    if network is not None and "features" in chosen:
        from ferbench.recognizers.deep.feature_maps import feature_maps

        features = feature_maps(network, faces)
    losses = occlusion_maps(recognizer, faces, labels) if "occlusion" in chosen else None
    return Explanation(faces, prediction, labels, heat, losses, features)


def _as_network(recognizer: Recognizer) -> KerasRecognizer | None:
    if not hasattr(recognizer, "network_"):
        return None
    from ferbench.recognizers.deep.keras_recognizer import KerasRecognizer

    return recognizer if isinstance(recognizer, KerasRecognizer) else None


def _chosen(recognizer: Recognizer, methods: Sequence[str] | None, *, has_layers: bool) -> Sequence[str]:
    possible = METHODS if has_layers else ("occlusion",)
    for method in methods or ():
        if method not in METHODS:
            raise UnknownNameError(f"No way to explain named '{method}'. {did_you_mean(method, METHODS)}")
        if method not in possible:
            raise ConfigError(
                f"{method} looks into the layers of a Keras network and {recognizer.display_name} has none: "
                "ask for occlusion, which works with any recognizer."
            )
    return methods or possible


def _label(recognizer: Recognizer, emotion: str) -> int:
    if emotion not in recognizer.classes:
        raise UnknownNameError(
            f"{recognizer.display_name} knows no class '{emotion}'. {did_you_mean(emotion, recognizer.classes)}"
        )
    return recognizer.classes.index(emotion)
