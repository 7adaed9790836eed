from pathlib import Path

import keras
import numpy as np
import pytest

from ferbench.errors import ConfigError, DataError
from ferbench.recognizers.deep.augmentation import RandomChanges
from ferbench.recognizers.deep.cnn3 import Cnn3
from ferbench.recognizers.deep.cnn9 import Cnn9
from ferbench.recognizers.deep.recipe import Augmentation, Training


def small(**training) -> Cnn3:
    settings = {"epochs": 4, "batch_size": 14, "warmup_epochs": 0, **training}
    return Cnn3(widths=(2, 2, 4), dense=8, training=Training(**settings))


def fit(recognizer, data, **keywords):
    return recognizer.fit(
        data.train.images,
        data.train.labels,
        validation=(data.validation.images, data.validation.labels),
        **keywords,
    )


class Killed(BaseException):
    """Stands for a kill: nothing in the library catches it."""


def kill_at(epoch: int):
    def hook(done: int, values) -> None:
        if done == epoch:
            raise Killed

    return hook


EVERYTHING = {"mixup": 0.2, "cutmix": 1.0, "ema_decay": 0.9, "augmentation": {"erasing": 0.3}}


@pytest.mark.parametrize(("killed_after", "settings"), [(1, {}), (3, {}), (3, EVERYTHING)], ids=str)
def test_resumed_training_equals_an_uninterrupted_one(tiny, tmp_path: Path, killed_after, settings) -> None:
    whole = fit(small(**settings), tiny)
    with pytest.raises(Killed):
        fit(small(**settings), tiny, checkpoints=tmp_path, on_epoch=kill_at(killed_after))
    epochs = []
    resumed = fit(small(**settings), tiny, checkpoints=tmp_path, on_epoch=lambda epoch, values: epochs.append(epoch))
    assert epochs == [1, 2, 3, 4]
    for before, after in zip(whole.curve_, resumed.curve_, strict=True):
        assert before["loss"] == pytest.approx(after["loss"], abs=1e-4)
        assert before["validation_log_loss"] == pytest.approx(after["validation_log_loss"], abs=1e-4)
    difference = np.abs(whole.predict_proba(tiny.test.images) - resumed.predict_proba(tiny.test.images))
    assert difference.max() < 1e-3


def test_kill_within_an_epoch_loses_that_epoch_only(tiny, tmp_path: Path) -> None:
    steps = []

    def kill_in_third_epoch(stage: str, done: int, total: int) -> None:
        steps.append(stage)
        if stage.startswith("epoch 3"):
            raise Killed

    with pytest.raises(Killed):
        fit(small(), tiny, checkpoints=tmp_path, on_progress=kill_in_third_epoch)
    again = []
    fit(small(), tiny, checkpoints=tmp_path, on_progress=lambda stage, done, total: again.append(stage))
    assert {stage.split(" of")[0] for stage in again} == {"epoch 3", "epoch 4"}


