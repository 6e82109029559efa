"""Variational autoencoders: a generator whose likelihood is an integral over the latent, bounded from below.

An encoder q(z | x) proposes latents, a decoder p(x | z) gives the density of the event (Kingma and Welling 2013,
arXiv:1312.6114, eq. 3):

    ln p_g(x) >= ELBO = E_q[ln p(x | z)] - beta D_KL(q(z | x) || N(0, 1)),   beta = 1,

and with K proposals the importance-weighted bound (Burda et al. 2015, arXiv:1509.00519, eq. 8)

    ELBO <= E ln (1/K) sum_k p(x | z_k) p(z_k) / q(z_k | x) <= ln p_g(x).
"""

import math
from typing import Literal, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from zerosum.game.layers import mlp
from zerosum.game.networks import GridDiscriminator, family_for, join
from zerosum.game.players import Batch, Losses
from zerosum.likelihood.gaussian import LN_2PI
from zerosum.likelihood.player import LikelihoodModel

CHUNK = 512  # events whose proposals are weighted at once
LIMIT = 5.0  # the logarithms of all standard deviations lie within +-LIMIT: no density diverges


class Decoder(Protocol):
    """What the decoder's numbers mean."""

    counts: bool
    outputs: int  # numbers for each number of the event

    def log_prob(self, x: Tensor, y: Tensor) -> Tensor:
        """The density, ln p(x | z), shape (N,), from events (N, *shape) and the network's (N, outputs x C, ...)."""

    def draw(self, y: Tensor, noise: Tensor) -> Tensor:
        """An event (N, *shape) from the decoder's output and normal numbers of the event's shape."""


class NormalDecoder:
    """Each number of the event is normal, with a mean and a standard deviation that the decoder gives."""

    counts, outputs = False, 2

    def log_prob(self, x: Tensor, y: Tensor) -> Tensor:
        """The density, ln p(x | z), shape (N,)."""
        mean, log_scale = halves(y)
        return normal_log_prob(x, mean, log_scale)

    def draw(self, y: Tensor, noise: Tensor) -> Tensor:
        """Mean + standard deviation x noise."""
        mean, log_scale = halves(y)
        return mean + log_scale.exp() * noise


class BernoulliDecoder:
    """Each number of the event is one of two values; the decoder gives the logit of the upper one.

    Args:
        low: The lower value, in standardised units.
        high: The upper value.
    """

    counts, outputs = True, 1

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def log_prob(self, x: Tensor, y: Tensor) -> Tensor:
        """The probability, ln P(x | z), shape (N,); a value in between counts as its share of the upper one."""
        share = ((x - self.low) / (self.high - self.low)).clamp(0, 1)
        return -binary_cross_entropy_with_logits(y, share, reduction="none").flatten(1).sum(1)

    def draw(self, y: Tensor, noise: Tensor) -> Tensor:
        """The upper value with the decoder's probability."""
        upper = torch.special.ndtr(noise) < torch.sigmoid(y)
        return torch.where(upper, self.high, self.low).to(y.dtype)


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


def halves(y: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and ln(standard deviation), the latter bent smoothly into +-LIMIT."""
    mean, raw = y.chunk(2, dim=1)
    return mean, LIMIT * torch.tanh(raw / LIMIT)


def normal_like(x: Tensor, random: torch.Generator) -> Tensor:
    """Normal numbers of the shape of x."""
    return torch.randn(x.shape, generator=random, device=x.device, dtype=x.dtype)


def normal_log_prob(x: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    """The density, ln N(x; mean, scale²), summed over everything but the first axis."""
    return (-0.5 * ((x - mean) / log_scale.exp()) ** 2 - log_scale - 0.5 * LN_2PI).flatten(1).sum(1)


def standard_log_prob(z: Tensor) -> Tensor:
    """The density, ln N(z; 0, 1), shape (N,)."""
    return -0.5 * (z**2 + LN_2PI).sum(1)
