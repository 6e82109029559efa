"""The bounds of a VAE against a linear-Gaussian model whose likelihood is known exactly."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal

from zerosum.data.discrete import CELL
from zerosum.likelihood.decoders import (
    BernoulliDecoder,
    Decoder,
    FixedDecoder,
    LevelsDecoder,
    NormalDecoder,
    halves,
)
from zerosum.likelihood.vae import VAE, build_vae

LOADING = torch.tensor([[1.0, 0.5], [-0.3, 1.2], [0.7, 0.0]])
SIGMA = 0.6
COVARIANCE = LOADING @ LOADING.T + SIGMA**2 * torch.eye(3)


class Linear(nn.Module):
    """Mean A x, and one ln(standard deviation) for each output, written so that `halves` gives it back."""

    def __init__(self, matrix: Tensor, log_scale: Tensor) -> None:
        super().__init__()
        self.matrix = nn.Parameter(matrix)
        self.raw = nn.Parameter(5 * torch.atanh(log_scale / 5))

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        return torch.cat([x @ self.matrix.T, self.raw.expand(len(x), -1)], dim=1)


def linear_vae(divergence: str, stretch: float = 1.0) -> VAE:
    """x = A z + sigma e, z ~ N(0, 1); the encoder has the posterior's mean, and its diagonal times `stretch`."""
    precision = LOADING.T @ LOADING / SIGMA**2 + torch.eye(2)
    posterior = torch.linalg.inv(precision)
    encoder = Linear(posterior @ LOADING.T / SIGMA**2, (stretch * posterior.diagonal().sqrt()).log())
    network = Linear(LOADING, torch.full((3,), math.log(SIGMA)))
    return VAE(encoder, network, NormalDecoder(), shape=(3,), code=2, divergence=divergence, proposals=500)


def events(n: int = 4000) -> Tensor:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return MultivariateNormal(torch.zeros(3), COVARIANCE).sample((n,))


@pytest.mark.parametrize("divergence", ["analytic", "monte carlo"])
@torch.no_grad()
def test_elbo_is_below_the_importance_bound_is_below_the_likelihood(divergence: str) -> None:
    x, random = events(), torch.Generator().manual_seed(0)
    exact = MultivariateNormal(torch.zeros(3), COVARIANCE).log_prob(x).mean()
    vae = linear_vae(divergence, stretch=1.5)
    bounds = [vae.elbo(x, None, random)[0].mean()]
    bounds += [vae.importance_bound(x, None, random, k).mean() for k in (4, 32, 500)]
    assert bounds == sorted(bounds)
    assert bounds[0] < exact - 0.1
    assert exact - 0.005 < bounds[-1] < exact + 0.002


@torch.no_grad()
def test_the_elbo_falls_short_by_the_divergence_of_the_encoder_from_the_posterior() -> None:
    """ln p - ELBO = D_KL(q(z | x) || p(z | x)), here between normals with one mean: known in closed form."""
    x = events(40_000)
    posterior = torch.linalg.inv(LOADING.T @ LOADING / SIGMA**2 + torch.eye(2))
    q = 1.5**2 * posterior.diagonal().diag()
    inside = torch.linalg.solve(posterior, q)
    expected = 0.5 * (inside.trace() - 2 - torch.logdet(inside))
    elbo = linear_vae("analytic", stretch=1.5).elbo(x, None, torch.Generator().manual_seed(0))[0].mean()
    exact = MultivariateNormal(torch.zeros(3), COVARIANCE).log_prob(x).mean()
    assert float(exact - elbo) == pytest.approx(float(expected), rel=0.02)


@torch.no_grad()
def test_both_kl_terms_agree_and_beta_weighs_them() -> None:
    x = events(20_000)
    parts = {}
    for divergence in ("analytic", "monte carlo"):
        elbo, reconstruction, kl = linear_vae(divergence).elbo(
            x, None, torch.Generator().manual_seed(0), beta=0.25
        )
        assert torch.allclose(elbo, reconstruction - 0.25 * kl, atol=1e-5)
        parts[divergence] = kl.mean()
    assert float(parts["analytic"]) == pytest.approx(float(parts["monte carlo"]), rel=0.02)


@torch.no_grad()
def test_generated_events_have_the_covariance_of_the_model() -> None:
    x = linear_vae("analytic")(torch.randn(100_000, 5, generator=torch.Generator().manual_seed(0)))
    assert torch.allclose(torch.cov(x.T), COVARIANCE, atol=0.03)


