"""Properties that every row of the table has, all rows at once; and the optimality of the discriminator."""

import math
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zerosum.errors import InputError
from zerosum.theory.densities import Gaussian, Mixture
from zerosum.theory.exact import exact
from zerosum.theory.fdivergences import (
    HELLINGER,
    JENSEN_SHANNON,
    KL,
    REVERSE_KL,
    TABLE,
    TOTAL_VARIATION,
    alpha,
)
from zerosum.theory.quadrature import integrate
from zerosum.theory.tails import Cauchy, Laplace, StudentT

ROWS = {**TABLE, **{f"alpha({a:g})": alpha(a) for a in (-1.5, 0.3, 0.5, 2.5)}}
EVERY = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
U = torch.exp(torch.linspace(-6, 6, 241, dtype=torch.float64))
LN2 = math.log(2)


def real(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


@st.composite
def probabilities(draw, states: int = 5) -> np.ndarray:
    raw = draw(st.lists(st.floats(0.01, 1.0), min_size=states, max_size=states))
    return np.array(raw) / np.sum(raw)


def divergence(row, p: np.ndarray, q: np.ndarray) -> float:
    return float(row.pointwise(np.log(p), np.log(q)).sum())


@EVERY
def test_f_vanishes_at_one_and_is_convex_with_its_derivative(row) -> None:
    assert float(row.f(real(1.0))) == 0
    u = U.clone().requires_grad_()
    (slope,) = torch.autograd.grad(row.f(u).sum(), u)
    away = (U - 1).abs() > 1e-3
    torch.testing.assert_close(row.derivative(U)[away], slope[away], rtol=1e-9, atol=1e-12)
    assert (torch.diff(row.derivative(U)) >= -1e-12).all()


@EVERY
def test_fenchel_and_young_with_equality_at_the_derivative(row) -> None:
    t = row.derivative(U)
    gap = row.f(U)[:, None] + row.conjugate(t)[None, :] - U[:, None] * t[None, :]
    scale = 1 + (U[:, None] * t[None, :]).abs()
    assert (gap >= -1e-9 * scale).all()
    torch.testing.assert_close(torch.diagonal(gap / scale), torch.zeros_like(U), rtol=0, atol=1e-9)


@EVERY
def test_activation_reaches_every_ratio_and_agrees_with_the_conjugate(row) -> None:
    v = torch.linspace(-12, 12, 97, dtype=torch.float64)
    torch.testing.assert_close(
        row.conjugate_of_activation(v), row.conjugate(row.activation(v)), rtol=1e-7, atol=1e-9
    )
    assert (torch.diff(row.activation(v)) > 0).all()
    lowest, highest = row.activation(real(-1e6)), row.activation(real(1e6))
    assert lowest <= row.derivative(real(0.01)) <= row.derivative(real(100.0)) <= highest


@EVERY
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_neither_value_nor_gradient_overflows(row, dtype) -> None:
    v = torch.tensor([-1e6, -1e3, -90.0, 0.0, 90.0, 1e3, 1e6], dtype=dtype, requires_grad=True)
    for function in (row.activation, row.conjugate_of_activation):
        out = function(v)
        (gradient,) = torch.autograd.grad(out.sum(), v)
        assert torch.isfinite(out).all()
        assert torch.isfinite(gradient).all()


@EVERY
@given(p=probabilities(), q=probabilities())
@settings(max_examples=25, deadline=None)
def test_divergence_is_positive_bounded_symmetric_and_the_mean_of_f(row, p, q) -> None:
    value = divergence(row, p, q)
    mean_of_f = float((torch.from_numpy(q) * row.f(torch.from_numpy(p / q))).sum())
    assert value == pytest.approx(mean_of_f, rel=1e-6, abs=1e-9)
    assert -1e-12 <= value <= row.bound + 1e-12
    assert abs(divergence(row, p, p)) < 1e-12
    if np.abs(p - q).max() > 1e-3:
        assert value > 0
    if row.symmetric:
        assert value == pytest.approx(divergence(row, q, p), rel=1e-9, abs=1e-12)


@EVERY
def test_rows_that_claim_no_symmetry_have_none(row) -> None:
    p, q = np.array([0.7, 0.2, 0.1]), np.array([0.1, 0.1, 0.8])
    assert row.symmetric == (abs(divergence(row, p, q) - divergence(row, q, p)) < 1e-9)


@EVERY
@given(p=probabilities(), q=probabilities(), order=st.permutations(range(5)))
@settings(max_examples=10, deadline=None)
def test_relabelling_changes_nothing_and_merging_never_gains(row, p, q, order) -> None:
    value = divergence(row, p, q)
    assert divergence(row, p[list(order)], q[list(order)]) == pytest.approx(value, rel=1e-9, abs=1e-12)
    assert divergence(row, np.append(p[:3], p[3:].sum()), np.append(q[:3], q[3:].sum())) <= value + 1e-9


@EVERY
def test_invariance_under_a_bijection(row) -> None:
    """D_f of two densities and of their images under x -> exp(x), where the ratio is the same."""
    from torch import distributions as td

    p, q = Gaussian(0, 1), Gaussian(0.4, 1.2)
    images = [td.LogNormal(real(0.0), real(1.0)), td.LogNormal(real(0.4), real(1.2**0.5))]
    assert exact(row, *images).value == pytest.approx(exact(row, p, q).value, rel=1e-8)


@EVERY
def test_variational_bound_holds_and_is_reached(row) -> None:
    """E_p[T] - E_q[f*(T)] <= D_f for T of any function, with equality at T = f'(p/q)."""
    p, q = np.array([0.5, 0.2, 0.2, 0.1]), np.array([0.1, 0.3, 0.2, 0.4])
    a, b = torch.from_numpy(p), torch.from_numpy(q)
    value = divergence(row, p, q)
    best = row.derivative(a / b)
    assert float(a @ best - b @ row.conjugate(best)) == pytest.approx(value, rel=1e-9)
    for v in torch.randn(200, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)):
        assert float(a @ row.activation(v) - b @ row.conjugate_of_activation(v)) <= value + 1e-9