def test_damaged_checkpoint_is_refused(tiny, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        fit(small(), tiny, checkpoints=tmp_path, on_epoch=kill_at(1))
    file = tmp_path / "training.npz"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(DataError, match="without --resume"):
        fit(small(), tiny, checkpoints=tmp_path)


def test_checkpoint_in_a_form_that_nobody_writes_is_refused(tiny, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        fit(small(), tiny, checkpoints=tmp_path, on_epoch=kill_at(1))
    file = tmp_path / "training.npz"
    content = bytearray(file.read_bytes())
    content[content.index(b"PK\x01\x02") + 10] = 99  # how the first array is packed
    file.write_bytes(content)
    with pytest.raises(DataError, match="without --resume"):
        fit(small(), tiny, checkpoints=tmp_path)


def test_checkpoint_of_another_network_is_refused(tiny, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        fit(small(), tiny, checkpoints=tmp_path, on_epoch=kill_at(1))
    other = Cnn3(widths=(3, 3, 3), dense=8, training=small().training)
    with pytest.raises(DataError, match="another training"):
        fit(other, tiny, checkpoints=tmp_path)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_loss_that_is_no_number_ends_training_and_leaves_the_epoch_before(tiny, tmp_path: Path, optimizer) -> None:
    with pytest.raises(Killed):
        fit(small(optimizer=optimizer), tiny, checkpoints=tmp_path, on_epoch=kill_at(1))
    kept = (tmp_path / "training.npz").read_bytes()
    wild = small(optimizer=optimizer, learning_rate=1e30)
    with pytest.raises(ConfigError, match="nan in epoch 2: lower the learning rate"):
        fit(wild, tiny, checkpoints=tmp_path)
    assert (tmp_path / "training.npz").read_bytes() == kept


def test_weights_of_the_best_epoch_are_kept(tiny) -> None:
    recognizer = fit(small(epochs=6, learning_rate=0.02), tiny)
    accuracies = [values["validation_accuracy"] for values in recognizer.curve_]
    predicted = recognizer.predict(tiny.validation.images).label_ids
    assert (predicted == tiny.validation.labels).mean() == pytest.approx(max(accuracies))
    assert recognizer.best_epoch_ == accuracies.index(max(accuracies)) + 1
    assert recognizer.choices() == {"epoch": recognizer.best_epoch_}


def test_averaged_weights_are_what_is_judged_and_kept(tiny) -> None:
    settings = {"epochs": 6, "batch_size": 6, "learning_rate": 0.02}
    plain, averaged = (fit(small(**settings, ema_decay=decay), tiny) for decay in (0.0, 0.9))
    for before, after in zip(plain.curve_, averaged.curve_, strict=True):
        assert before["loss"] == pytest.approx(after["loss"], abs=1e-4)
        assert before["validation_log_loss"] != after["validation_log_loss"]
    right = averaged.predict(tiny.validation.images).label_ids == tiny.validation.labels
    assert right.mean() == pytest.approx(max(values["validation_accuracy"] for values in averaged.curve_))


def test_mixed_precision_leaves_a_network_of_full_precision(tiny, tmp_path: Path) -> None:
    before = keras.config.dtype_policy()
    recognizer = fit(small(epochs=1, precision="mixed_bfloat16"), tiny)
    assert keras.config.dtype_policy() == before
    assert {layer.compute_dtype for layer in recognizer.network_.layers} == {"float32"}
    recognizer.save(tmp_path / "model")
    loaded = Cnn3.load(tmp_path / "model")
    images = tiny.validation.images
    assert np.array_equal(loaded.predict_proba(images), recognizer.predict_proba(images))


def test_patience_stops_early(tiny) -> None:
    recognizer = fit(small(epochs=50, patience=2, learning_rate=1e-6), tiny)
    assert len(recognizer.curve_) == recognizer.best_epoch_ + 2 < 50


def test_plateau_lowers_the_rate(tiny, tmp_path: Path) -> None:
    settings = {"epochs": 4, "schedule": "plateau", "plateau_epochs": 1, "learning_rate": 1e-6, "decay": 0.5}
    recognizer = fit(small(**settings), tiny, checkpoints=tmp_path)
    assert len(recognizer.curve_) == 4
    with np.load(tmp_path / "training.npz", allow_pickle=False) as stored:
        assert '"rate_factor": 1.0' not in str(stored["progress"])


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "sgd"},
        {"optimizer": "adam"},
        {"loss": "focal"},
        {"class_weight": "balanced"},
        {"sampling": "over"},
        {"sampling": "under"},
        {"schedule": "step"},
        {"augmentation": None},
        {"monitor": "log_loss"},
        {"augmentation": {"flip": False, "brightness": 0.0}},
        {"augmentation": {"erasing": 0.5}, "mixup": 0.2},
        {"cutmix": 1.0},
        {"mixup": 0.2, "cutmix": 1.0, "class_weight": "sqrt"},
        {"precision": "mixed_bfloat16"},
        {"precision": "mixed_float16"},
    ],
    ids=str,
)
def test_every_setting_trains(tiny, settings) -> None:
    recognizer = fit(small(epochs=1, **settings), tiny)
    assert np.isfinite(recognizer.curve_[0]["loss"])


