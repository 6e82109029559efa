"""Every critic of every ladder learns ln p/q where it is known, and says nothing where there is nothing."""

import numpy as np
import pytest

from zerosum.data.events import Events, Feature
from zerosum.evaluation.critics import STACK, Polynomial, fit_panel, ladder
from zerosum.evaluation.logistic import balanced, log_loss, logistic
from zerosum.evaluation.neural import Network, Points, Rows, View
from zerosum.evaluation.summaries import Scale, names, rows

N = 1000


def table(shift, seed, n=N):
    x = np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)
    x[:, 0] += shift
    return Events.table(x)


def spins(bias, seed, n=N):
    """Independent spins in pairs of neighbours that agree with probability (1 + bias)/2."""
    rng = np.random.default_rng(seed)
    first = rng.choice([-1.0, 1.0], (n, 4, 2))
    agree = np.where(rng.random((n, 4, 2)) < (1 + bias) / 2, 1.0, -1.0)
    return Events.grid(np.stack([first, first * agree], axis=-1).reshape(n, 4, 4).astype(np.float32))


def cloud(scale, seed, n=N):
    rng = np.random.default_rng(seed)
    points = rng.exponential(scale, (n, 6, 2)).astype(np.float32)
    mask = np.arange(6) < rng.integers(0, 7, n)[:, None]
    points[~mask] = np.nan
    return Events(points, (Feature("pt"), Feature("e")), kind="cloud", mask=mask)


def js(panel, pair):
    """Held-out Jensen-Shannon bound of each critic of a panel."""
    label, weight = balanced(*pair)
    scores = np.concatenate([panel.logits(events) for events in pair], axis=1)
    return {name: np.log(2) - log_loss(t, label, weight) for name, t in zip(panel.names, scores, strict=True)}


@pytest.mark.parametrize(
    ("make", "p", "q", "low"), [(table, 1.0, 0.0, 0.09), (spins, 0.3, 0.0, 0.04), (cloud, 1.0, 1.5, 0.05)]
)
def test_each_ladder_finds_a_difference(make, p, q, low):
    fit, tune, held = ((make(p, 10 + i), make(q, 20 + i)) for i in range(3))
    panel = fit_panel(ladder(fit[0]), fit, tune, seed=0)
    seen = js(panel, held)
    assert seen[STACK] > low
    assert list(seen)[-1] == STACK
    assert seen[list(seen)[-2]] > 0.5 * low


@pytest.mark.parametrize("make", [table, pytest.param(spins, marks=pytest.mark.slow), cloud])
def test_no_critic_invents_a_difference(make):
    value = 1.0 if make is cloud else 0.0
    fit, tune, held = ((make(value, 10 + i), make(value, 20 + i)) for i in range(3))
    seen = js(fit_panel(ladder(fit[0]), fit, tune, seed=0), held)
    assert max(seen.values()) < 0.004


def test_linear_critic_recovers_the_log_ratio_with_unequal_samples():
    reference, generated = table(1.0, 1, 9000), table(0.0, 2, 3000)
    critic = Polynomial("linear", 1).fit(reference, generated, reference, generated, seed=0)
    grid = np.zeros((5, 3), np.float32)
    grid[:, 0] = np.linspace(-1, 2, 5)
    assert critic.logit(Events.table(grid)) == pytest.approx(grid[:, 0] - 0.5, abs=0.25)


def test_conditions_are_inputs():
    rng = np.random.default_rng(3)
    c, d = rng.normal(size=(2, 4000, 1))
    x, y = c + rng.normal(size=(4000, 1)), rng.normal(0, np.sqrt(2), (4000, 1))

    def events(values, given, part):
        more = {"conditions": given[part], "condition_features": (Feature("c"),)}
        return Events.table(values[part].astype(np.float32), **more)

    fit, tune, held = (
        (events(x, c, part), events(y, d, part))
        for part in (slice(0, 2000), slice(2000, 2500), slice(2500, None))
    )
    seen = js(fit_panel(ladder(fit[0]), fit, tune, seed=0), held)
    assert seen["linear"] < 0.01  # both marginal distributions agree
    assert min(seen["quadratic"], seen["network"]) > 0.04


def test_fits_repeat_with_the_seed():
    fit, tune = ((table(0.5, i, 500), table(0.0, i + 50, 500)) for i in (1, 2))
    probe = table(0.0, 9, 50)
    first, second, other = (fit_panel(ladder(probe), fit, tune, seed=s).logits(probe) for s in (4, 4, 5))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_points_are_a_set():
    events = cloud(1.0, 4, 200)
    network = Network("deep sets", View.of_cloud, Points)
    fitted = network.fit(events, cloud(2.0, 5, 200), events, cloud(2.0, 6, 200), seed=0)
    order = np.random.default_rng(0).permutation(6)
    shuffled = Events(events.values[:, order], events.features, kind="cloud", mask=events.mask[:, order])
    assert fitted.logit(shuffled) == pytest.approx(fitted.logit(events), abs=1e-4)


def test_networks_see_rows_of_any_kind():
    reference, generated = spins(0.4, 1, 400), spins(0.0, 2, 400)
    fitted = Network("network", View.of_rows, Rows).fit(reference, generated, reference, generated, seed=0)
    assert fitted.logit(reference).mean() > fitted.logit(generated).mean()


def test_rows_have_names_and_scales_survive_constants():
    for events in (table(0.0, 1, 20), spins(0.0, 1, 20), cloud(1.0, 1, 20)):
        assert rows(events).shape == (20, len(names(events)))
        assert np.isfinite(rows(events)).all()
    scale = Scale.fit(np.array([[1.0, 5.0]] * 9 + [[1.0, 7.0]]))
    assert np.isfinite(scale(np.array([[1.0, 6.0], [2.0, 1e9]]))).all()


def test_logistic_regression_weights_count_events():
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(300, 2)), rng.integers(0, 2, 300).astype(float)
    w = rng.integers(1, 4, 300)
    weighted = logistic(x, y, w.astype(float), ridge=1.0)
    assert weighted == pytest.approx(
        logistic(np.repeat(x, w, 0), np.repeat(y, w), np.ones(w.sum()), ridge=1.0), abs=1e-5
    )
