"""The generator of showers: what physics fixes is exact, before any training; what is expected is met."""

import numpy as np
import pytest
import torch
from scipy import stats

from zerosum.data.calorimeters import atlas_like
from zerosum.data.simulators import simulate_showers
from zerosum.data.transforms import Preprocessor
from zerosum.evaluation.calorimeter import calorimeter
from zerosum.game.given import Given, log_linear
from zerosum.game.showers import SHOWERS, ShowerGenerator, poisson
from zerosum.game.voxels import VoxelSight
from zerosum.training.config import Config

CELLS = tuple(layer.n_cells for layer in atlas_like().layers)
LATENT = SHOWERS.latents((368,), 64)
EVENTS = simulate_showers(4000, seed=1)
PREPROCESSOR = Preprocessor.fit(EVENTS)
Y, C = PREPROCESSOR.forward(EVENTS.values), PREPROCESSOR.forward_conditions(EVENTS.conditions)


@pytest.fixture(scope="module")
def generator() -> ShowerGenerator:
    torch.manual_seed(1)
    made = ShowerGenerator(LATENT, 1, CELLS, 32, 2)
    made.initialise(Y, C)
    return made


def latents(n: int, seed: int = 2) -> torch.Tensor:
    return torch.randn(n, LATENT, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def generated(generator) -> np.ndarray:
    with torch.no_grad():
        return PREPROCESSOR.inverse(generator(latents(4000), C)).numpy()


def test_an_untrained_generator_knows_response_and_occupancy_at_each_energy(generated) -> None:
    energy, real = EVENTS.column("incident_energy"), np.asarray(EVENTS.values, np.float64)
    for low, high in ((1e3, 1e4), (1e4, 1e5), (1e5, 1e6)):
        chosen = (energy >= low) & (energy < high)
        response = [one[chosen].sum(1) / energy[chosen] for one in (real, generated)]
        assert response[1].mean() == pytest.approx(response[0].mean(), abs=4 * response[0].std() / 30)
        assert response[1].std() == pytest.approx(response[0].std(), rel=0.2)
        occupancy = [(one[chosen] > 0).mean() for one in (real, generated)]
        assert occupancy[1] == pytest.approx(occupancy[0], rel=0.1)


def test_empty_voxels_are_exactly_zero_and_others_at_or_above_the_threshold(generated) -> None:
    lowest = EVENTS.values[EVENTS.values > 0].min()
    assert ((generated == 0) | (generated >= lowest)).all()
    assert 0.2 < (generated == 0).mean() < 0.8


def test_cells_add_up_to_their_layer_and_layers_to_the_total(generator) -> None:
    """With the gate wide open and without a threshold nothing may be lost; with a threshold it goes to the others."""
    z, c = latents(500), C[:500]
    with torch.no_grad():
        energy = torch.expm1(generator(z, c).double())
        free = z[:, : generator.free]
        raw = torch.split(generator.network(torch.cat([free, c], 1)), generator.sizes, 1)
        mean, width = generator.total(c, raw[4])
        total = (mean + width * 6 * torch.tanh((raw[4] + free[:, :1]) / 6)).double().exp()[:, 0]
    torch.testing.assert_close(energy.sum(1), total, rtol=2e-5, atol=0.0)


def test_a_layer_that_is_hit_has_at_least_one_filled_cell(generator) -> None:
    """Even where the rate of quanta is far below one for all cells."""
    quiet = ShowerGenerator(LATENT, 1, CELLS, 32, 2)
    quiet.load_state_dict(generator.state_dict())
    with torch.no_grad():
        quiet.network[-1].bias[: quiet.n_cells] -= 20
        energy = torch.expm1(quiet(latents(300), C[:300]))
    filled = (energy > 0).float() @ quiet.belongs.T
    assert filled.max() <= 2
    assert (filled.sum(1) >= 1).all()
    torch.testing.assert_close(energy.sum(1).median(), EVENTS_TOTAL[:300].median(), rtol=0.2, atol=0.0)


EVENTS_TOTAL = torch.expm1(Y).sum(1)


def test_a_shower_does_not_depend_on_the_others_in_the_batch(generator) -> None:
    z, c = latents(8), C[:8]
    with torch.no_grad():
        torch.testing.assert_close(generator(z, c)[:3], generator(z[:3], c[:3]))


def test_gradients_are_finite_and_of_one_size(generator) -> None:
    """No event may outweigh all others: empty layers and lonely cells have bounded gradients."""
    sight = VoxelSight(atlas_like(), Y, C)
    shown = sight(generator(latents(512), C[:512]), C[:512])
    weight = torch.randn(shown.shape[1], generator=torch.Generator().manual_seed(3))
    norms = []
    for one in (shown @ weight)[:64]:
        parts = torch.autograd.grad(one, list(generator.network.parameters()), retain_graph=True)
        norms.append(torch.sqrt(sum(part.square().sum() for part in parts)))
    found = torch.stack(norms)
    assert found.isfinite().all()
    assert found.max() < 30 * found.median()


@pytest.mark.parametrize("rate", [0.01, 0.3, 1.2, 5.0, 40.0])
def test_counts_are_poisson(rate) -> None:
    u = (torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000
    count = poisson(torch.full_like(u, rate), torch.special.ndtri(u), u).numpy()
    truth = stats.poisson.ppf(u.numpy(), rate)
    assert np.mean(count != truth) < 0.02
    assert count.mean() == pytest.approx(rate, rel=0.015, abs=1e-4)


def test_what_is_expected_given_the_conditions() -> None:
    rng = np.random.default_rng(4)
    c = torch.from_numpy(rng.uniform(-1.7, 1.7, (20_000, 1)))
    mean, width = 1 + c - 0.5 * c**2, (0.3 * c - 1).exp()
    values = mean + width * torch.from_numpy(rng.standard_normal((20_000, 1)))
    given = Given(1, 1)
    given.fit(values, c)
    found = given(c.float(), c.float())
    torch.testing.assert_close(found[0].double(), mean, atol=0.03, rtol=0.0)
    torch.testing.assert_close(found[1].double(), width, rtol=0.08, atol=0.0)
    counts = torch.poisson(torch.exp(0.5 + c), generator=torch.Generator().manual_seed(5))
    slopes = log_linear(counts, c, torch.ones_like(counts))[:, 0]
    np.testing.assert_allclose(slopes, [0.5, 1, 0, 0, 0], atol=0.08)


def test_the_sight_shows_layers_and_widths_as_the_report_does() -> None:
    sight = VoxelSight(atlas_like(), Y, C)
    shown = sight(Y, C)
    assert len(sight.seen) == shown.shape[1] > 368
    assert shown.isfinite().all()
    assert 0.1 < shown.std() < 1.5
    unit = PREPROCESSOR.chains[0].steps[0].unit
    found = {f.name: v for f, v in calorimeter(EVENTS, EVENTS).items()}
    layers = (torch.expm1(Y.double()) @ sight.member.double()).numpy() * unit
    np.testing.assert_allclose(layers[:, 2], found["layer 2"], rtol=1e-4)


def test_showers_get_their_own_networks_and_other_tables_do_not() -> None:
    assert Config.of({}).resolved(EVENTS).latent == 64
    renamed = EVENTS.select(EVENTS.names[:10])
    assert Config.of({}).resolved(renamed).latent == 20
