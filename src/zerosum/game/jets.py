r"""What the discriminator sees of a jet: its particles, and what physicists look at, as far as the conditions expect.

A jet is a cloud of particles with eta, phi and transverse momentum p. With z_i = p_i / sum p, and R_i the distance to
the jet's p-weighted centre:

- how many particles; ln of the mass and of sum p; girth, sum z R (arXiv:1106.3076);
- the tensor sum z (eta, phi)^T (eta, phi), whose eigenvalues are the squared widths along and across the jet;
- tau2 / tau1 (arXiv:1011.2268), its two axes found without a gradient; C2 = E3 / E2^2 (arXiv:1305.0007);
- how unequal the momenta are: sum z^2, -sum z ln z, and the share of the hardest 1, 2, 5 and 10.
"""

import torch
from torch import Tensor, nn

from zerosum.data.chain import Chain
from zerosum.game.given import SAMPLE, Expected

HARDEST = 30  # particles whose pairs count
SHARES = (1, 2, 5, 10)
MOVES = 2  # of the two axes
TINY = 1e-6
SUBSTRUCTURE = (
    "ln girth",
    "width eta",
    "width phi",
    "tilt",
    "ln tau21",
    "ln C2",
    "sum z^2",
    "entropy",
    *(f"share of the hardest {k}" for k in SHARES),
)


class JetSight(nn.Module):
    """From jets to observables, as asinh((x - m(c)) / s(c)).

    Args:
        entries: Which rows of an event are eta, phi and p; row 0 says which particles exist.
        chains: From standardised eta, phi and p to physical ones.
        examples: Real events, shape (N, 1 + F, M).
        c: Their standardised conditions, shape (N, K), or None.
    """

    instead = False

    def __init__(
        self,
        entries: tuple[int, int, int],
        chains: tuple[Chain, Chain, Chain],
        examples: Tensor,
        c: Tensor | None,
    ) -> None:
        super().__init__()
        self.entries, self.chains = entries, chains
        self.expected = Expected(self._observed(examples[:SAMPLE]), c)

    @property
    def seen(self) -> tuple[str, ...]:
        """The names of the observables."""
        return ("particles", "ln mass", "ln pt", *SUBSTRUCTURE)

    def forward(self, x: Tensor, c: Tensor | None) -> Tensor:
        """From (N, 1 + F, M) and (N, K) to (N, S)."""
        return self.expected(self._observed(x), c)  # type: ignore[no-any-return]

    def _observed(self, x: Tensor) -> Tensor:
        """The observables of standardised events (N, 1 + F, M), shape (N, S)."""
        exists = x[:, 0].detach()
        eta, phi, pt = (
            chain.inverse(x[:, row].double()).to(x.dtype)
            for row, chain in zip(self.entries, self.chains, strict=True)
        )
        p = pt.clamp_min(0) * exists
        eta, phi = eta * exists, phi * exists
        total = p.sum(1, keepdim=True).clamp_min(TINY)
        z = p / total
        parts = (p * eta.cosh(), p * eta.sinh(), p * phi.cos(), p * phi.sin())
        energy, along, across, up = (part.sum(1) for part in parts)
        mass2 = (energy.square() - along.square() - across.square() - up.square()).clamp_min(TINY**2)
        points = torch.stack([eta, around(phi - phi.gather(1, p.argmax(1, keepdim=True)))], 2)
        return torch.stack(
            [exists.sum(1), mass2.log() / 2, total.squeeze(1).log(), *substructure(points, z)], 1
        )


def substructure(points: Tensor, z: Tensor) -> list[Tensor]:
    """How shares z (N, M) of the whole lie at points (N, M, 2): the numbers of `SUBSTRUCTURE`, (N,) each."""
    points = points - (z.unsqueeze(2) * points).sum(1, keepdim=True)
    tau1 = (z * length(points)).sum(1)
    spread = torch.einsum("nm,nma,nmb->nab", z, points, points)
    trace = spread[:, 0, 0] + spread[:, 1, 1] + TINY
    ordered = z.sort(1, descending=True).values.cumsum(1)
    return [
        (tau1 + TINY).log(),
        (spread[:, 0, 0] + TINY).log(),
        (spread[:, 1, 1] + TINY).log(),
        spread[:, 0, 1] / trace,
        ((two_axes(points, z) + TINY) / (tau1 + TINY)).log(),
        pairs_and_triples(points, z),
        z.square().sum(1),
        -(z * (z + TINY).log()).sum(1),
        *(ordered[:, min(k, z.shape[1]) - 1] for k in SHARES),
    ]


def around(angle: Tensor) -> Tensor:
    """An angle moved into [-π, π]."""
    return angle - (2 * torch.pi) * (angle.detach() / (2 * torch.pi)).round()


def length(points: Tensor) -> Tensor:
    """The length of vectors (..., 2), with a gradient at 0 too."""
    return (points.square().sum(-1) + TINY**2).sqrt()


def two_axes(points: Tensor, z: Tensor) -> Tensor:
    """tau2 of points (N, M, 2) with shares z (N, M): from the hardest, and the largest z R from it."""
    with torch.no_grad():
        axes = [points.gather(1, z.argmax(1).view(-1, 1, 1).expand(-1, 1, 2))]
        far = (z * length(points - axes[0])).argmax(1)
        axes.append(points.gather(1, far.view(-1, 1, 1).expand(-1, 1, 2)))
        for _ in range(MOVES):
            near = length(points - axes[0]) <= length(points - axes[1])
            mine = [z * near, z * ~near]
            axes = [
                torch.einsum("nm,nma->na", part, points).unsqueeze(1)
                / part.sum(1).clamp_min(TINY).view(-1, 1, 1)
                for part in mine
            ]
    return (z * torch.minimum(length(points - axes[0]), length(points - axes[1]))).sum(1)


def pairs_and_triples(points: Tensor, z: Tensor) -> Tensor:
    """Ln C2 of the hardest particles: with A_ij = sqrt(z_i z_j) R_ij, E3 = tr(A^3) / 6 and E2 = z^T R z / 2."""
    if z.shape[1] > HARDEST:
        chosen = z.detach().topk(HARDEST, 1).indices
        points, z = points.gather(1, chosen.unsqueeze(2).expand(-1, -1, 2)), z.gather(1, chosen)
    apart = length(points.unsqueeze(1) - points.unsqueeze(2))
    root = (z + TINY**2).sqrt()
    matrix = root.unsqueeze(1) * apart * root.unsqueeze(2)
    triples = (matrix @ matrix * matrix).sum((1, 2)) / 6
    pairs = torch.einsum("nij,ni,nj->n", apart, z, z) / 2
    return ((triples + TINY**2) / (pairs.square() + TINY / 100)).log()
