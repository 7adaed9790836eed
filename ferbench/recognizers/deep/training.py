"""The one training loop that every network shares. Pure Keras 3: it runs on TensorFlow, torch and JAX alike.

The order of images and how they are mixed depend on seed and epoch alone, so a resumed training sees what an
uninterrupted one would have seen.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from ferbench.errors import ConfigError
from ferbench.recognizers.deep.augmentation import RandomChanges
from ferbench.recognizers.deep.averaging import WeightAverage
from ferbench.recognizers.deep.checkpoint import Progress, keep, restore
from ferbench.recognizers.deep.mixing import Batch, mix
from ferbench.recognizers.deep.recipe import Training, epoch_order, learning_rate_at, sample_weights
from ferbench.types import EpochHook, Images, Labels, Probabilities, ProgressHook

CHUNK = 256
"""Images a forward pass: bounds memory, and keeps the number of compiled shapes small."""


def train(
    network: keras.Model,
    images: Images,
    labels: Labels,
    targets: Probabilities,
    settings: Training,
    *,
    validation: tuple[Images, Labels] | None,
    seed: int,
    on_epoch: EpochHook,
    on_progress: ProgressHook,
    checkpoints: Path | None,
) -> Progress:
    """Fit `network` in place and leave it with the weights of its best epoch on validation.

    Where the recipe averages weights, the average is what validation judges and what is left.

    Args:
        network: uint8-valued (n, height, width, 1) to probabilities (n, n_classes).
        images: uint8, (n, height, width).
        labels: Hard labels, (n,): they decide sampling and class weights.
        targets: What is learnt, (n, n_classes): one-hot or soft.
        settings: The recipe.
        validation: Chooses the epoch; without it the last one stays.
        seed: Fixes order and augmentation. Weights and dropout follow Keras' own global seed.
        on_epoch: Receives the curve, also that of the epochs before a resume.
        on_progress: Receives (text, batches done, batches in all).
        checkpoints: Where the state of an interrupted training lies or is to be kept.

    Returns:
        The curve and the epoch chosen.

    Raises:
        ConfigError: the loss is no finite number any more; the checkpoint stays that of the epoch before.
    """
    trainer = _trainer(network, settings, seed)
    average = WeightAverage(network, settings.ema_decay)
    whole = Batch(images[..., None], targets, sample_weights(labels, targets.shape[1], settings))
    progress, best = Progress(), network.get_weights()
    file = checkpoints / "training.npz" if checkpoints else None
    if file and file.exists():
        progress, best = restore(file, trainer, average)
        for epoch, values in enumerate(progress.curve, start=1):
            on_epoch(epoch, values)
    while progress.epoch < settings.epochs and not _is_stopped(progress, settings):
        values = _pass(trainer, whole, labels, settings, progress, average, seed=seed, on_progress=on_progress)
        progress.epoch += 1
        with average.shown():
            if validation is not None:
                values |= _validate(network, *validation)
                _check_finite(values["validation_log_loss"], progress.epoch)
            progress.curve.append(values)
            if _note_score(progress, values, settings):
                best = network.get_weights()
        if file:
            keep(file, trainer, average, best, progress)
        on_epoch(progress.epoch, values)
    network.set_weights(best)
    return progress


def _pass(
    trainer: keras.Model,
    faces: Batch,
    labels: Labels,
    settings: Training,
    progress: Progress,
    average: WeightAverage,
    *,
    seed: int,
    on_progress: ProgressHook,
) -> dict[str, float]:
    """Learn from all faces once: mean loss and accuracy over batches, and the seconds it took."""
    rng = np.random.default_rng((seed, progress.epoch))
    batches = _batches(epoch_order(labels, settings, rng), settings.batch_size)
    start = time.perf_counter()
    sums = dict.fromkeys(("loss", "accuracy"), 0.0)
    for step, rows in enumerate(batches):
        moment = progress.epoch + step / len(batches)
        trainer.optimizer.learning_rate.assign(learning_rate_at(moment, settings) * progress.rate_factor)
        batch = mix(Batch(*(values[rows] for values in faces)), settings, rng)
        logs = trainer.train_on_batch(batch.images, batch.targets, sample_weight=batch.weights, return_dict=True)
        _check_finite(float(logs["loss"]), progress.epoch + 1)
        sums = {key: total + float(logs[key]) for key, total in sums.items()}
        done = progress.epoch * len(batches) + step + 1
        average.follow(done)
        on_progress(f"epoch {progress.epoch + 1} of {settings.epochs}", done, settings.epochs * len(batches))
    means = {key: total / len(batches) for key, total in sums.items()}
    return means | {"seconds": time.perf_counter() - start}


def forward(network: keras.Model, images: Images) -> Probabilities:
    """Probabilities, float32 (n, n_classes), by `predict_on_batch`, a chunk at a time: `predict` costs far more."""
    chunks = [
        np.asarray(network.predict_on_batch(images[start : start + CHUNK, ..., None]), dtype=np.float32)
        for start in range(0, len(images), CHUNK)
    ]
    return chunks[0] if len(chunks) == 1 else np.concatenate(chunks)


def _trainer(network: keras.Model, settings: Training, seed: int) -> keras.Model:
    trainer = network
    if settings.augmentation is not None:
        inputs = keras.Input(network.input_shape[1:])
        trainer = keras.Model(inputs, network(RandomChanges(settings.augmentation, seed=seed)(inputs)))
    trainer.compile(optimizer=_optimizer(settings), loss=_loss(settings), metrics=["accuracy"])
    trainer.optimizer.build(trainer.trainable_variables)
    return trainer


def _optimizer(settings: Training) -> keras.optimizers.Optimizer:
    rate = settings.learning_rate
    if settings.optimizer == "sgd":
        return keras.optimizers.SGD(rate, settings.momentum, nesterov=True, weight_decay=settings.weight_decay or None)
    if settings.optimizer == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay)
    return keras.optimizers.Adam(rate)


def _loss(settings: Training) -> keras.losses.Loss:
    if settings.loss == "focal":
        return keras.losses.CategoricalFocalCrossentropy(
            alpha=1.0, gamma=settings.focal_gamma, label_smoothing=settings.label_smoothing
        )
    return keras.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing)


def _batches(order: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    """Batches of one size: a shorter last one would compile a second program; its rows come up in other epochs."""
    if len(order) <= size:
        return [order]
    return [order[start : start + size] for start in range(0, len(order) - size + 1, size)]


def _validate(network: keras.Model, images: Images, labels: Labels) -> dict[str, float]:
    probabilities = forward(network, images)
    chosen = np.clip(probabilities[np.arange(len(labels)), labels], 1e-7, 1.0)
    return {
        "validation_accuracy": float((probabilities.argmax(axis=1) == labels).mean()),
        "validation_log_loss": float(-np.log(chosen).mean()),
    }


def _check_finite(loss: float, epoch: int) -> None:
    if not math.isfinite(loss):
        raise ConfigError(f"The loss must be a finite number, and is {loss} in epoch {epoch}: lower the learning rate.")


def _note_score(progress: Progress, values: dict[str, float], settings: Training) -> bool:
    """Record whether this epoch is the best so far; lower the learning rate where the schedule asks for it."""
    if "validation_accuracy" not in values:
        score = float(progress.epoch)
    elif settings.monitor == "accuracy":
        score = values["validation_accuracy"]
    else:
        score = -values["validation_log_loss"]
    if score > progress.best_score:
        progress.best_score, progress.best_epoch, progress.plateau_since = score, progress.epoch, progress.epoch
        return True
    if settings.schedule == "plateau" and progress.epoch - progress.plateau_since >= settings.plateau_epochs:
        progress.rate_factor *= settings.decay
        progress.plateau_since = progress.epoch
    return False


def _is_stopped(progress: Progress, settings: Training) -> bool:
    return settings.patience is not None and progress.epoch - progress.best_epoch >= settings.patience
