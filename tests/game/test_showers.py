"""The generator of showers: what physics fixes is exact, before any training; what is expected is met."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats

from zerosum.data.calorimeters import atlas_like
from zerosum.data.simulators import simulate_showers
from zerosum.data.transforms import Preprocessor
from zerosum.evaluation.calorimeter import calorimeter
from zerosum.game.copula import Copula
from zerosum.game.given import Given, log_linear
from zerosum.game.quanta import gamma, poisson, scatter_of_logs
from zerosum.game.showers import SHOWERS, ShowerGenerator, belonging
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
        numbers = torch.split(generator.network(torch.cat([free, c], 1)), generator.sizes, 1)
        own = generator.energies.mixed(free[:, : 1 + 2 * len(CELLS)])[:, : 1 + len(CELLS)]
        standard = generator.energies(6 * torch.tanh((torch.cat([numbers[4], numbers[2]], 1) + own) / 6))
        mean, width = generator.total(c, free)
        total = (mean + width * standard[:, :1]).double().exp()[:, 0]
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
    sight = VoxelSight(atlas_like().layers, Y, C)
    shown = sight(generator(latents(512), C[:512]), C[:512])
    weight = torch.randn(shown.shape[1], generator=torch.Generator().manual_seed(3))
    norms = []
    for one in (shown @ weight)[:64]:
        parts = torch.autograd.grad(one, list(generator.network.parameters()), retain_graph=True)
        norms.append(torch.sqrt(sum(part.square().sum() for part in parts)))
    found = torch.stack(norms)
    assert found.isfinite().all()
    assert found.max() < 30 * found.median()


def test_an_untrained_generator_has_the_layers_energies_and_what_they_know_of_each_other(generated) -> None:
    edges = np.cumsum([0, *CELLS])
    real, found = (
        np.stack([one[:, a:b].sum(1, dtype=np.float64) for a, b in pairwise(edges)], 1)
        for one in (EVENTS.values, generated)
    )
    energy = EVENTS.column("incident_energy")[:, None]
    for layer in (1, 2, 3, 4):  # the presampler is hit in two of three showers only
        hit = [one[:, layer] > 0 for one in (real, found)]
        logs = [
            np.log(one[there, layer] / energy[there, 0])
            for one, there in zip((real, found), hit, strict=True)
        ]
        quartiles = [np.quantile(one, [0.1, 0.5, 0.9]) for one in logs]
        np.testing.assert_allclose(quartiles[1], quartiles[0], atol=0.45 * logs[0].std())
    correlation = [stats.spearmanr(one / energy).statistic for one in (real, found)]
    assert np.abs(correlation[1] - correlation[0]).max() < 0.3
    assert np.abs(np.eye(5) - correlation[0]).max() > 0.7


def test_cells_of_an_untrained_generator_scatter_as_they_do_and_fill_with_their_layer(generated) -> None:
    edges = np.cumsum([0, *CELLS])
    belongs = belonging(CELLS).double()
    scatter = [
        scatter_of_logs(torch.from_numpy(np.asarray(one, np.float64)), belongs).numpy()
        for one in (EVENTS.values, generated)
    ]
    np.testing.assert_allclose(scatter[1], scatter[0], rtol=0.2)
    for a, b in pairwise(edges):
        filled = [(one[:, a:b] > 0).sum(1) for one in (EVENTS.values, generated)]
        assert filled[1].mean() == pytest.approx(filled[0].mean(), rel=0.2)
        assert filled[1].std() == pytest.approx(filled[0].std(), rel=0.25)


@pytest.mark.parametrize(
    ("number", "seen", "within"),
    [
        ("share", "layer", (0.95, 1.05)),
        ("total", "layer", (0.95, 1.05)),
        ("share", "filled", (0.4, 1.6)),
        ("rate", "filled", (0.4, 1.6)),
        ("smear", "largest", (0.9, 1.1)),
    ],
)
def test_gradients_are_those_of_finite_differences(generator, number, seen, within) -> None:
    """Counts and zeros have no gradient of their own; what stands in for it has to be near the truth on average."""
    layer, n, size = 2, 3000, 0.15
    cells = slice(sum(CELLS[:layer]), sum(CELLS[: layer + 1]))
    starts = dict(
        zip(("rate", "gate", "share", "smear", "total"), np.cumsum([0, *generator.sizes]), strict=False)
    )
    moved = {"rate": cells, "total": slice(starts["total"], None)}.get(
        number, slice(starts[number] + layer, starts[number] + layer + 1)
    )
    column = 368 + 1 + {"layer": 0, "filled": 5, "largest": 10}[seen] + layer
    sight, z = VoxelSight(atlas_like().layers, Y, C), latents(n, 11)
    bias = generator.network[-1].bias
    before = bias.detach().clone()

    def mean() -> torch.Tensor:
        return sight(generator(z, C[:n]), C[:n])[:, column].mean()

    (gradient,) = torch.autograd.grad(mean(), bias)
    ends = []
    with torch.no_grad():
        for sign in (1, -1):
            bias[moved] += sign * size
            ends.append(mean())
            bias.copy_(before)
    truth = (ends[0] - ends[1]) / (2 * size)
    assert truth.abs() > 0.05
    assert within[0] < gradient[moved].sum() / truth < within[1]


@pytest.mark.parametrize("width", [0.2, 0.6, 1.0])
def test_sizes_of_quanta_are_gamma_distributed(width) -> None:
    u = (torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000
    found = gamma(torch.full_like(u, width), torch.special.ndtri(u)).numpy()
    assert found.mean() == pytest.approx(1.0, abs=0.01)
    assert found.std() == pytest.approx(width, rel=0.01)
    truth = stats.gamma(1 / width**2, scale=width**2)
    assert stats.kstest(found, truth.cdf).statistic < 0.015


def test_a_copula_has_the_quantiles_and_the_correlations_of_its_columns() -> None:
    random = torch.Generator().manual_seed(6)
    u = torch.randn(20_000, 2, generator=random, dtype=torch.float64)
    u[:, 1] = 0.8 * u[:, 0] + 0.6 * u[:, 1]
    values = torch.stack([u[:, 0].exp(), -torch.sinh(u[:, 1])], 1)
    present = torch.rand(20_000, 2, generator=random) < torch.tensor([1.0, 0.6])
    copula = Copula(2)
    copula.fit(values, present)
    drawn = copula(copula.mixed(torch.randn(20_000, 2, generator=random))).double()
    for k in range(2):
        assert stats.ks_2samp(drawn[:, k], values[present[:, k], k]).statistic < 0.02
    correlation = [stats.spearmanr(one).statistic for one in (values, drawn)]
    assert correlation[1] == pytest.approx(correlation[0], abs=0.03)
    far = copula(torch.tensor([[3.5, 0.0], [4.5, 0.0]]))[:, 0]
    assert far[1] > far[0] > values[:, 0].quantile(0.998)


def test_a_copula_learns_from_yes_and_no_what_hidden_columns_know_of_the_others() -> None:
    random = torch.Generator().manual_seed(8)
    z = torch.randn(40_000, 3, generator=random, dtype=torch.float64)
    u, g = z[:, :1], torch.stack([0.8 * z[:, 0] + 0.6 * z[:, 1], -0.5 * z[:, 0] + 0.75**0.5 * z[:, 2]], 1)
    usual = torch.tensor([0.7, -0.2], dtype=torch.float64)  # yes where g + usual > 0
    density = torch.exp(-(usual**2) / 2) / (2 * torch.pi) ** 0.5
    yes, no = 1 / torch.special.ndtr(usual), -1 / torch.special.ndtr(-usual)
    scores = density * torch.where(g + usual > 0, yes, no)
    copula = Copula(1, 2)
    copula.fit(u.exp(), torch.ones_like(u) > 0, scores)
    found = copula.root @ copula.root.T
    np.testing.assert_allclose(found, [[1, 0.8, -0.5], [0.8, 1, -0.4], [-0.5, -0.4, 1]], atol=0.06)


def test_before_a_fit_a_copula_is_the_identity() -> None:
    u = torch.randn(50, 3, generator=torch.Generator().manual_seed(7))
    torch.testing.assert_close(Copula(3)(u), u)


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
    sight = VoxelSight(atlas_like().layers, Y, C)
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
