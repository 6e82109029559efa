"""What built-in networks know of events beyond their shape: the cells of a calorimeter, or a lattice of spins."""

from dataclasses import dataclass

from zerosum.data.events import Events
from zerosum.data.geometry import Layer
from zerosum.data.lattices import Lattice, lattice_of
from zerosum.data.voxels import layers_of


@dataclass(frozen=True)
class Structure:
    """Where events are deposits or spins.

    Attributes:
        layers: The layers of cells, of deposits; none for all else.
        lattice: Of spins; None for all else.
    """

    layers: tuple[Layer, ...] = ()
    lattice: Lattice | None = None

    @property
    def cells(self) -> tuple[int, ...]:
        """The cells of each layer."""
        return tuple(layer.n_cells for layer in self.layers)


def structure_of(events: Events, *, lattices: bool = True) -> Structure:
    """The structure of events, by looking at them; of spins only if `lattices` are wanted."""
    if layers := layers_of(events):
        return Structure(layers)
    return Structure(lattice=lattice_of(events) if lattices else None)
