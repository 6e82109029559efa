"""Every reference value, every pair of torch's, and what is refused."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import distributions as td

from zerosum.errors import InputError
from zerosum.theory import densities, tails
from zerosum.theory.adapters import as_density
from zerosum.theory.closed_forms import closed
from zerosum.theory.derived import BHATTACHARYYA, JENSEN_SHANNON_DISTANCE, renyi
from zerosum.theory.exact import exact
from zerosum.theory.fdivergences import HELLINGER, JENSEN_SHANNON, KL, TABLE, alpha
from zerosum.theory.ising import Ising
from zerosum.theory.quadrature import quadrature, summation

CASES = json.loads((Path(__file__).parents[1] / "reference" / "divergences.json").read_text())["cases"]
REFERENCES = TABLE | {"renyi(2)": renyi(2)}
Gaussian, Mixture = densities.Gaussian, densities.Mixture


def real(value):
    return torch.tensor(value, dtype=torch.float64)


def standard(dim, scale=1.0):
    return Gaussian(np.zeros(dim), scale**2)


def autoregressive(dim, rho):
    lags = np.abs(np.subtract.outer(np.arange(dim), np.arange(dim)))
    return Gaussian(np.zeros(dim), rho**lags)


NAMES = {
    name: getattr(module, name)
    for module, names in (
        (densities, ["Gaussian", "Mixture"]),
        (tails, ["Cauchy", "Laplace", "StudentT", "Uniform", "Exponential"]),
    )
    for name in names
} | {"Ising": Ising, "td": td, "real": real, "standard": standard, "autoregressive": autoregressive}


def read(expression):
    return eval(expression, dict(NAMES))


@pytest.mark.parametrize(("name", "p", "q", "value"), CASES, ids=lambda part: str(part)[:40])
def test_reference_value(name: str, p: str, q: str, value: str) -> None:
    found = exact(REFERENCES[name], read(p), read(q))
    assert found.method in ("closed form", "quadrature", "summation")
    assert found.value == pytest.approx(float(value), rel=1e-10)
    assert found.error <= 1e-9 * abs(found.value)


ONE_DIMENSION = [case for case in CASES if "Ising" not in case[1] and "standard" not in case[1]]


@pytest.mark.parametrize("case", ONE_DIMENSION, ids=lambda case: f"{case[0]} {case[1]} {case[2]}")
def test_quadrature_agrees_with_closed_form(case: list[str]) -> None:
    """The same values again, by the integral and never by the formula."""
    row = REFERENCES[case[0]]
    p, q = as_density(read(case[1])), as_density(read(case[2]))
    by_integral = (summation if p.discrete else quadrature)(getattr(row, "base", row), p, q)
    value = row.from_base(by_integral).value if hasattr(row, "base") else by_integral.value
    assert value == pytest.approx(float(case[3]), rel=1e-9)


PAIRS = {
    "Bernoulli": (td.Bernoulli(real(0.3)), td.Bernoulli(real(0.6))),
    "Beta": (td.Beta(real(2.0), real(3.0)), td.Beta(real(1.5), real(2.0))),
    "Binomial": (td.Binomial(9, real(0.3)), td.Binomial(9, real(0.6))),
    "Categorical": (td.Categorical(real([0.2, 0.3, 0.5])), td.Categorical(real([0.5, 0.3, 0.2]))),
    "Cauchy": (td.Cauchy(real(0.0), real(1.0)), td.Cauchy(real(1.0), real(2.0))),
    "ContinuousBernoulli": (td.ContinuousBernoulli(real(0.3)), td.ContinuousBernoulli(real(0.7))),
    "Dirichlet": (td.Dirichlet(real([1.0, 2.0, 3.0])), td.Dirichlet(real([2.0, 2.0, 2.0]))),
    "Exponential": (td.Exponential(real(1.0)), td.Exponential(real(2.0))),
    "Gamma": (td.Gamma(real(2.0), real(1.0)), td.Gamma(real(3.0), real(2.0))),
    "Geometric": (td.Geometric(real(0.3)), td.Geometric(real(0.5))),
    "Gumbel": (td.Gumbel(real(0.0), real(1.0)), td.Gumbel(real(0.5), real(1.5))),
    "HalfNormal": (td.HalfNormal(real(1.0)), td.HalfNormal(real(2.0))),
    "Independent": (
        td.Independent(td.Gamma(real([2.0, 3.0]), real(1.0)), 1),
        td.Independent(td.Gamma(real([3.0, 3.0]), real(2.0)), 1),
    ),
    "Laplace": (td.Laplace(real(0.0), real(1.0)), td.Laplace(real(1.0), real(2.0))),
    "LowRankMultivariateNormal": (
        td.LowRankMultivariateNormal(real([0.0, 0.0]), real([[1.0], [0.5]]), real([1.0, 1.0])),
        td.LowRankMultivariateNormal(real([1.0, 0.0]), real([[0.5], [0.5]]), real([1.0, 2.0])),
    ),
    "MultivariateNormal": (
        td.MultivariateNormal(real([0.0, 0.0]), real([[1.0, 0.5], [0.5, 1.0]])),
        td.MultivariateNormal(real([1.0, 0.0]), real([[2.0, 0.0], [0.0, 1.0]])),
    ),
    "Normal": (td.Normal(real(0.0), real(1.0)), td.Normal(real(1.0), real(2.0))),
    "OneHotCategorical": (
        td.OneHotCategorical(real([0.2, 0.3, 0.5])),
        td.OneHotCategorical(real([0.5, 0.3, 0.2])),
    ),
    "Pareto": (td.Pareto(real(2.0), real(3.0)), td.Pareto(real(1.0), real(2.0))),
    "Poisson": (td.Poisson(real(2.0)), td.Poisson(real(3.0))),
    "StudentT": (td.StudentT(real(4.0)), td.StudentT(real(5.0), real(1.0))),
    "TransformedDistribution": (
        td.TransformedDistribution(td.Normal(real(0.0), real(1.0)), [td.transforms.ExpTransform()]),
        td.TransformedDistribution(td.Normal(real(1.0), real(2.0)), [td.transforms.ExpTransform()]),
    ),
    "Uniform": (td.Uniform(real(0.0), real(1.0)), td.Uniform(real(-1.0), real(2.0))),
    "VonMises": (td.VonMises(real(0.0), real(2.0)), td.VonMises(real(1.0), real(1.0))),
    "Weibull": (td.Weibull(real(1.0), real(2.0)), td.Weibull(real(1.5), real(1.2))),
}


def test_every_family_that_torch_knows_is_here() -> None:
    known = {p.__name__ for p, q in td.kl._KL_REGISTRY if p is q}
    assert known - {"ExponentialFamily"} <= set(PAIRS)


@pytest.mark.parametrize("family", PAIRS)
def test_kl_of_a_family_agrees_with_its_integral(family: str) -> None:
    p, q = PAIRS[family]
    found = exact(KL, p, q)
    assert found.value > 0
    assert exact(KL, p, p).value == pytest.approx(0, abs=1e-12)
    a, b = as_density(p), as_density(q)
    if family in ("Dirichlet", "OneHotCategorical", "Binomial"):
        events = p.sample((200_000,))
        terms = p.log_prob(events) - q.log_prob(events)
        assert found.value == pytest.approx(float(terms.mean()), abs=5 * float(terms.std()) / 447)
    else:
        by_integral = summation(KL, a, b) if a.discrete else quadrature(KL, a, b)
        assert by_integral.value == pytest.approx(found.value, rel=1e-8)


@pytest.mark.parametrize(
    "row", [*TABLE.values(), alpha(0.5), alpha(1.7), alpha(-0.4)], ids=lambda row: row.name
)
def test_gaussian_closed_forms_agree_with_their_integrals(row) -> None:
    for p, q in (
        (Gaussian(0.2, 1.3), Gaussian(-0.4, 0.9)),
        (Gaussian([0, 0], [[1.0, 0.3], [0.3, 1.2]]), Gaussian([0.5, 0], [[0.9, 0.1], [0.1, 1.0]])),
    ):
        value = closed(row, p, q)
        if value is not None:
            assert quadrature(row, p, q).value == pytest.approx(value, rel=1e-9)


def test_renyi_and_bhattacharyya_of_gaussians() -> None:
    """For equal widths R_a = a delta^2 / 2 and B = delta^2 / 8 (Gil et al. 2013)."""
    p, q = Gaussian(0, 1), Gaussian(3, 1)
    for a in (0.25, 0.5, 1, 2, 5):
        assert exact(renyi(a), p, q).value == pytest.approx(a * 9 / 2, rel=1e-10)
    assert exact(BHATTACHARYYA, p, q).value == pytest.approx(9 / 8, rel=1e-10)
    assert exact(JENSEN_SHANNON_DISTANCE, p, q).value == pytest.approx(0.5267773065213735**0.5, rel=1e-10)


def test_infinite_divergences_are_inf() -> None:
    assert exact(TABLE["pearson"], Gaussian(0, 4), Gaussian(0, 1)).value == math.inf
    assert exact(KL, tails.StudentT(1.5), Gaussian(0, 1)).value == math.inf
    assert exact(KL, Gaussian(0, 1), tails.Exponential(1)).value == math.inf
    assert exact(renyi(3), Gaussian(0, 4), Gaussian(0, 1)).value == math.inf


def test_many_dimensions_fall_back_to_monte_carlo() -> None:
    p = Gaussian(np.zeros(5), 1)
    mixture = Mixture([p, Gaussian(np.ones(5), 1)])
    found = exact(JENSEN_SHANNON, mixture, mixture, n=1000)
    assert (found.method, found.value) == ("monte carlo", 0.0)
    hellinger = exact(HELLINGER, Mixture([p]), Mixture([Gaussian(np.ones(5), 1)]), n=20_000)
    assert hellinger.method == "monte carlo"
    assert abs(hellinger.value - exact(HELLINGER, p, Gaussian(np.ones(5), 1)).value) < 5 * hellinger.error


def test_events_on_a_simplex_are_left_to_monte_carlo() -> None:
    """Dirichlet(1, 1) and Dirichlet(5, 1) are U(0, 1) and Beta(5, 1) in their first entry."""
    p, q = td.Dirichlet(real([1.0, 1.0])), td.Dirichlet(real([5.0, 1.0]))
    found = exact(JENSEN_SHANNON, p, q, n=20_000)
    assert found.method == "monte carlo"
    assert abs(found.value - 0.2161926317872663807858317) < 5 * found.error


@pytest.mark.parametrize(
    ("p", "q", "words"),
    [
        (np.zeros(10), Gaussian(0, 1), "call estimate"),
        (Gaussian([0, 0], 1), Gaussian(0, 1), "2 and 1 dimensions"),
        (td.Normal(torch.zeros(3), 1.0), Gaussian(0, 1), "batch shape"),
        (td.Poisson(real(2.0)), Gaussian(0, 1), "integers"),
    ],
)
def test_misuse_is_refused(p, q, words: str) -> None:
    with pytest.raises(InputError, match=words):
        exact(KL, p, q)


def test_torch_state_and_validation_stay_as_they_were() -> None:
    state = torch.random.get_rng_state()
    exact(JENSEN_SHANNON, td.Gamma(real(2.0), real(1.0)), td.Gamma(real(3.0), real(2.0)))
    assert torch.equal(state, torch.random.get_rng_state())
    with pytest.raises(ValueError):
        td.Normal(0.0, -1.0)