def test_it_learns_what_it_is_shown(tiny) -> None:
    recognizer = Cnn3(
        widths=(8, 8, 8), dense=32, training=Training(epochs=150, batch_size=14, learning_rate=5e-3, augmentation=None)
    )
    recognizer.fit(tiny.train.images, tiny.train.labels)
    assert (recognizer.predict(tiny.train.images).label_ids == tiny.train.labels).mean() > 0.9


def test_soft_targets_are_what_is_learnt(tiny) -> None:
    targets = np.tile(np.array([0.7, 0.3, 0, 0, 0, 0, 0], np.float32), (len(tiny.train), 1))
    training = Training(epochs=40, batch_size=14, learning_rate=1e-2, label_smoothing=0.0, augmentation=None)
    recognizer = Cnn3(widths=(2, 2, 2), dense=8, training=training)
    recognizer.fit(tiny.train.images, tiny.train.labels, targets=targets)
    assert recognizer.predict_proba(tiny.test.images).mean(axis=0)[:2] == pytest.approx([0.7, 0.3], abs=0.1)


def test_cnn9_has_nine_convolutions_and_three_poolings() -> None:
    kinds = [type(layer).__name__ for layer in Cnn9().build(48, 48).layers]
    assert (kinds.count("Conv2D"), kinds.count("MaxPooling2D"), kinds.count("Dropout")) == (9, 3, 2)


def test_changes_are_the_identity_outside_training() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1)).astype(np.float32)
    layer = RandomChanges(Augmentation(), seed=0)
    assert np.array_equal(np.asarray(layer(images, training=False)), images)


def test_changes_without_any_are_the_identity_in_training() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1)).astype(np.float32)
    nothing = Augmentation(rotation=0, translation=0, zoom=0, flip=False, brightness=0)
    changed = np.asarray(RandomChanges(nothing, seed=0)(images, training=True))
    assert np.abs(changed - images).max() < 1e-2


def test_flip_alone_mirrors_some_and_only_mirrors() -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 48, 48, 1)).astype(np.float32)
    flips = Augmentation(rotation=0, translation=0, zoom=0, flip=True, brightness=0)
    changed = np.asarray(RandomChanges(flips, seed=0)(images, training=True))
    same = np.abs(changed - images).max(axis=(1, 2, 3)) < 0.05
    mirrored = np.abs(changed - images[:, :, ::-1]).max(axis=(1, 2, 3)) < 0.05
    assert (same | mirrored).all() and 5 < mirrored.sum() < 35


def test_turns_and_shifts_stay_within_their_limits() -> None:
    dot = np.zeros((200, 49, 49, 1), np.float32)
    dot[:, 24, 24] = 255
    shifts = Augmentation(rotation=30, translation=0.1, zoom=0, flip=False, brightness=0)
    changed = np.asarray(RandomChanges(shifts, seed=1)(dot, training=True))[..., 0]
    rows = (changed.sum(axis=2) * np.arange(49)).sum(axis=1) / changed.sum(axis=(1, 2))
    assert 3.0 < np.abs(rows - 24).max() < 7.5


def test_erasing_puts_noise_into_one_rectangle_of_some(tiny) -> None:
    images = np.full((60, 48, 48, 1), 100.0, np.float32)
    erasing = Augmentation(rotation=0, translation=0, zoom=0, flip=False, brightness=0, erasing=0.5)
    changed = np.asarray(RandomChanges(erasing, seed=0)(images, training=True))[..., 0]
    shares = []
    for image in changed:
        rows, columns = np.nonzero(np.abs(image - 100) > 0.5)
        if len(rows):
            box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
            assert len(rows) / box > 0.9
            shares.append(box / image.size)
    assert 15 < len(shares) < 45 and min(shares) > 0.005 and max(shares) < 0.5
    assert changed.min() >= 0 and changed.max() <= 255


def test_same_seed_draws_the_same_changes() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1)).astype(np.float32)
    first, again, other = (
        np.asarray(RandomChanges(Augmentation(), seed=seed)(images, training=True)) for seed in (4, 4, 5)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_no_tensorflow_graph_is_needed_to_build() -> None:
    assert isinstance(Cnn9(widths=(2, 2, 2)).build(48, 48), keras.Model)