@torch.no_grad()
def test_the_bernoulli_decoder_gives_probabilities_that_sum_to_one_and_are_those_of_its_draws() -> None:
    logits = torch.tensor([[-1.0, 0.5, 2.0]])
    decoder = BernoulliDecoder(low=-0.7, high=1.4)
    all_events = torch.cartesian_prod(*[torch.tensor([-0.7, 1.4])] * 3)
    log_prob = decoder.log_prob(all_events, logits.expand(8, -1))
    assert float(log_prob.exp().sum()) == pytest.approx(1, abs=1e-6)
    noise = torch.randn(50_000, 3, generator=torch.Generator().manual_seed(0))
    drawn = decoder.draw(logits.expand(50_000, -1), noise)
    assert torch.allclose((drawn == 1.4).float().mean(0), torch.sigmoid(logits[0]), atol=0.01)
    assert set(drawn.unique().tolist()) == set(torch.tensor([-0.7, 1.4]).tolist())


@pytest.mark.parametrize(("kind", "shape"), [("table", (3,)), ("grid", (1, 8, 8)), ("grid", (2, 12, 9))])
@pytest.mark.parametrize(
    "decoder", [NormalDecoder(), FixedDecoder(), LevelsDecoder(-2.0, 2.0, 5), BernoulliDecoder(0.0, 1.0)]
)
def test_networks_fit_the_events(kind: str, shape: tuple[int, ...], decoder: Decoder) -> None:
    vae = build_vae(kind, shape, 2, code=4, width=8, depth=3, decoder=decoder)
    z, c = torch.randn(5, 4 + math.prod(shape)), torch.randn(5, 2)
    x = vae(z, c)
    assert x.shape == (5, *shape)
    assert vae.log_prob(x, c).shape == (5,)
    assert bool(vae.log_prob(x, c).isfinite().all())


@torch.no_grad()
def test_the_levels_decoder_gives_a_density_that_integrates_to_one_and_is_that_of_its_draws() -> None:
    """Five cells between -1 and 1.5: the density is constant in each, and the outermost hold the tails."""
    decoder = LevelsDecoder(-1.0, 1.5, 5)
    for mean, log_scale in ((0.2, -1.0), (1.4, -3.0), (-30.0, 0.5), (0.0, 4.9)):
        y = torch.tensor([[mean, 5 * math.atanh(log_scale / 5)]])
        middles = torch.linspace(-0.75, 1.25, 5)[:, None]
        shares = decoder.log_prob(middles, y.expand(5, -1)).exp() * CELL * decoder.width  # of what is filled
        assert float(shares.sum()) == pytest.approx(1, abs=1e-5)
        assert torch.equal(
            decoder.log_prob(middles + 0.2, y.expand(5, -1)), decoder.log_prob(middles - 0.2, y.expand(5, -1))
        )
        noise = torch.randn(50_000, 1, generator=torch.Generator().manual_seed(0))
        cells = ((decoder.draw(y.expand(50_000, -1), noise) + 1) / 0.5).floor().clamp(0, 4)
        counted = torch.stack([(cells == k).float().mean() for k in range(5)])
        assert torch.allclose(counted, shares, atol=0.01)


@torch.no_grad()
def test_the_fixed_decoder_is_a_normal_density() -> None:
    x, y = torch.randn(6, 3), torch.randn(6, 3)
    expected = torch.distributions.Normal(y, 0.5).log_prob(x).sum(1)
    assert torch.allclose(FixedDecoder(0.5).log_prob(x, y), expected, atol=1e-5)
    assert torch.allclose(FixedDecoder(0.5).draw(y, x), y + 0.5 * x)


@torch.no_grad()
@pytest.mark.parametrize(("features", "code"), [(3, 3), (3, 2), (3, 5), (1, 1)])
def test_a_table_begins_as_the_linear_autoencoder_of_its_principal_components(
    features: int, code: int
) -> None:
    """Without the faint rest, decoder(encoder(x)) is the projection of x onto the principal components."""
    torch.manual_seed(0)
    x, n = torch.randn(5000, features) @ torch.randn(features, features), min(code, features)
    vae = build_vae("table", (features,), 0, code=code, width=32, depth=3, decoder=NormalDecoder())
    vae.initialise(x, None, torch.ones(len(x)), 0)
    for layers, carried in ((vae.encoder.layers, n), (vae.network.layers, features)):
        layers[-1].weight[:, 2 * carried :] = 0
        layers[-1].weight[n if layers is vae.encoder.layers else features :] = 0
    mean, log_scale = halves(vae.encoder(x))
    assert torch.allclose(torch.cov(mean[:, :n].T).view(n, n), torch.eye(n), atol=0.02)
    assert torch.allclose(log_scale, 5 * torch.tanh(torch.tensor(-2.5 / 5)))
    back, _ = halves(vae.network(mean))
    axes = torch.linalg.svd(x - x.mean(0), full_matrices=False)[2][:n]
    assert torch.allclose(back, x @ axes.T @ axes, atol=0.01)


def test_scales_are_bounded_and_almost_unchanged_in_the_middle() -> None:
    _, log_scale = halves(torch.tensor([[0.0, 1e9], [0.0, 0.1]]))
    assert log_scale.flatten().tolist() == pytest.approx([5.0, 0.1], abs=1e-4)
