"""Ring and grid: modes, weights and widths as defined by PacGAN."""

import numpy as np
import pytest

from zerosum.data.simulators import SOURCES
from zerosum.data.simulators.mixtures import GRID_SIGMA, RING_SIGMA, grid_centres, ring_centres


@pytest.mark.parametrize(
    ("name", "centres", "sigma"),
    [("ring", ring_centres(), RING_SIGMA), ("grid", grid_centres(), GRID_SIGMA)],
)
def test_modes_are_equally_filled_and_have_the_stated_width(name, centres, sigma) -> None:
    n = 20_000
    values = np.concatenate([events.values for events in SOURCES[name].stream(n, 5)])
    distance = np.linalg.norm(values[:, None] - centres, axis=2)
    modes, nearest = distance.argmin(axis=1), distance.min(axis=1)
    counts = np.bincount(modes, minlength=len(centres))
    expected = n / len(centres)
    assert ((counts - expected) ** 2 / expected).sum() < 2.5 * len(centres)
    assert (nearest**2).mean() / 2 == pytest.approx(sigma**2, rel=0.05)
    assert nearest.max() < 6 * sigma


def test_centres_are_those_of_the_definition() -> None:
    np.testing.assert_allclose(np.linalg.norm(ring_centres(), axis=1), 1.0)
    assert {tuple(centre) for centre in grid_centres()} == {
        (x, y) for x in range(-4, 5, 2) for y in range(-4, 5, 2)
    }
