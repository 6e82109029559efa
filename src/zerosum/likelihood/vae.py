"""Variational autoencoders: a generator whose likelihood is an integral over the latent, bounded from below.

An encoder q(z | x) proposes latents, a decoder p(x | z) gives the density of the event (Kingma and Welling 2013,
arXiv:1312.6114, eq. 3):

    ln p_g(x) >= ELBO = E_q[ln p(x | z)] - beta D_KL(q(z | x) || N(0, 1)),   beta = 1,

and with K proposals the importance-weighted bound (Burda et al. 2015, arXiv:1509.00519, eq. 8)

    ELBO <= E ln (1/K) sum_k p(x | z_k) p(z_k) / q(z_k | x) <= ln p_g(x).

A decoder with a standard deviation of its own can explain the data as noise around one mean; the KL term then drives
all information out of the latent, and nothing leads back (posterior collapse). So the networks of tables begin as the
linear maps to and from principal components, with little noise: the autoencoder of the Gaussian fit, whose likelihood
then grows as the networks bend. Measured with default settings in docs/explanation/likelihood.md.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from zerosum.game.layers import SLOPE, mlp
from zerosum.game.networks import GridDiscriminator, TableGenerator, family_for, join
from zerosum.game.players import Batch, Losses
from zerosum.likelihood.decoders import Decoder, halves, normal_log_prob
from zerosum.likelihood.gaussian import LN_2PI
from zerosum.likelihood.player import LikelihoodModel

CHUNK = 512  # events whose proposals are weighted at once
START = -2.5  # ln(standard deviation) of encoder and decoder of a table, in standardised units, at the start
STEEP = (
    4.0  # of a table's encoder's first layer, as a multiple of the usual weights: narrow modes are seen early
)
FAINT = 0.1  # what the rest of a network adds to its linear part at the start, relative to usual weights
LEAST = 1e-4  # the smallest variance of a principal component that is scaled to 1


class GridEncoder(nn.Module):
    """The convolutional part of the discriminator, then an MLP that also sees the conditions."""

    def __init__(self, shape: tuple[int, ...], conditions: int, outputs: int, width: int, depth: int) -> None:
        super().__init__()
        self.layers = GridDiscriminator(shape, conditions, width, depth).layers
        found = self.layers(torch.zeros(1, *shape)).shape[1]
        self.last = mlp(found + conditions, outputs, 2 * width, max(depth - 2, 1))

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """From (N, C, *sides) and (N, K) to (N, outputs)."""
        result: Tensor = self.last(join(self.layers(x), c))
        return result


class TableEncoder(nn.Module):
    """An MLP from (row, conditions)."""

    def __init__(self, shape: tuple[int, ...], conditions: int, outputs: int, width: int, depth: int) -> None:
        super().__init__()
        self.layers = mlp(math.prod(shape) + conditions, outputs, width, depth)
        with torch.no_grad():
            for parameter in self.layers[0].parameters():
                parameter.mul_(STEEP)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """From (N, F) and (N, K) to (N, outputs)."""
        result: Tensor = self.layers(join(x, c))
        return result


class VAE(LikelihoodModel):
    """A variational autoencoder.

    Args:
        encoder: From events (N, *shape) and conditions to mean and ln(standard deviation) of q(z | x), (N, 2 L).
        network: The decoder's network, from latents (N, L) and conditions to (N, outputs x C, ...).
        decoder: What the network's numbers mean.
        shape: The shape of one event.
        code: L, the dimensions of the latent without the decoder's noise.
        divergence: The KL term in closed form, or by the proposals themselves.
        proposals: K of the importance-weighted bound that `log_prob` gives.
    """

    bound = True

    def __init__(
        self,
        encoder: nn.Module,
        network: nn.Module,
        decoder: Decoder,
        *,
        shape: tuple[int, ...],
        code: int,
        divergence: Literal["analytic", "monte carlo"] = "analytic",
        proposals: int = 64,
    ) -> None:
        super().__init__()
        self.encoder, self.network, self.decoder = encoder, network, decoder
        self.shape, self.code, self.divergence, self.proposals = shape, code, divergence, proposals
        self.counts = decoder.counts

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """From (N, L + numbers of an event) and (N, K) to events (N, *shape); the rest is the decoder's noise."""
        code, noise = z[:, : self.code], z[:, self.code :].view(-1, *self.shape)
        return self.decoder.draw(self.network(code, c), noise)

    def initialise(self, x: Tensor, c: Tensor | None, weights: Tensor | None, seed: int) -> None:
        """Begin the networks of a table as the linear maps to and from its principal components."""
        del c, seed
        if not isinstance(self.encoder, TableEncoder) or not isinstance(self.network, TableGenerator):
            return
        share = None if weights is None else weights.cpu().double()
        variances, axes = torch.linalg.eigh(
            torch.cov(x.cpu().double().T, aweights=share).view(x.shape[1], -1)
        )
        kept = min(self.code, len(axes))
        scales, axes = variances.flip(0)[:kept].clamp(LEAST).sqrt(), axes.flip(1)[:, :kept]
        begin_linear(self.encoder.layers, (axes / scales).T)
        begin_linear(self.network.layers, axes * scales)

    def elbo(
        self, x: Tensor, c: Tensor | None, random: torch.Generator, beta: float = 1.0
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The bound, its reconstruction term E_q[ln p(x | z)] and its KL term, each (N,), from one proposal."""
        mean, log_scale = halves(self.encoder(x, c))
        z = mean + log_scale.exp() * normal_like(mean, random)
        reconstruction = self.decoder.log_prob(x, self.network(z, c))
        if self.divergence == "analytic":
            kl = 0.5 * (mean**2 + (2 * log_scale).exp() - 1 - 2 * log_scale).sum(1)
        else:
            kl = normal_log_prob(z, mean, log_scale) - standard_log_prob(z)
        return reconstruction - beta * kl, reconstruction, kl

    def losses(self, batch: Batch) -> Losses:
        """-ELBO in nats per event; beta is the batch's gamma."""
        elbo, reconstruction, kl = self.elbo(batch.seen, batch.conditions, batch.random, batch.gamma)
        return {"loss": -elbo.mean(), "reconstruction": reconstruction.mean(), "kl": kl.mean()}

    def importance_bound(
        self, x: Tensor, c: Tensor | None, random: torch.Generator, proposals: int
    ) -> Tensor:
        """The bound ln (1/K) sum_k p(x, z_k) / q(z_k | x), shape (N,): its mean rises with K towards ln p_g(x)."""
        mean, log_scale = (part.repeat_interleave(proposals, 0) for part in halves(self.encoder(x, c)))
        events = x.repeat_interleave(proposals, 0)
        given = None if c is None else c.repeat_interleave(proposals, 0)
        z = mean + log_scale.exp() * normal_like(mean, random)
        joint = self.decoder.log_prob(events, self.network(z, given)) + standard_log_prob(z)
        terms = (joint - normal_log_prob(z, mean, log_scale)).view(len(x), proposals)
        return torch.logsumexp(terms, dim=1) - math.log(proposals)

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """The importance-weighted bound, shape (N,), from proposals of a fixed seed."""
        random = torch.Generator(x.device).manual_seed(0)
        events = torch.split(x, CHUNK)
        given = [None] * len(events) if c is None else torch.split(c, CHUNK)
        pairs = zip(events, given, strict=True)
        return torch.cat([self.importance_bound(a, b, random, self.proposals) for a, b in pairs])

    def quick_log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """The ELBO, shape (N,), from proposals of a fixed seed."""
        return self.elbo(x, c, torch.Generator(x.device).manual_seed(0))[0]


def build_vae(
    kind: str,
    shape: tuple[int, ...],
    conditions: int,
    *,
    code: int,
    width: int,
    depth: int,
    decoder: Decoder,
) -> VAE:
    """A VAE with the generator's network as decoder: convolutional for grids."""
    encoder = {"table": TableEncoder, "grid": GridEncoder}[kind](shape, conditions, 2 * code, width, depth)
    outputs = (decoder.outputs * shape[0], *shape[1:])
    network = family_for(kind, shape).generator(code, conditions, outputs, width, depth)
    return VAE(encoder, network, decoder, shape=shape, code=code)


@torch.no_grad()
def begin_linear(layers: nn.Sequential, matrix: Tensor) -> None:
    """Let an MLP begin as the linear map to the mean and a constant ln(standard deviation), plus a faint rest.

    Of each hidden layer, two units carry a number of the output and its negative, whose leaky ReLUs differ by
    (1 + SLOPE) times the number. A network that is too narrow stays as it is.

    Args:
        layers: Linear layers with leaky ReLUs in between, to means and ln(standard deviations).
        matrix: The map, from the first of the inputs to the first of the means, or fewer.
    """
    first, *hidden, last = (layer for layer in layers if isinstance(layer, nn.Linear))
    n, means = len(matrix), last.out_features // 2
    if 2 * n > first.out_features or means * 2 != last.out_features:
        return
    difference = torch.cat([torch.eye(n), -torch.eye(n)], 1) / (1 + SLOPE)
    both = torch.cat([difference, -difference])
    last.weight.mul_(FAINT)
    for layer, rows in ((first, torch.cat([matrix, -matrix])), *((one, both) for one in hidden)):
        layer.weight[: 2 * n], layer.bias[: 2 * n] = 0.0, 0.0
        layer.weight[: 2 * n, : rows.shape[1]] = rows.to(layer.weight)
    last.weight[:n, : 2 * n] = difference.to(last.weight)
    last.bias[:means], last.bias[means:] = 0.0, START


def normal_like(x: Tensor, random: torch.Generator) -> Tensor:
    """Normal numbers of the shape of x."""
    return torch.randn(x.shape, generator=random, device=x.device, dtype=x.dtype)


def standard_log_prob(z: Tensor) -> Tensor:
    """The density, ln N(z; 0, 1), shape (N,)."""
    return -0.5 * (z**2 + LN_2PI).sum(1)
