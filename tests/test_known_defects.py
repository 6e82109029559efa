"""Defects that have been found in published implementations of generative models, and are not here.

One test for each, named after what went wrong there; the closed forms themselves are tested beside the modules.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zerosum.data.events import Events
from zerosum.data.simulators import source
from zerosum.data.simulators.mixtures import RING_SIGMA, ring_centres
from zerosum.game.networks import FAMILIES
from zerosum.game.objectives import OBJECTIVES, value
from zerosum.game.penalties import PENALTIES, Scored, squared, with_gradient
from zerosum.likelihood.decoders import NormalDecoder, normal_log_prob
from zerosum.likelihood.vae import build_vae
from zerosum.theory.binned import js_of_counts
from zerosum.theory.densities import Gaussian
from zerosum.theory.fdivergences import REVERSE_KL
from zerosum.training.config import Config
from zerosum.training.engine import Engine
from zerosum.training.setup import Setup, prepare

PENALISED = [name for name, penalty in PENALTIES.items() if penalty]


class Quadratic(nn.Module):
    """c(x) = sum a x^2 / 2: its gradient a x differs from event to event, and it remembers where it was asked."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(0)
        self.a = nn.Parameter(torch.randn(shape, generator=random, dtype=torch.float64))
        self.asked: list[Tensor] = []

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        self.asked.append(x.detach())
        return (self.a * x**2).flatten(1).sum(1) / 2


def penalised(name: str, critic: nn.Module, events: Tensor) -> Tensor:
    penalty = PENALTIES[name]
    assert penalty is not None
    _, gradient = with_gradient(critic, events, None)
    return penalty(Scored(critic, events, None, gradient, torch.Generator().manual_seed(0)))


