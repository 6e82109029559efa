r"""The generator of calorimeter showers: a total, its shares in the layers, and quanta in their cells.

A network gives, from latents and conditions c, the numbers that shape one shower; an output stage turns them into
energies, so that what physics fixes is exact:

1. The total energy T, ln T = m_T(c) + s_T(c) t, with the mean and width that the data have at c (given.py).
2. A layer l is hit or not. Those that are hit share the total: T_l = T f_l / sum f, ln f_l = m_l(c) + s_l(c) u_l.
3. A cell i of the layer receives n_i quanta, n_i ~ Poisson(lambda_i); a cell without any is exactly 0. The quanta of a
   cell fluctuate in size: w_i = n_i exp(sigma_l e_i / sqrt(n_i)). The layer's energy is divided as w_i / sum w.
4. Cells below the threshold of the data are emptied, and what they had goes to the others of the layer.

So the layers add up to the total and the cells to their layer (as in CaloFlow, arXiv:2106.05285), and the pattern of
empty cells has the fluctuations of counted particles. Every cell has two latents of its own, for n_i and e_i; the rest
is shared. Whole numbers and zeros have no gradient; that of the expectation stands in for it (straight-through):
d E[n > 0] = exp(-lambda) d lambda.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.errors import InputError
from zerosum.game.given import SAMPLE, Given, log_linear, terms
from zerosum.game.layers import mlp
from zerosum.game.networks import Family, TableDiscriminator, join

FEW = 1.5  # quanta up to which counts are exact
LEAST, MOST = -9.0, 12.0  # ln lambda
REACH = 6.0
ROUNDS = 6


class ShowerGenerator(nn.Module):
    """From latents (N, L) and conditions (N, K) to y = ln(1 + E) of each cell, (N, cells); E in the unit of the game.

    Args:
        latent: Dimensions of the prior, two for each cell and more.
        conditions: How many numbers are given.
        cells: Cells of each layer.
        width: Units of a hidden layer.
        depth: Hidden layers.
    """

    threshold: Tensor
    belongs: Tensor
    expected: Tensor
    missed: Tensor

    def __init__(self, latent: int, conditions: int, cells: Sequence[int], width: int, depth: int) -> None:
        super().__init__()
        self.cells, layers = tuple(cells), len(cells)
        self.n_cells = sum(cells)
        self.sizes = [self.n_cells, layers, layers, layers, 1]
        self.free = latent - 2 * self.n_cells
        self.network = mlp(self.free + conditions, sum(self.sizes), width, depth)
        self.total, self.share = Given(conditions, 1), Given(conditions, layers)
        self.register_buffer("expected", torch.zeros(len(self.total.mean), self.n_cells))
        self.register_buffer("missed", torch.zeros(len(self.total.mean), layers))
        self.register_buffer("threshold", torch.tensor(0.0))
        self.register_buffer("belongs", belonging(self.cells), persistent=False)

    @torch.no_grad()
    def initialise(self, y: Tensor, c: Tensor | None) -> None:
        """Take the threshold, and what is expected of totals, layers and cells, from events y (N, cells)."""
        filled = y[y > 0]
        if len(filled) == 0:
            raise InputError("all cells of all showers are empty; there is nothing to train on.")
        self.threshold.fill_(float(filled.min().double().expm1()) * (1 + 1e-6))
        y, c = y[:SAMPLE].cpu(), None if c is None else c[:SAMPLE].cpu()
        energy = torch.expm1(y.double())
        layers = energy @ self.belongs.T.cpu().double()
        total = layers.sum(1, keepdim=True)
        lowest = float(self.threshold)
        self.total.fit(total.clamp_min(lowest).log(), c)
        self.share.fit((layers / total.clamp_min(lowest)).clamp_min(1e-12).log(), c, layers > 0)
        self.expected.copy_(self._expected(energy, layers, c))
        missed = (layers <= 0).double()
        self.missed.copy_(log_linear(missed, c, torch.ones_like(missed)))

    def _expected(self, energy: Tensor, layers: Tensor, c: Tensor | None) -> Tensor:
        """Ln lambda_i(c) = ln p_i + ln n_l: the mean share p_i of a cell, and as many quanta n_l as fill the cells.

        At n quanta, sum_i (1 - exp(-n p_i)) cells are filled on average; n is raised or lowered until it is the number
        that is seen. It starts where shares scatter as they do, sum (p_i' - p_i)² = (1 - sum p_i²) / n.
        """
        member = self.belongs.T.cpu().double()
        basis = terms(None if c is None else c.double(), layers)
        hit, seen = layers > 0, (energy > 0).double() @ member
        shares = energy / self._of_cells(layers).clamp_min(1e-30)
        mean = log_linear(shares, c, self._of_cells(hit.double())).double()
        expected = (basis @ mean).exp()
        scatter = ((shares - expected) ** 2 @ member) / (1 - expected**2 @ member).clamp_min(1e-3)
        quanta = -log_linear(scatter, c, hit).double()
        for _ in range(ROUNDS):
            filled = -torch.expm1(-self._of_cells((basis @ quanta).exp()) * expected) @ member
            quanta = quanta + 1.5 * log_linear(seen / filled, c, hit)
        return mean + self._of_cells(quanta)

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """From (N, L) and (N, K) to (N, cells)."""
        free, strike, size = torch.split(z, [self.free, self.n_cells, self.n_cells], 1)
        numbers = self.network(join(free, c))
        with torch.autocast(z.device.type, enabled=False):  # what must add up exactly is never rounded
            return self._shower(numbers.to(z.dtype), free, strike, size, terms(c, z))

    def _shower(self, numbers: Tensor, free: Tensor, strike: Tensor, size: Tensor, basis: Tensor) -> Tensor:
        """The output stage, from the network's numbers and the latents to y."""
        rate, gate, share, smear, total = torch.split(numbers, self.sizes, 1)
        rate = rate + basis @ self.expected
        own = torch.split(free[:, : 1 + 2 * len(self.cells)], [1, len(self.cells), len(self.cells)], 1)
        missed = (basis @ self.missed).clamp(-15.0, -0.01)
        gate = gate + 1.7 * own[2] - missed + torch.log(-torch.expm1(missed))
        total, share = total + own[0], share + own[1]
        layer, on = self._layers(gate, share, total, basis)
        count, hit = self._quanta(rate, strike)
        spread = self._of_cells((bounded(smear) - 1.5).exp().clamp_max(1.0))
        weight = count * (spread * size * count.detach().rsqrt()).exp()
        energy = self._divided(layer, weight, hit)
        largest = self._largest(energy.detach() * hit.detach())
        hit = hit * (1 - above(self._of_cells(largest.minimum(self.threshold)), energy.detach()))
        energy = self._divided(layer, weight, hit)
        return hit * self._of_cells(on) * torch.log1p(energy)

    def _layers(self, gate: Tensor, share: Tensor, total: Tensor, basis: Tensor) -> tuple[Tensor, Tensor]:
        """The energy of each layer, of one that is not hit as if it were, and which are hit; both (N, layers)."""
        mean, width = self.total.at(basis)
        whole = (mean + width * bounded(total)).exp()
        mean, width = self.share.at(basis)
        fraction = (mean + width * bounded(share)).exp()
        first = gate.amax(1, keepdim=True)
        on = straight((gate >= first.clamp_max(0)).to(gate.dtype), gate.sigmoid)
        hard = on.detach()  # its stand-in's slope is without bound where only a faint layer is hit
        energy = whole * fraction / (hard * fraction).sum(1, keepdim=True)
        enough = torch.maximum((energy >= self.threshold).to(gate.dtype), (gate >= first).to(gate.dtype))
        return whole * fraction / (hard * enough * fraction).sum(1, keepdim=True), on * enough

    def _quanta(self, log_rate: Tensor, strike: Tensor) -> tuple[Tensor, Tensor]:
        """At least 1 quantum for each cell, and which cells have any: (N, cells) each.

        In a layer where none has any, the first one strikes cell i with the probability lambda_i / sum lambda.
        """
        rate = log_rate.clamp(LEAST, MOST).exp()
        with torch.no_grad():
            quantile = 0.5 + 0.5 * torch.erf(strike * math.sqrt(0.5))
            count = poisson(rate, strike, quantile)
            race = quantile.clamp_min(1e-6).log() / rate  # minus a waiting time
            winner = 1 - above(self._of_cells(self._largest(race)), race)
            empty = 1 - self._of_layers(count).clamp_max(1)
            count = torch.maximum(count, self._of_cells(empty) * winner)
        hit = straight(count.clamp_max(1), lambda: -torch.expm1(-rate))
        at_least_one = count.clamp_min(1.0)
        if not torch.is_grad_enabled():
            return at_least_one, hit
        soft = torch.log1p(rate)
        return at_least_one * (soft - soft.detach()).exp(), hit

    def _divided(self, layer: Tensor, weight: Tensor, hit: Tensor) -> Tensor:
        """The energy of each cell, of one that is empty as if it were not."""
        return self._of_cells(layer / self._of_layers(hit * weight).clamp_min(1e-9)) * weight

    def _of_cells(self, of_layers: Tensor) -> Tensor:
        """A layer's number at each of its cells, (N, layers) to (N, cells)."""
        return of_layers @ self.belongs.to(of_layers.dtype)

    def _of_layers(self, of_cells: Tensor) -> Tensor:
        """The sum over each layer's cells, (N, cells) to (N, layers)."""
        return functional.linear(of_cells, self.belongs)

    def _largest(self, of_cells: Tensor) -> Tensor:
        """The largest of each layer's cells, (N, cells) to (N, layers)."""
        return torch.cat(
            [part.amax(1, keepdim=True) for part in torch.split(of_cells, list(self.cells), 1)], 1
        )


def belonging(cells: Sequence[int]) -> Tensor:
    """Which layer each cell is in, shape (layers, cells) of 0 and 1."""
    layer = torch.repeat_interleave(torch.arange(len(cells)), torch.tensor(cells))
    return functional.one_hot(layer, len(cells)).T.float().contiguous()


def poisson(rate: Tensor, normal: Tensor, quantile: Tensor) -> Tensor:
    """Poisson counts at the quantiles Phi(normal): exact up to a rate of `FEW`, then Cornish and Fisher's expansion."""
    term = torch.exp(-rate)
    reached, few = term, above(quantile, term)
    for k in range(1, 4):
        term = term * rate * (1 / k)
        reached = reached + term
        few = few + above(quantile, reached)
    many = torch.addcmul(rate, rate.sqrt(), normal) + normal.square() * (1 / 6) + (1 / 2 - 1 / 6)
    return few + above(rate, FEW) * (many.floor().clamp_min(0) - few)


def above(x: Tensor, y: Tensor | float) -> Tensor:
    """1 where x > y, else 0, as numbers: on a CPU in less time than a comparison and its conversion."""
    return (x - y).sign().clamp_min(0)


def bounded(x: Tensor) -> Tensor:
    """x, drawn in where it is large: nothing is more than `REACH` widths from what is expected."""
    return REACH * torch.tanh(x / REACH)


def straight(hard: Tensor, soft: Callable[[], Tensor]) -> Tensor:
    """The value of `hard` with the gradient of `soft`, which is only computed where gradients are."""
    if not torch.is_grad_enabled():
        return hard
    stand_in = soft()
    return hard + stand_in - stand_in.detach()


SHOWERS = Family(
    ShowerGenerator,
    TableDiscriminator,
    width=256,
    depth=3,
    batch=256,
    gamma=(5.0, 1.0),
    learning_rate=(1e-3, 5e-5),
    own_latents=2,
    latent=64,
)
