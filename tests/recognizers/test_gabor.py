from __future__ import annotations

import numpy as np
import pytest
from skimage.filters import gabor

from ferbench.errors import ConfigError
from ferbench.recognizers.classical.gabor import gabor_energy, gabor_grid


def noise(n: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, height, width)).astype(np.uint8)


@pytest.mark.parametrize("size", [(24, 24), (48, 31)])
def test_energy_is_the_magnitude_of_scikit_images_pair(size: tuple[int, int]) -> None:
    images = noise(2, *size)
    energy = gabor_energy(images, wavelengths=(3.0, 8.0), orientations=4)
    assert energy.dtype == np.float32 and energy.shape == (2, 2, 4, *size)
    for scale, wavelength in enumerate((3.0, 8.0)):
        for turn in range(4):
            real, imaginary = gabor(
                images[1].astype(float), 1 / wavelength, theta=turn * np.pi / 4, bandwidth=1, n_stds=3, mode="reflect"
            )
            np.testing.assert_allclose(energy[1, scale, turn], np.hypot(real, imaginary), atol=1e-3)


def test_it_finds_the_wave_that_is_there() -> None:
    rows, columns = np.mgrid[:48, :48]
    for turn in range(6):
        angle = turn * np.pi / 6
        wave = 128 + 100 * np.sin(2 * np.pi / 6 * (columns * np.cos(angle) + rows * np.sin(angle)))
        energy = gabor_energy(wave[None].astype(np.uint8), wavelengths=(4.0, 6.0, 9.0), orientations=6)
        means = energy[0, :, :, 12:36, 12:36].mean(axis=(2, 3))
        assert np.unravel_index(means.argmax(), means.shape) == (1, turn)


def test_the_phase_does_not_matter() -> None:
    columns = np.arange(48)
    waves = np.stack([128 + 100 * np.sin(2 * np.pi / 6 * columns + phase) for phase in (0.0, 1.0, 2.0)])
    images = np.repeat(waves[:, None], 48, axis=1).round().astype(np.uint8)
    energy = gabor_energy(images, wavelengths=(6.0,), orientations=1)[:, 0, 0, 16:32, 16:32]
    assert energy.std() < 0.02 * energy.mean()


@pytest.mark.parametrize("grid", [1, 3, 5])
def test_cells_hold_the_mean_energy(grid: int) -> None:
    images = noise(2, 24, 26)
    energy = gabor_energy(images, wavelengths=(4.0,), orientations=2)
    cells = gabor_grid(images, wavelengths=(4.0,), orientations=2, stride=1, grid=grid)
    rows, columns = np.arange(24) * grid // 24, np.arange(26) * grid // 26
    for row in range(grid):
        for column in range(grid):
            expected = energy[..., rows == row, :][..., columns == column].mean(axis=(3, 4))
            np.testing.assert_allclose(cells[..., row, column], expected, rtol=1e-4)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_the_mirror_image_has_mirrored_energy(stride: int) -> None:
    images = noise(2, 24, 24)
    there = gabor_energy(images, wavelengths=(4.0,), orientations=6, stride=stride)
    back = gabor_energy(images[:, :, ::-1], wavelengths=(4.0,), orientations=6, stride=stride)
    np.testing.assert_allclose(back[:, :, -np.arange(6) % 6, :, ::-1], there, atol=1e-3)


def test_every_second_place_is_close_to_the_mean_of_its_neighbors() -> None:
    rows, columns = np.mgrid[:48, :48]
    images = (128 + 100 * np.sin((rows + columns) / 4))[None].astype(np.uint8)
    fine = gabor_energy(images, wavelengths=(8.0,), orientations=3)
    coarse = gabor_energy(images, wavelengths=(8.0,), orientations=3, stride=2)
    np.testing.assert_allclose(coarse, fine.reshape(1, 1, 3, 24, 2, 24, 2).mean(axis=(4, 6)), rtol=0.05, atol=0.5)


@pytest.mark.parametrize("wrong", [{"wavelengths": (1.5,)}, {"wavelengths": ()}, {"orientations": 0}, {"stride": 25}])
def test_settings_out_of_range_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError, match="gabor needs wavelengths >= 2"):
        gabor_energy(noise(1, 24, 24), **wrong)


def test_a_grid_finer_than_the_places_is_refused() -> None:
    with pytest.raises(ConfigError, match="1 to 12 cells"):
        gabor_grid(noise(1, 24, 24), grid=13)
