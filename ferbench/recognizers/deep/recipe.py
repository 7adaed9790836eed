"""The settings of deep training, as they stand in a YAML file's `training` section. No framework is imported here."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from ferbench.types import Labels

Share = Annotated[float, Field(ge=0.0, lt=1.0)]
Positive = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """A section whose later fields are written only where they are used.

    A result is known by the hash of its configuration: a field that came after it was measured must not change that
    hash while it does nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    later: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _without_unused(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        unused = {name for name in self.later if getattr(self, name) == fields[name].default}
        return {name: value for name, value in handler(self).items() if name not in unused}


class Augmentation(Settings):
    """Random changes of each training image, drawn anew every time it is seen.

    Geometry is one resampling, bilinear, whatever it combines; pixels from beyond the border repeat the nearest one.
    """

    later = frozenset({"erasing"})

    rotation: float = Field(9.0, ge=0.0, le=180.0, description="Largest turn either way, degrees.")
    translation: Share = Field(0.06, description="Largest shift along each axis, as a share of the side.")
    zoom: Share = Field(0.08, description="Largest enlargement or reduction.")
    flip: bool = Field(True, description="Mirror half of the images left to right.")
    brightness: Share = Field(0.1, description="Largest brightening or darkening, as a share of the gray range.")
    erasing: float = Field(
        0.0, ge=0.0, le=1.0, description="Share of images in which a rectangle becomes noise (Zhong et al. 2020)."
    )


class Training(Settings):
    """How a network is trained: one recipe, shared by all of them."""

    later = frozenset({"mixup", "cutmix", "ema_decay", "precision"})

    epochs: Positive = 30
    batch_size: Positive = 64
    optimizer: Literal["adam", "adamw", "sgd"] = "adamw"
    learning_rate: float = Field(1.2e-3, gt=0.0)
    momentum: Share = Field(0.9, description="Of SGD, in Nesterov's form.")
    weight_decay: float = Field(1e-4, ge=0.0, description="Decoupled (Loshchilov and Hutter 2019); adamw and sgd.")
    schedule: Literal["constant", "step", "plateau", "cosine"] = "cosine"
    warmup_epochs: float = Field(
        1.0, ge=0.0, description="The learning rate grows linearly from 0 over so many epochs."
    )
    step_epochs: Positive = Field(10, description="Epochs between two steps of the step schedule.")
    plateau_epochs: Positive = Field(4, description="Epochs without improvement before the plateau schedule steps.")
    decay: float = Field(0.3, gt=0.0, lt=1.0, description="What a step or a plateau multiplies the learning rate by.")
    loss: Literal["cross_entropy", "focal"] = "cross_entropy"
    focal_gamma: float = Field(2.0, ge=0.0, description="Lin et al. 2017.")
    label_smoothing: Share = 0.1
    class_weight: Literal["none", "sqrt", "balanced"] = Field(
        "none", description="'balanced' weighs by inverse frequency, 'sqrt' by its square root (Mahajan et al. 2018)."
    )
    sampling: Literal["none", "over", "under"] = Field(
        "none", description="Every epoch: draw all classes up to the largest (over) or down to the smallest (under)."
    )
    monitor: Literal["accuracy", "log_loss"] = Field("accuracy", description="What on validation chooses the epoch.")
    patience: Positive | None = Field(None, description="Stop after so many epochs without improvement; null: never.")
    augmentation: Augmentation | None = Augmentation()
    mixup: float = Field(
        0.0, ge=0.0, description="Blend pairs of images by a share from Beta(a, a) (Zhang et al. 2018); 0: do not."
    )
    cutmix: float = Field(
        0.0,
        ge=0.0,
        description="Paste a rectangle of another image, its share of the area from Beta(a, a) (Yun et al. 2019); "
        "0: do not. Where mixup is on too, each batch draws which of them it gets.",
    )
    ema_decay: Share = Field(
        0.0,
        description="What a step keeps of the moving average of the weights that is then judged and saved in their "
        "place (Polyak and Juditsky 1992); 0: no average.",
    )
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = Field(
        "float32", description="Of activations while training; weights, predictions and files stay float32."
    )


def learning_rate_at(epoch: float, settings: Training) -> float:
    """The learning rate at a moment of training, before any plateau has lowered it.

    Args:
        epoch: Epochs done so far, fractions included: 0.5 is the middle of the first.
        settings: The recipe.
    """
    rate = settings.learning_rate
    if settings.schedule == "cosine":
        rate *= 0.5 * (1.0 + math.cos(math.pi * min(epoch / settings.epochs, 1.0)))
    elif settings.schedule == "step":
        rate *= settings.decay ** (epoch // settings.step_epochs)
    if epoch < settings.warmup_epochs:
        rate *= epoch / settings.warmup_epochs
    return rate


def sample_weights(labels: Labels, n_classes: int, settings: Training) -> NDArray[np.float32]:
    """One weight an image, mean 1, shape (n,)."""
    if settings.class_weight == "none":
        return np.ones(len(labels), np.float32)
    counts = np.bincount(labels, minlength=n_classes)
    rarity = 1.0 / np.maximum(counts, 1)[labels]
    weights = np.sqrt(rarity) if settings.class_weight == "sqrt" else rarity
    return np.asarray(weights / weights.mean(), dtype=np.float32)


def epoch_order(labels: Labels, settings: Training, rng: np.random.Generator) -> NDArray[np.int64]:
    """Which images one epoch shows, in which order, as row numbers."""
    if settings.sampling == "none":
        return rng.permutation(len(labels))
    rows_by_class = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    sizes = [len(rows) for rows in rows_by_class]
    if settings.sampling == "under":
        drawn = [rng.choice(rows, min(sizes), replace=False) for rows in rows_by_class]
    else:
        drawn = [_repeat_to(rows, max(sizes), rng) for rows in rows_by_class]
    return rng.permutation(np.concatenate(drawn))


def _repeat_to(rows: NDArray[np.int64], size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    whole, rest = divmod(size, len(rows))
    return np.concatenate([np.tile(rows, whole), rng.choice(rows, rest, replace=False)])
