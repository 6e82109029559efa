"""What the discriminator sees of jets agrees with the observables of the report; other clouds have none."""

import numpy as np
import numpy.typing as npt
import pytest
import torch

from zerosum.data.chain import Chain
from zerosum.data.events import Events, Feature, FloatArray
from zerosum.evaluation.shapes import shapes
from zerosum.game.jets import SHARES, JetSight, around, pairs_and_triples, two_axes
from zerosum.workflow import Run

RNG = np.random.default_rng(0)
BARE = Chain(())


def cloud(values: FloatArray, mask: npt.NDArray[np.bool_], names: list[str]) -> Events:
    return Events(values.astype(np.float32), tuple(Feature(name) for name in names), kind="cloud", mask=mask)


def jets(n: int = 300, places: int = 24) -> Events:
    """Two prongs of particles, padded."""
    count = RNG.integers(3, places + 1, size=n)
    mask = np.arange(places) < count[:, None]
    prong = RNG.integers(2, size=(n, places)) * RNG.uniform(0.1, 0.5, size=(n, 1))
    eta, phi = prong + RNG.normal(0, 0.05, (n, places)), RNG.normal(0, 0.1, (n, places))
    pt = RNG.exponential(size=(n, places))
    values = np.where(mask[..., None], np.stack([eta, phi, pt], axis=2), 0)
    return cloud(values, mask, ["eta_rel", "phi_rel", "pt_rel"])


def rows(events: Events) -> torch.Tensor:
    """As events stand in the game, in physical units."""
    assert events.mask is not None
    cloud = np.concatenate([events.mask[:, None], events.values.transpose(0, 2, 1)], axis=1)
    return torch.from_numpy(cloud.astype(np.float64))


def test_observables_are_those_of_the_report() -> None:
    """Mass, pt, girth and C2 to rounding; tau21 as far as two moves of the axes are from five."""
    events = jets()
    sight = JetSight((1, 2, 3), (BARE, BARE, BARE), rows(events).float(), None)
    mine = sight._observed(rows(events))
    assert mine.shape == (300, len(sight.seen))
    wanted, features = shapes(events, like=events)
    named = {feature.name: wanted[:, i] for i, feature in enumerate(features)}
    found = {name: mine[:, i].numpy() for i, name in enumerate(sight.seen)}
    np.testing.assert_allclose(found["particles"], named["particles"])
    for name, key in (("ln mass", "jet mass"), ("ln girth", "girth"), ("ln C2", "C2")):
        np.testing.assert_allclose(np.exp(found[name]), named[key], rtol=2e-3, atol=1e-4)
    tau21 = np.exp(found["ln tau21"])
    assert np.all(tau21 > named["tau21"] - 1e-3)  # moves only lower it
    assert np.median(abs(tau21 - named["tau21"])) < 0.01
    pt = np.exp(found["ln pt"])
    np.testing.assert_allclose(pt, np.where(events.mask, events.values[..., 2], 0).sum(1), rtol=1e-6)
    assert np.all(np.diff([found[f"share of the hardest {k}"] for k in SHARES], axis=0) >= -1e-9)


def test_gradients_are_those_of_finite_differences() -> None:
    """Of one event without ties, by its particles' numbers."""
    events = jets(4, 6)
    x = rows(events)[:1]
    sight = JetSight((1, 2, 3), (BARE, BARE, BARE), rows(jets()).float(), None)
    inputs = x[:, 1:].clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda part: sight._observed(torch.cat([x[:, :1], part], 1))[:, [1, 3, 4, 5, 6, 8]], inputs, atol=1e-5
    )


def test_one_particle_and_equal_particles_have_finite_gradients() -> None:
    x = torch.zeros(2, 4, 12)
    x[0, 0, 0], x[0, 3, 0] = 1.0, 2.0
    x[1, 0, :4], x[1, 3, :4] = 1.0, 0.5
    sight = JetSight((1, 2, 3), (BARE, BARE, BARE), rows(jets(places=12)).float(), None)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(sight(x, None).square().sum(), x)
    assert gradient.isfinite().all()


def test_no_order_and_no_turn_of_particles_matters() -> None:
    events = jets(50, 20)
    x = rows(events)
    sight = JetSight((1, 2, 3), (BARE, BARE, BARE), x.float(), None)
    shuffled = x[:, :, torch.randperm(20)]
    torch.testing.assert_close(sight._observed(x), sight._observed(shuffled))
    turned = x.clone()
    turned[:, 2] += 2 * torch.pi * (torch.arange(20) % 2)  # the same directions
    ours = [i for i, name in enumerate(sight.seen) if name not in ("width phi", "tilt")]
    torch.testing.assert_close(
        sight._observed(x)[:, ours], sight._observed(turned)[:, ours], rtol=1e-5, atol=1e-5
    )


def test_helpers_by_hand() -> None:
    turn = 2 * torch.pi
    torch.testing.assert_close(
        around(torch.tensor([3.5, -3.5, 0.1])), torch.tensor([3.5 - turn, turn - 3.5, 0.1])
    )
    points = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])
    z = torch.tensor([[0.5, 0.3, 0.2]])
    assert float(two_axes(points[:, :2], z[:, :2])) == pytest.approx(0, abs=1e-5)
    e2 = 0.5 * 0.3 + 0.5 * 0.2 + 0.3 * 0.2 * 2**0.5
    e3 = 0.5 * 0.3 * 0.2 * 2**0.5
    assert float(pairs_and_triples(points, z).exp()) == pytest.approx(e3 / e2**2, rel=1e-3)


def test_the_discriminator_of_jets_sees_them_and_that_of_hits_does_not(tmp_path: object) -> None:
    events = jets(400)
    assert events.mask is not None
    hits = cloud(events.values, events.mask, ["x", "y", "e"])
    for one, seen in ((events, 15), (hits, 0)):
        choices = {"steps": 4, "log_every": 2, "judgements": 0, "width": 8, "batch": 16}
        run = Run.start(one, f"{tmp_path}/run{seen}", choices)
        assert all(np.isfinite(record["value"]) for record in run.play())
        assert len(run.model.blueprint.seen) == seen
        assert run.model.sample(20, seed=1).values.shape == (20, 24, 3)
