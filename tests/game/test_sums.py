"""Sums: what is nearly fixed is found by looking, and what is generated adds up to what the data add up to."""

import numpy as np
import pytest
import torch

from zerosum.data.events import Events, Feature
from zerosum.game.drawn import Drawn
from zerosum.game.sums import Summed, sum_of
from zerosum.training.config import Config
from zerosum.training.engine import Engine
from zerosum.training.setup import Setup, prepare


def images(spread: float, n: int = 500) -> Events:
    """Sparse images whose sum has mean 2 and this relative spread."""
    rng = np.random.default_rng(0)
    x = rng.exponential(size=(n, 1, 8, 8)) * (rng.random((n, 1, 8, 8)) < 0.6)
    x[:, 0, 0, 0] += 0.01
    total = 2 * np.exp(spread * rng.standard_normal((n, 1, 1, 1)))
    return Events.grid(x / x.sum((1, 2, 3), keepdims=True) * total, ["pt"], "GeV")


def jets(n: int = 500) -> Events:
    """Clouds whose pt add up to nearly 1 and whose axis is nearly 0, like particles of jets."""
    rng = np.random.default_rng(0)
    mask = np.arange(9) < rng.integers(3, 10, (n, 1))
    pt = rng.exponential(size=(n, 9)) * mask
    pt /= pt.sum(1, keepdims=True) * (1 + 0.02 * rng.standard_normal((n, 1)))
    eta = rng.normal(size=(n, 9))
    eta -= (pt * eta).sum(1, keepdims=True) / pt.sum(1, keepdims=True)
    cut = rng.normal(size=(n, 9)) + rng.normal(size=(n, 1))
    values = np.where(mask[..., None], np.stack([eta, cut, pt], axis=2), 0)
    return Events(values, (Feature("eta"), Feature("depth"), Feature("pt")), "cloud", mask=mask)


def momenta(n: int = 500) -> Events:
    """Clouds whose momenta (pt, phi) add up to exactly (1, 0) in half of the events, and to nearly so in the others."""
    rng = np.random.default_rng(0)
    mask = np.arange(9) < rng.integers(3, 10, (n, 1))
    phi, pt = 0.4 * rng.normal(size=(n, 9)), (0.1 + rng.exponential(size=(n, 9))) * mask
    vector = (pt * np.exp(1j * phi)).sum(1, keepdims=True)
    loss = 1 - 0.05 * rng.random((n, 1)) * (np.arange(n)[:, None] % 2)
    values = np.stack([rng.normal(size=(n, 9)), phi - np.angle(vector), loss * pt / abs(vector)], axis=2)
    values = np.where(mask[..., None], values, 0)
    return Events(values, (Feature("eta_rel"), Feature("phi_rel"), Feature("pt_rel")), "cloud", mask=mask)


def ready(events: Events) -> Setup:
    config = Config.of({"width": 8, "batch": 32, "steps": 10}).resolved(events)
    return prepare(config, events, events, Engine(device="cpu"))


def kinds(setup: Setup) -> list[str]:
    return [one["sum"] for one in setup.blueprint.sums]


def test_what_is_fixed_is_found_by_looking() -> None:
    assert kinds(ready(images(0.02))) == ["total"]
    assert kinds(ready(images(0.5))) == []
    assert kinds(ready(jets())) == ["points", "total", "mean"]
    assert kinds(ready(momenta())) == ["points", "total", "mean"]
    spins = Events.grid(np.sign(np.random.default_rng(0).normal(size=(300, 8, 8))))
    assert kinds(ready(spins)) == []


@pytest.mark.parametrize(("events", "larger"), [(images(0.02), 3), (jets(), 1)], ids=["images", "jets"])
def test_generated_events_add_up_to_what_the_data_add_up_to(events: Events, larger: int) -> None:
    """Of an untrained network, in physical units."""
    setup = ready(events)
    generator = setup.training.game[-1].module
    assert isinstance(generator, Summed)
    with torch.no_grad():
        for parameter in generator.network.parameters():
            parameter.mul_(larger)
        game = setup.lens.project(generator(setup.training.sampler.prior(2000), None))
    values, mask = setup.preprocessor.physical(setup.lens.decode(game))
    pt = values[..., -1] if mask is not None else values[:, 0].flatten(1)
    filled = pt.sum(1) > 0
    wanted = events.values[..., -1].sum(1) if mask is not None else events.values.sum((1, 2, 3))
    found = pt.sum(1)[filled].numpy()
    assert len(found) > 500
    assert abs(found.mean() - wanted.mean()) < 0.15 * wanted.std()
    assert abs(found.std() / wanted.std() - 1) < 0.15
    if mask is not None:
        mean = ((pt * values[..., 0]).sum(1) / pt.sum(1))[filled]
        assert float(mean.abs().max()) < 1e-3
        assert float(pt.min()) >= 0
    else:
        assert 0 < float((pt[filled] == 0).double().mean()) < 1


