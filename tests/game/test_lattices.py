"""Networks of lattices: tosses and their gradient, a torus, observables, and a game that learns the Ising model."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.game.differentiated import assert_as_autograd
from torch import Tensor

from zerosum.data.events import Events, Feature
from zerosum.data.simulators import simulate_ising
from zerosum.data.simulators.lattice import energy
from zerosum.export.exporting import export
from zerosum.export.onnx_file import OnnxModel
from zerosum.game.convolutions import folded, wrapped
from zerosum.game.lattices import LATTICES, LatticeDiscriminator, LatticeSight, Tossed, convolution
from zerosum.model import Model
from zerosum.workflow import Run


def bonds(s: Tensor) -> Tensor:
    """A function that is linear in each of 2 x 2 spins."""
    return 0.3 * s.sum((1, 2, 3)) + (s[..., 0] * s[..., 1]).sum((1, 2)) - s[:, 0, 0, 0] * s[:, 0, 1, 1]


def test_the_gradient_of_tosses_is_that_of_the_expectation() -> None:
    """By enumeration of all 16 outcomes; the gradient of a step, and that at h + z, would be others."""
    h = torch.tensor([[[[0.3, -1.2], [0.8, -0.1]]]], dtype=torch.float64, requires_grad=True)
    up = torch.special.ndtr(h).flatten()
    outcomes = torch.tensor(list(product([0.0, 1.0], repeat=4)), dtype=torch.float64)
    chance = (outcomes * up + (1 - outcomes) * (1 - up)).prod(1)
    expected = chance @ bonds((5 * outcomes - 2).view(-1, 1, 2, 2))
    (exact,) = torch.autograd.grad(expected, h)

    n = 200_000
    z = torch.randn(n, 1, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    each = h.detach().expand(n, 1, 2, 2).clone().requires_grad_()
    drawn = bonds(Tossed((-2.0, 3.0))(each, z))
    (gradient,) = torch.autograd.grad(drawn.sum(), each)
    for found, wanted in ((drawn.detach(), expected.detach()), (gradient, exact[0])):
        assert (abs(found.mean(0) - wanted) < 5 * found.std(0) / n**0.5).all()


def test_a_site_has_one_of_its_two_values_exactly() -> None:
    h = torch.randn(50, 1, 4, 4, requires_grad=True)
    for values in (Tossed((-0.7, 1.3))(h, torch.randn(h.shape)), Tossed((-0.7, 1.3))(h.detach(), h.detach())):
        assert torch.isin(values.detach(), torch.tensor([-0.7, 1.3])).all()


def test_convolutions_go_round_a_torus() -> None:
    torch.manual_seed(0)
    x, a = torch.randn(3, 2, 5, 4), torch.randn(3, 2, 7, 6)
    torch.testing.assert_close((wrapped(x) * a).sum(), (x * folded(a)).sum())
    layer = convolution(2, 3, True)
    torch.testing.assert_close(layer(x.roll((1, 3), (2, 3))), layer(x).roll((1, 3), (2, 3)))
    assert not torch.allclose(convolution(2, 3, False)(x.roll(1, 2)), convolution(2, 3, False)(x).roll(1, 2))


@pytest.mark.parametrize("periodic", [True, False])
def test_observables_are_what_loops_give(periodic: bool) -> None:
    """Before they are standardised; on a torus the correlation at distance 1 is minus half of the energy."""
    spins = simulate_ising(40, side=8, seed=3).values
    game = torch.from_numpy(spins).float() * 0.5 + 1  # as values 0.5 and 1.5
    sight = LatticeSight((0.5, 1.5), periodic, game, None)
    shown = sight._shown(game)
    assert shown.shape[1] == len(sight.seen) == 2 + 2 * 4
    last, r = spins[:, 0], 3
    rows = (last * np.roll(last, -r, 2)) if periodic else last[:, :, r:] * last[:, :, :-r]
    columns = (last * np.roll(last, -r, 1)) if periodic else last[:, r:] * last[:, :-r]
    for name, wanted in (
        ("|magnetisation|", abs(last.mean((1, 2)))),
        ("row 2", rows.mean((1, 2))),  # the third of the distances 1, 2, 3, 4
        ("column 2", columns.mean((1, 2))),
    ):
        np.testing.assert_allclose(shown[:, sight.seen.index(name)].numpy(), wanted, atol=1e-5)
    if periodic:
        neighbours = shown[:, sight.seen.index("row 0")] + shown[:, sight.seen.index("column 0")]
        np.testing.assert_allclose(-64 * neighbours.numpy(), energy(last), atol=1e-3)


@pytest.mark.parametrize("joint", [False, True], ids=["parameters", "events too"])
@pytest.mark.parametrize("periodic", [True, False])
def test_the_discriminator_knows_its_input_gradient(periodic: bool, joint: bool) -> None:
    torch.manual_seed(1)
    critic = LatticeDiscriminator((1, 16, 8), 2, 8, 3, beside=5, periodic=periodic).double()
    x = torch.randn(6, 16 * 8 + 5, dtype=torch.float64, requires_grad=joint)
    c = torch.randn(6, 2, dtype=torch.float64)
    assert_as_autograd(
        critic, x, c, lambda logits, gradient: (logits.exp() * gradient.square().sum(1)).mean()
    )


@pytest.mark.parametrize("sides", [(8, 8), (12, 20), (32, 16), (18, 18), (9, 15)])
def test_every_lattice_has_networks(sides: tuple[int, int]) -> None:
    shape = (1, *sides)
    latent = LATTICES.latents(shape, 5)
    generator = LATTICES.generator(latent, 1, shape, 4, 3, levels=(0.0, 1.0), periodic=True)
    found = generator(torch.randn(3, latent), torch.randn(3, 1))
    assert found.shape == (3, *shape)
    critic = LATTICES.discriminator(shape, 1, 4, 3, beside=2, periodic=True)
    assert critic(torch.randn(3, sides[0] * sides[1] + 2), torch.randn(3, 1)).shape == (3,)


def test_a_torus_closes_where_sides_are_even() -> None:
    """Shifted latents of every scale make a shifted field: no row is a seam."""
    shape, width = (1, 18, 18), 4
    latent = LATTICES.latents(shape, 3)
    generator = LATTICES.generator(latent, 0, shape, width, 3, levels=(-1.0, 1.0), periodic=True)
    with torch.no_grad():
        coarsest = generator.first[0][-1]  # the coarsest grid is flat ...
        coarsest.weight.zero_()
        coarsest.bias.copy_(torch.randn(width).repeat_interleave(81))
    fine, tossed = torch.randn(2, 4, 9, 9), torch.randn(2, 1, 18, 18)  # ... and these are the only noise
    shared = torch.zeros(2, 3)
    here = generator(torch.cat([shared, fine.flatten(1), tossed.flatten(1)], 1))
    there = torch.cat([shared, fine.roll(2, 2).flatten(1), tossed.roll(4, 2).flatten(1)], 1)
    assert here.unique().tolist() == [-1.0, 1.0]
    torch.testing.assert_close(generator(there), here.roll(4, 2))


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Events, Model]:
    events = simulate_ising(3000, side=8, seed=1)
    choices = {"steps": 400, "width": 16, "log_every": 100, "judgements": 0}
    run = Run.start(events, tmp_path_factory.mktemp("lattices") / "run", choices)
    for _ in run.play():
        pass
    return events, run.model


def test_a_short_game_knows_energy_and_order(learned: tuple[Events, Model]) -> None:
    """Within a few per cent; free spins would have 0 and 0.1."""
    events, model = learned
    assert model.blueprint.periodic
    drawn = model.sample(2000, seed=1)
    assert set(np.unique(drawn.values)) == {-1.0, 1.0}
    (e, m), (drawn_e, drawn_m) = (
        (float(energy(one.values[:, 0]).mean()) / 64, float(abs(one.values.mean((1, 2, 3))).mean()))
        for one in (events, drawn)
    )
    assert drawn_e == pytest.approx(e, abs=0.1)
    assert drawn_m == pytest.approx(m, abs=0.1)


def test_an_exported_file_draws_the_same_lattices(learned: tuple[Events, Model], tmp_path: Path) -> None:
    _, model = learned
    assert export(model, tmp_path / "model.onnx").closure.passed
    mine, its = (one.sample(500, seed=3).values for one in (model, OnnxModel.load(tmp_path / "model.onnx")))
    assert np.mean(mine != its) < 1e-4


def test_a_lattice_is_drawn_at_the_temperature_that_is_asked_for(tmp_path: Path) -> None:
    """Half of the lattices are hot and half are cold; both are learned as they are."""
    parts = [simulate_ising(1500, side=8, coupling=coupling, seed=i) for i, coupling in enumerate((0.1, 0.5))]
    given = np.repeat([0.1, 0.5], 1500)[:, None]
    events = replace(Events.joined(parts), conditions=given, condition_features=(Feature("K"),))
    choices = {"steps": 300, "width": 16, "log_every": 100, "judgements": 0}
    run = Run.start(events, tmp_path / "run", choices)
    for _ in run.play():
        pass
    for coupling, part in zip((0.1, 0.5), parts, strict=True):
        drawn = run.model.sample(1000, where={"K": coupling}, seed=1)
        found, wanted = (float(energy(one.values[:, 0]).mean()) / 64 for one in (drawn, part))
        assert found == pytest.approx(wanted, abs=0.2)
