"""Which events are lattices of spins, and whether their edges meet."""

import numpy as np
import pytest

from zerosum.data.events import Events
from zerosum.data.lattices import Lattice, lattice_of
from zerosum.data.simulators import simulate_ising


@pytest.mark.parametrize("coupling", [0.2, 0.4407, 0.6])
def test_a_torus_is_told_from_a_piece_of_one(coupling: float) -> None:
    """A corner of a larger torus is a lattice whose edges are far apart."""
    torus = simulate_ising(1000, side=16, coupling=coupling, seed=1)
    corner = Events.grid(torus.values[:, :, :8, :8])
    strip = Events.grid(torus.values[:, :, :8])
    assert lattice_of(torus) == Lattice((-1.0, 1.0), periodic=True)
    assert lattice_of(corner) == Lattice((-1.0, 1.0), periodic=False)
    assert lattice_of(strip) == Lattice((-1.0, 1.0), periodic=False)


def test_only_images_of_one_channel_and_two_values_are_lattices() -> None:
    rng = np.random.default_rng(0)
    spins = rng.integers(2, size=(200, 1, 8, 8)).astype(np.float32)
    rare = spins.copy()
    rare[-1, 0, 0, 0] = 0.5
    two = Events.grid(np.repeat(spins, 2, axis=1), ["a", "b"])
    others = (Events.grid(values) for values in (rare, np.zeros_like(spins), spins[:, :, None]))
    for events in (two, *others):
        assert lattice_of(events) is None
    assert lattice_of(Events.table(spins[:, 0, 0])) is None
    found = lattice_of(Events.grid(3 * spins + 2))
    assert found is not None
    assert found.levels == (2.0, 5.0)
