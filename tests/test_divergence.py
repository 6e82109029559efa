"""One object, three abilities: the exact value, the estimate and the limit belong together."""

import numpy as np
import pytest
from torch.distributions import Normal

import zerosum
from zerosum.errors import InputError

EXACT = {
    "jensen_shannon": 0.1114214821847361797,
    "kl": 0.5,
    "reverse_kl": 0.5,
    "total_variation": 0.3829249225480262,
}


@pytest.fixture(scope="module")
def samples() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    return rng.normal(0, 1, 4000), rng.normal(1, 1, 4000)


@pytest.mark.parametrize("name", EXACT)
def test_exact_estimate_and_bound_agree(name: str, samples: tuple[np.ndarray, np.ndarray]) -> None:
    """N(0,1) against N(1,1): exact to 1e-10, the estimate within 5 errors, the limit below the truth."""
    divergence = getattr(zerosum, name)
    exact = divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    assert exact.value == pytest.approx(EXACT[name], rel=1e-10)
    estimate = divergence.estimate(*samples)
    assert abs(estimate.value - EXACT[name]) < 5 * estimate.error + 0.02
    assert 0 < divergence.bound(*samples).lower < EXACT[name]


def test_samples_are_refused_where_densities_are_needed(samples: tuple[np.ndarray, np.ndarray]) -> None:
    for call in (zerosum.kl.estimate, zerosum.jensen_shannon.bound):
        with pytest.raises(InputError, match="x is a density, and samples were expected"):
            call(Normal(0.0, 1.0), np.zeros(100))
    with pytest.raises(InputError, match=r"kl\.estimate"):
        zerosum.kl(*samples)


def test_a_divergence_without_a_bound_says_which_have_one(samples: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(InputError, match="jensen_shannon"):
        zerosum.alpha(3.0).bound(*samples)


def test_different_dimensions_are_refused() -> None:
    with pytest.raises(InputError):
        zerosum.jensen_shannon.bound(np.zeros((100, 2)), np.zeros((100, 3)))
