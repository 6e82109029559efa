"""u and v against the convex functions that they come from, for every divergence at once."""

import numpy as np
import pytest

from zerosum.errors import InputError
from zerosum.evaluation.variational import DIVERGENCES, divergence

# f(r) and f'(r) with D_f(p, q) = E_q f(p/q); pearson is chi^2(p||q), neyman chi^2(q||p), hellinger 1 - BC.
CONVEX = {
    "jensen_shannon": (
        lambda r: (r * np.log(r) - (1 + r) * np.log((1 + r) / 2)) / 2,
        lambda r: np.log(2 * r / (1 + r)) / 2,
    ),
    "kl": (lambda r: r * np.log(r), lambda r: np.log(r) + 1),
    "reverse_kl": (lambda r: -np.log(r), lambda r: -1 / r),
    "jeffreys": (lambda r: (r - 1) * np.log(r), lambda r: np.log(r) + 1 - 1 / r),
    "total_variation": (lambda r: abs(r - 1) / 2, lambda r: np.sign(r - 1) / 2),
    "hellinger": (lambda r: (1 - np.sqrt(r)) ** 2 / 2, lambda r: (1 - 1 / np.sqrt(r)) / 2),
    "pearson": (lambda r: (r - 1) ** 2, lambda r: 2 * (r - 1)),
    "neyman": (lambda r: (1 - r) ** 2 / r, lambda r: 1 - 1 / r**2),
}
T = np.array([-3.0, -1.0, -0.1, 0.2, 0.9, 2.5])


@pytest.mark.parametrize("name", DIVERGENCES)
def test_the_terms_are_the_derivative_and_the_negative_conjugate(name):
    f, slope = CONVEX[name]
    r, row = np.exp(T), DIVERGENCES[name]
    total = row.reference(T)[:, None] + row.generated(T)[None, :]
    assert total == pytest.approx(slope(r)[:, None] + (f(r) - r * slope(r))[None, :], abs=1e-12)


@pytest.mark.parametrize("name", DIVERGENCES)
def test_any_logit_stays_below_and_the_optimal_one_is_exact(name):
    rng, row = np.random.default_rng(1), DIVERGENCES[name]
    p, q = rng.dirichlet(np.ones(12), 2) + 0.01
    p, q = p / p.sum(), q / q.sum()
    exact = q @ CONVEX[name][0](p / q)
    best = np.log(p / q)
    assert p @ row.reference(best) + q @ row.generated(best) == pytest.approx(exact)
    for _ in range(50):
        t = best + rng.normal(size=12)
        assert p @ row.reference(t) + q @ row.generated(t) <= exact + 1e-12


@pytest.mark.parametrize("name", DIVERGENCES)
def test_clipped_logits_give_terms_within_the_bounds(name):
    row = DIVERGENCES[name]
    t = np.linspace(-1.5, 1.5, 31)
    total = row.reference(t)[:, None] + row.generated(t)[None, :]
    assert (total.min(), total.max()) == pytest.approx(row.bounds(1.5))


def test_an_unknown_divergence_is_refused_with_the_names():
    with pytest.raises(InputError, match="choose among jensen_shannon"):
        divergence("wasserstein")
