r"""The generator of calorimeter showers: a total, its shares in the layers, and quanta in their cells.

A network gives, from latents and conditions c, the numbers that shape one shower; an output stage turns them into
energies, so that what physics fixes is exact:

1. The total energy T, ln T = m_T(c) + s_T(c) t, with the mean and width that the data have at c (given.py).
2. A layer l is hit or not. Those that are hit share the total: T_l = T f_l / sum f, ln f_l = m_l(c) + s_l(c) u_l. The
   numbers t and u_l have the distributions and the correlations that they have in the data (copula.py), and what the
   network adds.
3. A cell i of the layer receives n_i quanta, n_i ~ Poisson(lambda_i); a cell without any is exactly 0. More are
   expected in a layer with more energy, by as much as is seen (quanta.py). The size of a quantum is gamma distributed
   with mean 1 and variance sigma_l², as in a sampling calorimeter, so w_i ~ Gamma(n_i / sigma_l², sigma_l²). The
   layer's energy is divided as w_i / sum w.
4. Cells below the threshold of the data are emptied, and what they had goes to the others of the layer.

So the layers add up to the total and the cells to their layer (as in CaloFlow, arXiv:2106.05285), and the pattern of
empty cells has the fluctuations of counted particles. Every cell has two latents of its own, for n_i and e_i; the rest
is shared. Whole numbers and zeros have no gradient; what an empty cell would gain stands in for it, for it is filled
with the probability d lambda, so that d E[n > 0] = P(n = 0) d lambda.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.errors import InputError
from zerosum.game.copula import Copula
from zerosum.game.given import SAMPLE, Given, log_linear, terms
from zerosum.game.layers import mlp
from zerosum.game.networks import Family, TableDiscriminator, join
from zerosum.game.quanta import above, expected_rates, gamma, poisson, scatter_of_logs

LEAST, MOST = -9.0, 12.0  # ln lambda
REACH = 6.0
LOGISTIC = 1.7  # width of the normal distribution that is nearest to the logistic one
WIDEST = 2.0  # sigma of the size of quanta
TRIALS = torch.linspace(-2.0, 0.7, 10)  # ln sigma
TRIED = 2_000  # events of a trial


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
    follows: Tensor
    missed: Tensor
    log_sigma: Tensor

    def __init__(self, latent: int, conditions: int, cells: Sequence[int], width: int, depth: int) -> None:
        super().__init__()
        self.cells, layers = tuple(cells), len(cells)
        self.n_cells = sum(cells)
        self.sizes = [self.n_cells, layers, layers, layers, 1]
        self.free = latent - 2 * self.n_cells
        self.network = mlp(self.free + conditions, sum(self.sizes), width, depth)
        self.total, self.share = Given(conditions, 1), Given(conditions, layers)
        self.energies = Copula(1 + layers, layers)
        self.register_buffer("expected", torch.zeros(len(self.total.mean), self.n_cells))
        self.register_buffer("missed", torch.zeros(len(self.total.mean), layers))
        self.register_buffer("follows", torch.ones(layers))
        self.register_buffer("log_sigma", torch.zeros(layers))
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
        missed = (layers <= 0).double()
        self.missed.copy_(log_linear(missed, c, torch.ones_like(missed)))
        more = self._initialise_energies(total.clamp_min(lowest), layers, c)
        expected, follows = expected_rates(energy, more, self.belongs.cpu().double(), c)
        self.expected.copy_(expected)
        self.follows.copy_(follows)
        self._initialise_sizes(energy, c)

    def _initialise_energies(self, total: Tensor, layers: Tensor, c: Tensor | None) -> Tensor:
        """What is expected of them; returns ln of each layer's energy over the usual one, (N, layers)."""
        hit, basis = layers > 0, terms(c, layers.float())
        logs = [total.log(), (layers / total).clamp_min(1e-12).log()]
        present = [total > 0, hit]
        more, standard = [], []
        for given, values, seen in zip((self.total, self.share), logs, present, strict=True):
            given.fit(values, c, seen)
            mean, width = given.at(basis)
            more.append(torch.where(seen, values - mean, 0.0))
            standard.append((values - mean) / width)
        gate = self._usual_gate(basis).double().clamp(-5.0, 5.0)
        density = torch.exp(-0.5 * gate.square()) / math.sqrt(2 * math.pi)
        scores = density * torch.where(hit, 1 / torch.special.ndtr(gate), -1 / torch.special.ndtr(-gate))
        self.energies.fit(torch.cat(standard, 1), torch.cat(present, 1), scores)
        return more[0] + more[1]

    def _initialise_sizes(self, energy: Tensor, c: Tensor | None) -> None:
        """The fluctuation of quanta's sizes with which cells of a layer scatter as they do, found by trial."""
        belongs, n = self.belongs.cpu(), min(len(energy), TRIED)
        random = torch.Generator().manual_seed(0)
        z = torch.randn(n, self.free + 2 * self.n_cells, generator=random).to(self.threshold)
        given = None if c is None else c[:n].to(self.threshold)
        found = []
        for trial in TRIALS:
            self.log_sigma.fill_(float(trial))
            found.append(scatter_of_logs(torch.expm1(self(z, given).cpu()), belongs))
        seen = scatter_of_logs(energy[:n], belongs.double())
        grown = torch.stack(found).cummax(0).values
        for layer in range(len(self.cells)):
            best = np.interp(float(seen[layer]), grown[:, layer].numpy(), TRIALS.numpy())
            self.log_sigma[layer] = float(best) if np.isfinite(best) else 0.0

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """From (N, L) and (N, K) to (N, cells)."""
        free, strike, size = torch.split(z, [self.free, self.n_cells, self.n_cells], 1)
        numbers = self.network(join(free, c))
        with torch.autocast(z.device.type, enabled=False):  # what must add up exactly is never rounded
            return self._shower(numbers.to(z.dtype), free, strike, size, terms(c, z))

    def _shower(self, numbers: Tensor, free: Tensor, strike: Tensor, size: Tensor, basis: Tensor) -> Tensor:
        """The output stage, from the network's numbers and the latents to y."""
        rate, gate, share, smear, total = torch.split(numbers, self.sizes, 1)
        layers = len(self.cells)
        own, own_gate = torch.split(self.energies.mixed(free[:, : 1 + 2 * layers]), [1 + layers, layers], 1)
        gate = gate / LOGISTIC + self._usual_gate(basis)
        standard = self.energies(bounded(torch.cat([total, share], 1) + own))
        usual, width = (
            torch.cat(both, 1) for both in zip(self.total.at(basis), self.share.at(basis), strict=True)
        )
        more = width * standard
        layer, on = self._layers(gate, own_gate, *torch.split((usual + more).exp(), [1, layers], 1))
        rate = rate + basis @ self.expected + self._of_cells(self.follows * (more[:, :1] + more[:, 1:]))
        count, hit = self._quanta(rate, strike)
        sigma = self._of_cells((bounded(smear) + self.log_sigma).exp().clamp_max(WIDEST))
        weight = count * gamma(sigma * count.detach().rsqrt(), size)
        filled = hit.detach()
        energy = self._divided(layer, weight, filled)
        largest = self._largest(energy.detach() * filled)
        enough = 1 - above(self._of_cells(largest.minimum(self.threshold)), energy.detach())
        energy = self._divided(layer, weight, filled * enough)
        return hit * enough * self._of_cells(on) * torch.log1p(energy)

    def _usual_gate(self, basis: Tensor) -> Tensor:
        """The g at which Phi(g) is, nearly, the probability that a layer is hit at these conditions, (N, layers)."""
        missed = (basis @ self.missed).clamp(-15.0, -0.01)
        return (torch.log(-torch.expm1(missed)) - missed) / LOGISTIC

    def _layers(self, gate: Tensor, own: Tensor, whole: Tensor, fraction: Tensor) -> tuple[Tensor, Tensor]:
        """The energy of each layer, of one that is not hit as if it were, and which are hit; both (N, layers).

        A layer is hit where gate + own > 0, with the probability Phi(gate), and the first of all is hit in any case.
        """
        first = ((gate + own).detach() == (gate + own).detach().amax(1, keepdim=True)).to(gate.dtype)
        on = torch.maximum(above(gate.detach() + own, 0.0), first)
        for _ in range(2):  # a layer whose energy is below that of any cell is none
            others = torch.addcmul((on * fraction).sum(1, keepdim=True), 1 - on, fraction)
            energy = whole * fraction / others
            on = on * torch.maximum((energy.detach() >= self.threshold).to(gate.dtype), first)
        if torch.is_grad_enabled():
            on = on + (1 - on) * _hazard(gate.detach()) * (gate - gate.detach())
        return energy, on

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
        hit, at_least_one = count.clamp_max(1), count.clamp_min(1.0)
        if not torch.is_grad_enabled():
            return at_least_one, hit
        hit = hit + (1 - hit) * (rate - rate.detach())
        soft = torch.log1p(rate)
        return at_least_one * (soft - soft.detach()).exp(), hit

    def _divided(self, layer: Tensor, weight: Tensor, filled: Tensor) -> Tensor:
        """The energy of each cell; of one that is empty what it would have if it were not, beside the filled ones.

        That is for gradients only; without them it has none. Which cells are filled has no gradient here: that of a
        cell which takes all from a faint one would be without bound, and what one gains and the others lose adds up to
        nothing.
        """
        filling = filled * weight
        sums = self._of_layers(filling)
        if not torch.is_grad_enabled():
            return self._of_cells(layer / sums.clamp_min(1e-9)) * filling
        beside = torch.addcmul(self._of_cells(sums), 1 - filled, weight)
        return self._of_cells(layer) * weight / beside.clamp_min(1e-9)

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


def bounded(x: Tensor) -> Tensor:
    """x, drawn in where it is large: nothing is more than `REACH` widths from what is expected."""
    return REACH * torch.tanh(x / REACH)


def _hazard(x: Tensor) -> Tensor:
    """phi(x) / Phi(-x): how fast, with growing x, what is not yet hit is hit."""
    return torch.exp(-0.5 * x.square() - math.log(math.sqrt(2 * math.pi)) - torch.special.log_ndtr(-x))


SHOWERS = Family(
    ShowerGenerator,
    TableDiscriminator,
    width=256,
    depth=3,
    batch=256,
    gamma=(20.0, 4.0),
    learning_rate=(1e-3, 5e-5),
    own_latents=lambda cells: 2 * cells[-1],
    latent=64,
)
