"""Known densities as sources: what is drawn has the density that is said, and depends on the seed alone."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

from zerosum.data.events import Events
from zerosum.data.formats import load
from zerosum.errors import InputError
from zerosum.theory.sources import DENSITIES, density_named
from zerosum.workflow import simulate

ONE_COLUMN = [name for name in DENSITIES if name != "gaussian"]


@pytest.mark.parametrize("name", ONE_COLUMN)
def test_the_drawn_events_have_the_density(name: str) -> None:
    """Counts in bins against the integral of exp(ln p) over each; the tails beyond are bins, too."""
    x = np.sort(Events.joined(list(DENSITIES[name].stream(20_000, seed=1))).values[:, 0])
    edges = np.quantile(x, np.linspace(0.05, 0.95, 10))
    density = density_named(name)
    shares = [
        integrate.quad(lambda t: float(np.exp(density.log_prob(np.array([[t]])))[0]), a, b)[0]
        for a, b in pairwise(edges)
    ]
    inside = stats.chisquare(
        np.histogram(x, edges)[0], 20_000 * 0.9 * np.array(shares) / np.sum(shares)
    ).pvalue
    assert inside > 1e-4
    assert sum(shares) == pytest.approx(0.9, abs=0.02)


def test_gaussian_columns_have_the_correlation() -> None:
    events = Events.joined(list(DENSITIES["gaussian"].stream(20_000, seed=1, dimensions=3, correlation=0.3)))
    assert events.names == ["x1", "x2", "x3"]
    np.testing.assert_allclose(np.cov(events.values.T), 0.3 + 0.7 * np.eye(3), atol=0.04)


def test_the_first_events_do_not_depend_on_the_number() -> None:
    few, many = (next(DENSITIES["mixture"].stream(n, seed=3)) for n in (300, 5_000))
    np.testing.assert_array_equal(few.values, many.values[:300])


def test_options_from_the_outside(tmp_path: Path) -> None:
    simulate("mixture", 4_000, tmp_path / "m.csv", means=[-5, 5], weights=[1, 3], sigmas=0.1)
    x = load(tmp_path / "m.csv").values[:, 0]
    assert (x > 0).mean() == pytest.approx(0.75, abs=0.03)
    assert np.std(x[x > 0]) == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mixture", {"means": [1, 2, 3], "sigmas": [1, 2]}),
        ("mixture", {"sigmas": -1.0}),
        ("mixture", {"nothing": 1}),
        ("gaussian", {"dimensions": 0}),
        ("gaussian", {"correlation": 2.0}),
        ("cauchy", {"scale": -1.0}),
        ("nothing", {}),
    ],
)
def test_what_is_no_density_is_refused(name: str, options: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(InputError):
        simulate(name, 100, tmp_path / "x.npy", **options)
