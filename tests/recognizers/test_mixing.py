import numpy as np
import pytest

from ferbench.recognizers.deep.mixing import Batch, cutmix, mix, mixup
from ferbench.recognizers.deep.recipe import Training

N = 12


@pytest.fixture
def batch() -> Batch:
    """Each image is its own gray, each target its own class, each weight its own number."""
    images = np.broadcast_to(np.arange(N, dtype=np.uint8)[:, None, None, None] * 20, (N, 10, 16, 1))
    return Batch(images, np.eye(N, dtype=np.float32), np.arange(N, dtype=np.float32))


def test_mixup_blends_images_targets_and_weights_by_one_share(batch) -> None:
    mixed = mixup(batch, 0.4, np.random.default_rng(1))
    grays = np.arange(N) * 20.0
    assert mixed.images[:, 0, 0, 0] == pytest.approx(mixed.targets @ grays, abs=1e-3)
    assert mixed.weights == pytest.approx(mixed.targets @ np.arange(N), abs=1e-4)
    assert mixed.targets.sum(axis=1) == pytest.approx(1.0)
    assert len(np.unique(mixed.targets[mixed.targets > 0].round(4))) in (2, 3)


def test_cutmix_blends_targets_by_the_area_it_pasted(batch) -> None:
    for seed in range(8):
        mixed = cutmix(batch, 1.0, np.random.default_rng(seed))
        own = batch.images.astype(np.float32)
        kept = (mixed.images == own).mean(axis=(1, 2, 3))
        moved = mixed.targets.argmax(axis=1) != np.arange(N)
        shares = np.diag(mixed.targets)
        partner_is_other = shares < 1
        assert kept[partner_is_other] == pytest.approx(shares[partner_is_other], abs=1e-6)
        assert mixed.targets.sum(axis=1) == pytest.approx(1.0)
        assert moved.sum() <= N


def test_cutmix_pastes_one_rectangle_from_one_image(batch) -> None:
    mixed = cutmix(batch, 1.0, np.random.default_rng(3)).images[..., 0]
    for index, image in enumerate(mixed):
        rows, columns = np.nonzero(image != index * 20)
        if len(rows):
            pasted = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            assert len(np.unique(pasted)) == 1


def test_the_batch_given_is_left_alone(batch) -> None:
    before = [values.copy() for values in batch]
    for mixing in (mixup, cutmix):
        mixing(batch, 1.0, np.random.default_rng(0))
    assert all(np.array_equal(old, new) for old, new in zip(before, batch, strict=True))


def test_nothing_is_mixed_or_drawn_by_default(batch) -> None:
    rng = np.random.default_rng(0)
    assert mix(batch, Training(), rng) is batch
    assert rng.random() == np.random.default_rng(0).random()


def test_both_take_turns_by_chance(batch) -> None:
    rng = np.random.default_rng(0)
    batches = [mix(batch, Training(mixup=0.2, cutmix=1.0), rng) for _ in range(60)]
    n_even = sum(bool(np.ptp(mixed.images, axis=(1, 2)).max() == 0) for mixed in batches)
    assert 15 < n_even < 45


@pytest.mark.parametrize("mixing", [mixup, cutmix])
def test_same_seed_mixes_the_same(batch, mixing) -> None:
    first, again = (mixing(batch, 0.5, np.random.default_rng(7)) for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
