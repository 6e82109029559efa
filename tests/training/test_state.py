"""One step of the game against the same step written out with autograd and torch.optim; the average; Adam."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from zerosum.data.events import Events
from zerosum.game.dynamics import DYNAMICS
from zerosum.training.adam import Adam
from zerosum.training.config import Config
from zerosum.training.engine import Engine
from zerosum.training.setup import Setup, prepare

GAMMA, RATE, BETA2 = 0.3, 1e-3, 0.95
SHAPES = {"table": (3,), "image": (1, 9, 12), "volume": (2, 8, 8, 8)}


def ready(shape: tuple[int, ...], batch: int = 32) -> Setup:
    values = np.random.default_rng(0).normal(size=(200, *shape))
    events = (
        Events.table(values)
        if len(shape) == 1
        else Events.grid(values.astype(np.float32), ["a", "b"][: shape[0]])
    )
    config = Config.of({"batch": batch, "width": 16, "objective": "non_saturating"}).resolved(events)
    train, validation, _ = events.split((0.8, 0.1, 0.1), 0)
    setup = prepare(config, train, validation, Engine(device="cpu"))
    setup.training.gamma = GAMMA
    setup.training.set_rates(RATE, BETA2)
    return setup


def careful(setup: Setup) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Three steps as a textbook writes them: real and fake apart, penalties by double backward, torch.optim.Adam."""
    sampler = setup.training.sampler
    discriminator, generator = (copy.deepcopy(player.module) for player in setup.training.game)
    averaged = copy.deepcopy(generator)
    move_d, move_g = (
        torch.optim.Adam(module.parameters(), lr=RATE, betas=(0.0, BETA2))
        for module in (discriminator, generator)
    )
    for step in range(1, 4):
        batch = sampler.draw(GAMMA)
        real, fake = batch.seen.clone().requires_grad_(), generator(batch.latent).detach().requires_grad_()
        c_real, c_fake = discriminator(real), discriminator(fake)
        loss = (softplus(-c_real) + softplus(c_fake)).mean()
        loss = loss + GAMMA / 2 * (squared_slope(c_real, real) + squared_slope(c_fake, fake))
        move_d.zero_grad()
        loss.backward()
        move_d.step()
        batch = sampler.draw(GAMMA)
        loss = softplus(-discriminator(generator(batch.latent))).mean()
        move_g.zero_grad()
        loss.backward()
        move_g.step()
        share = 1 - 0.5 ** (1 / min(5, step / 10))
        with torch.no_grad():
            for old, new in zip(averaged.parameters(), generator.parameters(), strict=True):
                old += share * (new - old)
    return discriminator, generator, averaged


def squared_slope(logits: Tensor, events: Tensor) -> Tensor:
    (gradient,) = torch.autograd.grad(logits.sum(), events, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_step_is_the_step_of_the_textbook(shape: tuple[int, ...]) -> None:
    """Parameters of both players and of the averaged generator after three steps, to 1e-6 of their size."""
    expected = careful(ready(shape))
    training = ready(shape).training
    for _ in range(3):
        DYNAMICS["alternating"].step(training)
        training.step += 1
        training.average(5)
    found = (*(player.module for player in training.game), training.averaged)
    for mine, textbook in zip(found, expected, strict=True):
        a, b = (torch.cat([p.detach().flatten() for p in m.parameters()]) for m in (mine, textbook))
        assert float((a - b).norm() / b.norm()) < 1e-6


def test_adam_is_that_of_torch() -> None:
    """The same parameters, to rounding, after 20 updates with a changing rate."""
    torch.manual_seed(0)
    mine = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2)).double()
    reference = copy.deepcopy(mine)
    adam = Adam([*mine.parameters()])
    torchs = torch.optim.Adam(reference.parameters(), betas=(0.0, 0.9))
    x = torch.randn(7, 3, dtype=torch.float64)
    for step in range(20):
        adam.rate = torchs.param_groups[0]["lr"] = 0.01 / (1 + step)
        adam.beta2 = 0.9
        adam.update(torch.autograd.grad(mine(x).square().sum(), list(mine.parameters())))
        torchs.zero_grad()
        reference(x).square().sum().backward()
        torchs.step()
    for a, b in zip(mine.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


def test_the_average_has_the_buffers_of_the_generator() -> None:
    """Parameters are averaged; what is no parameter, such as counts, is that of the present generator."""
    training = ready((3,)).training
    training = type(training)(
        (training.game[0], replaced(training.game[1])), training.sampler, training.engine
    )
    module = training.game[1].module
    module.count += 3
    training.step = 100
    before = [p.clone() for p in training.averaged.parameters()]
    with torch.no_grad():
        for p in module.parameters():
            p += 1
    training.average(1.0)
    assert int(training.averaged.count) == 3
    for old, new in zip(before, training.averaged.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.5)
    restored = ready((3,)).training
    restored = type(restored)(
        (restored.game[0], replaced(restored.game[1])), restored.sampler, restored.engine
    )
    restored.restore(training.tensors(), training.facts())
    assert int(restored.averaged.count) == 3


def replaced(player):  # type: ignore[no-untyped-def]
    """A player whose module also has a buffer."""
    module = copy.deepcopy(player.module)
    module.register_buffer("count", torch.zeros((), dtype=torch.long))
    return type(player)(player.name, module, player.loss, player.updates)
