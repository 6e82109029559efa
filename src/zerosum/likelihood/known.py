"""Fit a flow to a density that is known: there, unlike with data, every direction of the divergence can be trained.

With x = G(z) drawn from the flow q, and the density p known,

    D_KL(q || p) = E_q[ln q - ln p]                          (reverse: punishes events where p has none),
    D_KL(p || q) = E_p[ln p - ln q]                          (forward: punishes missing modes),
    D_JS(p, q)   = E_p[ln(p/m)]/2 + E_q[ln(q/m)]/2,          m = (p + q)/2.

The gradient passes through the generated events in all terms of E_q. The first needs no sample of p, and p only up to
a factor. How far q is from p say the weights w = p/q of its events: their effective sample size, (sum w)^2 / sum w^2,
is the number of events where q = p, and less elsewhere. It
sees only modes that an event of q reaches.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Distribution

from zerosum.errors import InputError, RunError
from zerosum.likelihood.flow import Flow

Divergence = Callable[[Flow, Distribution, Tensor], Tensor]


def reverse_kl(flow: Flow, target: Distribution, z: Tensor) -> Tensor:
    """D_KL(q || p), from events of the flow at latents z (N, F)."""
    x = flow(z)
    return (flow.log_prob(x) - target.log_prob(x)).mean()


def forward_kl(flow: Flow, target: Distribution, z: Tensor) -> Tensor:
    """D_KL(p || q), from as many events of the target."""
    x = target.sample((len(z),))
    return (target.log_prob(x) - flow.log_prob(x)).mean()


def jensen_shannon(flow: Flow, target: Distribution, z: Tensor) -> Tensor:
    """D_JS(p, q), from events of both; between 0 and ln 2 up to the noise of the batch."""
    halves = []
    for x, sign in ((target.sample((len(z),)), 1), (flow(z), -1)):
        log_ratio = sign * (target.log_prob(x) - flow.log_prob(x))
        halves.append(math.log(2) - torch.nn.functional.softplus(-log_ratio).mean())
    return (halves[0] + halves[1]) / 2


DIVERGENCES: dict[str, Divergence] = {
    "reverse_kl": reverse_kl,
    "forward_kl": forward_kl,
    "jensen_shannon": jensen_shannon,
}


@dataclass(frozen=True)
class KnownFit:
    """A flow that was fitted to a known density.

    Attributes:
        flow: The flow.
        losses: The divergence at each step, in nats, from one batch each.
        effective: The effective sample size as a fraction of the events, in (0, 1].
    """

    flow: Flow
    losses: tuple[float, ...]
    effective: float


def fit_known(
    target: Distribution,
    divergence: str = "reverse_kl",
    *,
    steps: int = 1000,
    batch: int = 256,
    width: int = 64,
    transforms: int = 4,
    learning_rate: float = 2e-3,
    seed: int = 0,
) -> KnownFit:
    """Fit a flow to a distribution of torch.distributions.

    Args:
        target: A distribution over rows of F numbers, mostly within +-5, where the flow's splines act; forward and
            Jensen-Shannon also draw from it.
        divergence: reverse_kl, forward_kl or jensen_shannon.
        steps: Updates.
        batch: Events in each update.
        width: Units of a hidden layer of the flow.
        transforms: How many transforms the flow has.
        learning_rate: Adam's at the start; it falls to zero as a half cosine.
        seed: The seed of everything random; torch's global state stays as it was.

    Raises:
        InputError: Where the divergence is not known, or the target is not over rows of numbers.
        RunError: Where the divergence is not finite.
    """
    if divergence not in DIVERGENCES:
        raise InputError(f"there is no divergence {divergence}; choose one of {', '.join(DIVERGENCES)}.")
    if len(target.event_shape) != 1 or target.batch_shape:
        raise InputError(
            f"the target has events of shape {tuple(target.event_shape)} and batch shape {tuple(target.batch_shape)}; "
            "give one distribution over rows of numbers."
        )
    features = target.event_shape[0]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        flow = Flow(features, 0, width, transforms)
        optimizer = torch.optim.Adam(flow.parameters(), lr=learning_rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        losses = []
        for step in range(steps):
            loss = DIVERGENCES[divergence](flow, target, torch.randn(batch, features))
            if not bool(loss.isfinite()):
                raise RunError(f"{divergence} is {float(loss.detach())} at step {step}; lower learning_rate.")
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        flow.requires_grad_(False)
        x = flow(torch.randn(10_000, features))
        return KnownFit(
            flow, tuple(losses), effective_sample_size(target.log_prob(x) - flow.log_prob(x)) / len(x)
        )


def effective_sample_size(log_weights: Tensor) -> float:
    """(sum w)^2 / sum w^2 of the weights w, given by their logarithms (N,): between 1 and N."""
    w = (log_weights - log_weights.max()).double().exp()
    return float(w.sum() ** 2 / (w**2).sum())
