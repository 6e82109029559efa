"""What the discriminator sees of a shower: every cell, and what physicists look at, as far as the conditions expect.

Energies, centres and widths of layers as in CaloChallenge (arXiv:2410.21611, section 4), and how many cells are filled.
Of an image it also sees how the energies of its brightest pixels lie, as of the particles of a jet (jets.py), and their
spread about the centre, which is nearly a jet's mass. Each number is shown as asinh((x - m(c)) / s(c)), with the mean
and width that the data have at these conditions, so that a few per cent matter as much at 1 TeV as at 1 GeV.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zerosum.data.geometry import Layer, Pixels
from zerosum.data.voxels import middles
from zerosum.game.given import SAMPLE, Expected
from zerosum.game.jets import TINY, substructure
from zerosum.game.showers import belonging

BRIGHTEST = 20  # pixels of an image whose pattern is seen
LEAST = 0.3  # smallest width of y of a cell


class VoxelSight(nn.Module):
    """From y = ln(1 + E), shape (N, cells), to what the discriminator sees; E in the unit of the game.

    Args:
        layers: The layers of cells.
        examples: Real events, shape (N, cells), or as images.
        c: Their standardised conditions, shape (N, K), or None.
    """

    instead = True
    member: Tensor
    places: Tensor
    points: Tensor | None
    usual: Tensor

    def __init__(self, layers: Sequence[Layer], examples: Tensor, c: Tensor | None) -> None:
        super().__init__()
        examples, cells = examples.flatten(1), [layer.n_cells for layer in layers]
        self.register_buffer("member", belonging(cells).T)
        self.cells = cells
        self.sectors = [i for i, layer in enumerate(layers) if layer.face.shape[0] > 1]
        eta, phi, distance = (torch.from_numpy(place).float() for place in middles(layers)[1:])
        places = [place[:, None] * self.member for place in (eta, phi, distance)]
        self.register_buffer("places", torch.cat([self.member, *places, *(p**2 for p in places)], 1))
        filled = (examples[:SAMPLE] > 0).to(examples.dtype) @ self.member
        usual = (examples[:SAMPLE] @ self.member).sum(0) / filled.sum(0).clamp_min(1)
        self.register_buffer("usual", usual.clamp_min(1e-3))  # y of a filled cell
        image = len(layers) == 1 and isinstance(layers[0].face, Pixels)
        points = torch.stack([eta, phi], 1)
        self.register_buffer("points", points / points.abs().max() if image else None)
        shown = self._shown(examples[:SAMPLE])
        self.expected = Expected(shown, c)
        self.expected.floor[: sum(cells)].clamp_(min=LEAST)
        self.count = shown.shape[1]

    @property
    def seen(self) -> tuple[str, ...]:
        """A name for each number."""
        return tuple(f"shown {i}" for i in range(self.count))

    def forward(self, y: Tensor, c: Tensor | None) -> Tensor:
        """From (N, cells), or images, and (N, K) to (N, numbers)."""
        y = y.flatten(1)
        return self.expected(self._shown(y), c)  # type: ignore[no-any-return]

    def _shown(self, y: Tensor) -> Tensor:
        energy = torch.where(y > 0, torch.expm1(y), 0.0)  # no gradient into empty cells
        layer, *moments = torch.split(energy @ self.places, len(self.cells), 1)
        safe = layer + 1.0
        centres = [moment / safe for moment in moments[:3]]
        widths = [
            torch.sqrt((moment / safe - centre.square()).clamp_min(0) + 1.0)
            for moment, centre in zip(moments[3:], centres, strict=True)
        ]
        y_of_layer = y @ self.member
        count = (y > 0).to(y.dtype) @ self.member
        mean_y = torch.where(count > 0, y_of_layer / count.clamp_min(1), self.usual).detach()
        count = count + _only_gradient(torch.where(y > 0, 0.0, y) @ self.member / mean_y)
        across = [
            part[:, self.sectors] for pair in zip(centres[:2], widths[:2], strict=True) for part in pair
        ]
        parts = [
            y,
            torch.log1p(layer.sum(1, keepdim=True)),
            torch.log1p(layer),
            torch.log1p(count),
            self._largest(y),
            centres[2],
            widths[2],
            *across,
        ]
        if self.points is not None:
            parts += [torch.hypot(*widths[:2]).log(), pattern(self.points, energy)]
        return torch.cat(parts, 1)

    def _largest(self, y: Tensor) -> Tensor:
        return torch.cat([part.amax(1, keepdim=True) for part in torch.split(y, self.cells, 1)], 1)


def pattern(points: Tensor, energy: Tensor) -> Tensor:
    """How the brightest of pixels at points (P, 2) lie, from energies (N, P): the numbers of `SUBSTRUCTURE`, (N, S)."""
    brightest, where = energy.topk(min(BRIGHTEST, energy.shape[1]), 1)
    shares = brightest / brightest.sum(1, keepdim=True).clamp_min(TINY)
    return torch.stack(substructure(points[where], shares), 1)


def _only_gradient(x: Tensor) -> Tensor:
    """0, with the gradient of x."""
    return x - x.detach()