def test_momenta_that_are_conserved_exactly_are_so_when_generated() -> None:
    """In double precision, and in as many events as in the data."""
    setup = ready(momenta())
    generator = setup.training.averaged.eval()
    with torch.no_grad():
        game = setup.lens.project(generator(setup.training.sampler.prior(2000), None))
    values, _ = setup.preprocessor.physical(setup.lens.decode(game))
    momentum = (values[..., 2] * torch.exp(1j * values[..., 1])).sum(1)
    exact = (momentum - 1).abs() < 1e-9
    assert abs(float(exact.double().mean()) - 0.5) < 0.05
    assert 0.94 < float(momentum.real.min()) <= float(momentum.real.max()) < 1 + 1e-9
    assert float(momentum.imag.abs().max()) < 1e-9


def test_empty_events_leave_gradients_finite() -> None:
    """Where a network begins with images that are all but empty, totals are only brought nearer."""
    total = sum_of(ready(images(0.02)).blueprint.sums[0])
    game = torch.full((3, 1, 8, 8), -5.0)
    game[1, 0, 0, 0], game[2, 0] = 1e-7, 0.0
    game.requires_grad_()
    (gradient,) = torch.autograd.grad(total.impose(game, torch.full((3,), 2.0)).square().sum(), game)
    assert bool(gradient.isfinite().all())
    assert float(gradient.abs().max()) < 1e3


def test_gradients_pass_through_the_sums_and_keep_the_sum() -> None:
    """A change of the network's output that would change the total alone has no effect."""
    setup = ready(images(0.02))
    total = sum_of(setup.blueprint.sums[0])
    game = setup.training.sampler.seen[:20].clone().requires_grad_()
    moved = total.impose(game, torch.full((20,), 2.0))
    torch.testing.assert_close(total.measure(moved), torch.full((20,), 2.0, dtype=torch.float64))
    (gradient,) = torch.autograd.grad(total.measure(moved).sum(), game, retain_graph=True)
    assert float(gradient.abs().max()) < 1e-4
    (other,) = torch.autograd.grad(moved[:, :, 0, 0].sum(), game)
    assert float(other.abs().max()) > 1e-3


def test_drawn_numbers_keep_their_joint_distribution_and_follow_the_conditions() -> None:
    rng = np.random.default_rng(0)
    energy = rng.uniform(-1, 1, (20_000, 1))
    first = rng.poisson(20 + 10 * energy[:, 0])
    numbers = np.stack([first, 0.1 * first + 0.05 * rng.standard_normal(20_000)], axis=1)
    drawn = Drawn(2, 1)
    drawn.fit(torch.from_numpy(numbers), torch.from_numpy(energy).float(), seed=0)
    for place in (-0.8, 0.0, 0.8):
        z = torch.from_numpy(rng.standard_normal((4000, 1))).float()
        found = drawn(z, torch.full((4000, 1), place)).numpy()
        assert abs(found[:, 0].mean() - (20 + 10 * place)) < 1.5
        np.testing.assert_array_equal(found[:, 0], np.round(found[:, 0]))
        assert np.corrcoef(found.T)[0, 1] > 0.9


def test_classes_keep_to_themselves_however_rare() -> None:
    """One event in a hundred is of class 1 and has the number 7, all others 3."""
    kind = (np.arange(2000) % 100 == 0).astype(float)[:, None]
    drawn = Drawn(1, 1)
    drawn.fit(torch.from_numpy(3 + 4 * kind), torch.from_numpy(kind).float(), seed=0)
    z = torch.randn(500, 1)
    assert set(drawn(z, torch.ones(500, 1)).flatten().tolist()) == {7.0}
    assert set(drawn(z, torch.zeros(500, 1)).flatten().tolist()) == {3.0}