@given(p=probabilities(), q=probabilities(), r=probabilities())
@settings(max_examples=100, deadline=None)
def test_root_of_jensen_shannon_obeys_the_triangle_inequality(p, q, r) -> None:
    for a, b, c in permutations((p, q, r)):
        ab, bc, ac = (
            math.sqrt(max(divergence(JENSEN_SHANNON, *pair), 0)) for pair in ((a, b), (b, c), (a, c))
        )
        assert ac <= ab + bc + 1e-7


@given(p=probabilities(), q=probabilities())
@settings(max_examples=100, deadline=None)
def test_inequalities_between_rows(p, q) -> None:
    js, tv, h2, kl, back = (
        divergence(row, p, q) for row in (JENSEN_SHANNON, TOTAL_VARIATION, HELLINGER, KL, REVERSE_KL)
    )
    fraction = (1 - tv) / 2
    entropy = -sum(u * math.log(u) for u in (fraction, 1 - fraction) if u > 0)
    slack = 1e-12
    assert LN2 - entropy - slack <= js <= LN2 * tv + slack
    assert js <= (kl + back) / 4 + slack
    assert tv <= math.sqrt(kl / 2) + slack
    assert tv <= math.sqrt(1 - math.exp(-kl)) + slack
    assert h2 - slack <= tv <= math.sqrt(2 * h2) + slack


def test_kl_is_additive_over_independent_coordinates() -> None:
    pairs = [(Gaussian(0, 1), Gaussian(1, 4)), (Gaussian(2, 3), Gaussian(0, 1))]
    joint = [
        Gaussian([p.mean[0] for p in side], np.diag([p.covariance[0, 0] for p in side]))
        for side in zip(*pairs, strict=True)
    ]
    assert exact(KL, *joint).value == pytest.approx(sum(exact(KL, *pair).value for pair in pairs), rel=1e-12)


def test_value_at_the_equilibrium_of_a_unit_shift() -> None:
    """V* = -ln 4 + 2 D_JS of N(0, 1) and N(1, 1)."""
    value = -math.log(4) + 2 * exact(JENSEN_SHANNON, Gaussian(0, 1), Gaussian(1, 1)).value
    assert value == pytest.approx(-1.163451396750418259399991, rel=1e-12)


KNOWN = [
    (Gaussian(0, 1), Gaussian(1, 1)),
    (Gaussian(0, 1), Gaussian(1, 4)),
    (Laplace(0, 1), Laplace(1, 1)),
    (Cauchy(0, 1), StudentT(3, 1.0)),
    (Mixture([Gaussian(-2, 1), Gaussian(2, 1)]), Gaussian(0, 5)),
]


@pytest.mark.parametrize(("p", "q"), KNOWN, ids=["shift", "gaussians", "laplace", "tails", "mixture"])
def test_optimal_discriminator_gives_the_divergence_and_no_other_more(p, q) -> None:
    """V(D) = E_p[ln D] + E_q[ln(1-D)] at D* = p/(p+q) is -ln 4 + 2 D_JS, by quadrature to 1e-10."""
    breaks = np.unique(np.concatenate([[-np.inf, np.inf], p.landmarks[:, 0], q.landmarks[:, 0]]))

    def value(distort) -> float:
        def integrand(x):
            a, b = p.log_prob(x[:, None]), q.log_prob(x[:, None])
            logit = distort(a - b, x)
            return -np.exp(a) * np.logaddexp(0, -logit) - np.exp(b) * np.logaddexp(0, logit)

        return integrate(integrand, breaks)[0]

    optimum = value(lambda logit, x: logit)
    assert optimum == pytest.approx(-math.log(4) + 2 * exact(JENSEN_SHANNON, p, q).value, abs=1e-10)
    rng = np.random.default_rng(0)
    for scale, shift, wave, rate in rng.normal(size=(30, 4)):
        other = value(lambda logit, x: (1 + scale) * logit + shift + wave * np.sin(rate * x))  # noqa: B023
        assert other <= optimum + 1e-9


def test_limits_of_the_alpha_family_are_refused() -> None:
    for a, name in ((0.0, "reverse_kl"), (1.0, "kl")):
        with pytest.raises(InputError, match=name):
            alpha(a)


def test_integrand_where_a_density_vanishes() -> None:
    both, one = np.array([-np.inf, -np.inf, 0.0]), np.array([-np.inf, 0.0, -np.inf])
    np.testing.assert_allclose(JENSEN_SHANNON.pointwise(both, one), [0, LN2 / 2, LN2 / 2])
    np.testing.assert_array_equal(KL.pointwise(both, one), [0, 0, np.inf])