def numbers(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("shape", [(3,), (2, 4, 5)])
def test_1_the_norm_of_a_gradient_is_taken_for_each_event_over_all_its_axes(shape: tuple[int, ...]) -> None:
    """There, one norm for the whole batch, so that the penalty grew with the batch; or over the channels alone."""
    events = numbers(8, *shape)
    by_hand = torch.stack([sum((g**2 for g in event.flatten()), torch.zeros(())) for event in events])
    torch.testing.assert_close(squared(events), by_hand.float())
    for name in ("r1r2", "r1", "r2"):
        once, twice = (
            penalised(
                name,
                Quadratic(shape),
                torch.cat([events[:4].repeat(k, *[1] * len(shape)), events[4:].repeat(k, *[1] * len(shape))]),
            )
            for k in (1, 2)
        )
        torch.testing.assert_close(once, twice)


@pytest.mark.parametrize("name", ["gradient", "gradient_zero"])
def test_1_every_pair_has_its_own_point_of_interpolation(name: str) -> None:
    """There, one random number for the whole batch."""
    critic, real, fake = Quadratic((3,)), torch.ones(64, 3).double(), torch.zeros(64, 3).double()
    penalised(name, critic, torch.cat([real, fake]))
    u = critic.asked[-1]
    assert len(u[:, 0].unique()) == 64
    assert (u == u[:, :1]).all()  # one number for an event, not one for each of its features
    assert float(u.min()) >= 0
    assert float(u.max()) <= 1


@pytest.mark.parametrize("name", PENALISED)
def test_2_no_term_of_a_loss_is_cut_from_its_parameters(name: str) -> None:
    """There, a term was copied into a new tensor, and trained nothing. Here, autograd agrees with differences."""
    critic, events, step = Quadratic((3,)), numbers(12, 3), 1e-3
    (slope,) = torch.autograd.grad(penalised(name, critic, events), critic.a)
    for i in range(3):
        ends = []
        for sign in (1, -1):
            moved = Quadratic((3,))
            with torch.no_grad():
                moved.a[i] += sign * step
            ends.append(penalised(name, moved, events).detach().double())
        difference = float(ends[0] - ends[1]) / (2 * step)
        assert float(slope[i]) == pytest.approx(difference, rel=1e-2, abs=1e-2)
    assert (slope.abs() > 1e-3).all()


def test_2_a_checkpoint_that_was_written_can_be_read(tmp_path: Path) -> None:
    """There, loading asked for a key that saving never wrote."""
    setup = ready()
    tensors, facts = setup.training.tensors(), setup.training.facts()
    setup.training.restore(tensors, facts)
    assert setup.training.facts() == facts


@pytest.mark.parametrize("kind", FAMILIES)
def test_3_no_layer_normalises_by_the_batch(kind: str) -> None:
    """There, 0.8 was given as the epsilon of batch normalisation, where the momentum was meant."""
    shape = {"table": (3,), "cloud": (4, 6)}.get(kind, (1, 8, 8))
    latent = FAMILIES[kind].latents(shape, 4)
    for network in (
        FAMILIES[kind].generator(latent, 0, shape, width=8, depth=3),
        FAMILIES[kind].discriminator(shape, 0, width=8, depth=3),
    ):
        for layer in network.modules():
            assert not isinstance(layer, nn.modules.batchnorm._BatchNorm)
            assert getattr(layer, "eps", 0) < 1e-2


def test_4_zero_sum_is_minimax_and_not_the_non_saturating_loss() -> None:
    """There, the loss called minimax was -ln D(G(z)). Where D is sure, the one pulls and the other hardly does."""
    real, sure = torch.zeros(5), torch.full((5,), -9.0, requires_grad=True)
    pull = {
        name: float(torch.autograd.grad(OBJECTIVES[name].generator(real, sure).mean(), sure)[0].sum())
        for name in ("zero_sum", "non_saturating")
    }
    d = 1 / (1 + math.exp(9.0))
    assert pull["zero_sum"] == pytest.approx(-d / 2, rel=1e-5)
    assert pull["non_saturating"] == pytest.approx(-(1 - d), rel=1e-5)


def test_5_gamma_has_the_factor_one_half_of_the_paper() -> None:
    """There, gamma |grad|^2 in the code and gamma/2 |grad|^2 in the paper."""
    real, fake = numbers(4, 3), numbers(4, 3, seed=2)
    critic = Quadratic((3,))
    r1 = float(((critic.a.detach() * real) ** 2).sum(1).mean()) / 2
    r2 = float(((critic.a.detach() * fake) ** 2).sum(1).mean()) / 2
    for name, expected in {"r1": r1, "r2": r2, "r1r2": r1 + r2}.items():
        assert float(penalised(name, critic, torch.cat([real, fake])).detach()) == pytest.approx(
            expected, rel=1e-6
        )


def ready(**choices: object) -> Setup:
    data = Events.table(np.random.default_rng(0).normal(size=(200, 3)))
    config = Config.of({"batch": 16, "width": 8, "judgements": 0} | choices).resolved(data)
    train, validation, _ = data.split((0.8, 0.1, 0.1), 0)
    return prepare(config, train, validation, Engine(device="cpu"))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_6_no_loss_grows_with_the_batch(name: str) -> None:
    """There, one branch was divided by the sum of the weights and the other was not."""
    setup = ready(objective=name)
    batch = setup.training.sampler.draw(0.1)
    double = replace(batch, seen=batch.seen.repeat(2, 1), latent=batch.latent.repeat(2, 1))
    for player in setup.training.game:
        for part, once in player.loss(batch).items():
            torch.testing.assert_close(player.loss(double)[part], once, rtol=1e-4, atol=1e-5)


def test_7_the_activation_of_reverse_kl_is_defined_for_every_logit() -> None:
    """There, -ln v, which is not a number for half of all logits."""
    v = torch.linspace(-50, 50, 1001, dtype=torch.float64, requires_grad=True)
    t = REVERSE_KL.activation(v)
    (slope,) = torch.autograd.grad(t.sum(), v)
    assert t.isfinite().all()
    assert (t < 0).all()  # the domain of the conjugate
    assert slope.isfinite().all()
    assert (slope > 0).all()
    torch.testing.assert_close(REVERSE_KL.conjugate(t), REVERSE_KL.conjugate_of_activation(v))


def test_8_the_elbo_is_one_and_its_kl_term_has_the_right_sign() -> None:
    """There, a mean over pixels beside a sum over latents, a KL term scaled by batch / N, and logged negative."""
    torch.manual_seed(0)
    vae = build_vae("table", (3,), 0, code=2, width=8, depth=2, decoder=NormalDecoder())
    x = torch.randn(500, 3)
    elbo, reconstruction, kl = vae.elbo(x, None, torch.Generator().manual_seed(0))
    assert (kl >= 0).all()
    torch.testing.assert_close(elbo, reconstruction - kl)
    both = normal_log_prob(torch.zeros(1, 6), torch.zeros(1, 6), torch.zeros(1, 6))
    one = normal_log_prob(torch.zeros(1, 3), torch.zeros(1, 3), torch.zeros(1, 3))
    torch.testing.assert_close(both, 2 * one)  # a sum over the numbers of an event
    assert float(elbo.detach().mean()) <= float(vae.log_prob(x).detach().mean())


def test_9_the_ring_has_eight_modes_of_equal_weight() -> None:
    """There, eight angles from 0 to 2 pi with both ends: seven modes, one of them twice."""
    centres = ring_centres()
    gaps = np.linalg.norm(centres - np.roll(centres, 1, axis=0), axis=1)
    np.testing.assert_allclose(gaps, 2 * np.sin(np.pi / 8))
    events = next(iter(source("ring").stream(8000, seed=0))).values
    mode = np.argmin(np.linalg.norm(events[:, None] - centres, axis=2), axis=1)
    counts = np.bincount(mode, minlength=8)
    assert np.abs(counts - 1000).max() < 5 * math.sqrt(1000)


def test_10_a_divergence_of_histograms_uses_every_event() -> None:
    """There, a third of the points entered the grid, whose sum was 0.34 instead of 1."""
    rng = np.random.default_rng(0)
    p, q = (rng.multinomial(450_000, share) for share in ([0.5, 0.3, 0.2], [0.2, 0.3, 0.5]))
    expected = 0.5 * math.log(0.5 / 0.35) / 1 + 0.2 * math.log(0.2 / 0.35)  # 1/2 KL each way, by symmetry
    found = js_of_counts(p, q)
    assert found.n == 900_000
    assert found.value == pytest.approx(expected, abs=5 * found.error)


def test_10_the_value_that_is_shown_is_that_of_the_game() -> None:
    """There, ln D(x) was scaled by 0.95. Here, V = E ln D(x) + E ln(1 - D(G(z))), term by term."""
    real, fake = numbers(100), numbers(100, seed=2)
    by_hand = torch.sigmoid(real).log().mean() + (1 - torch.sigmoid(fake)).log().mean()
    torch.testing.assert_close(value(real, fake), by_hand)


DEVIATIONS: dict[str, Callable[[], tuple[float, float]]] = {
    "density": lambda: (
        float(Gaussian(0.0, 4.0).log_prob(np.array([[2.0]]))[0]),
        -0.5 - math.log(2 * math.sqrt(2 * math.pi)),
    ),
    "samples": lambda: (float(Gaussian(0.0, 4.0).sample(100_000, np.random.default_rng(0)).std()), 2.0),
    "ring": lambda: (
        float(nearest(next(iter(source("ring").stream(10_000, seed=0))).values).std()),
        RING_SIGMA,
    ),
}


def nearest(events: np.ndarray) -> np.ndarray:
    """What is left of events of the ring when the nearest centre is taken away."""
    away = events[:, None] - ring_centres()
    return np.take_along_axis(away, np.linalg.norm(away, axis=2).argmin(1)[:, None, None], axis=1)[:, 0]


@pytest.mark.parametrize("case", DEVIATIONS)
def test_11_a_width_is_no_variance(case: str) -> None:
    """There, the variance was given where the function wants a standard deviation."""
    found, expected = DEVIATIONS[case]()
    assert found == pytest.approx(expected, rel=0.02)
