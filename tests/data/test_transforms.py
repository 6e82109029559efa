"""Every transform at once: exact inverse, Jacobian against autograd, edges, state; and the rule's choices."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from zerosum.data.chain import STEPS, Chain
from zerosum.data.discrete import CELL, Integers, Levels, Snap, Sparse, Spike
from zerosum.data.events import Events, Feature
from zerosum.data.rules import SAMPLE, condition_chain
from zerosum.data.selection import check_trainable
from zerosum.data.steps import Affine, Angle, Log, Logit, Probit, Warp
from zerosum.data.transforms import Preprocessor
from zerosum.errors import InputError

N = 4000
RNG = np.random.default_rng(3)


def grown(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


KNOTS = np.sort(RNG.normal(size=20)).tolist()
EXAMPLES = {
    "affine": (Affine(3.0, 0.2), RNG.normal(3, 1, N)),
    "angle": (Angle(), RNG.uniform(-math.pi, math.pi, N)),
    "log": (Log(20.0, 0.01), 20 + RNG.exponential(5, N)),
    "log below": (Log(2.0, 0.0, -1), 2 - RNG.exponential(5, N)),
    "probit": (Probit(-2.0, 3.0), RNG.uniform(-2, 3, N)),
    "logit": (Logit(0.0, 3.0), 3 * RNG.beta(0.5, 0.5, N)),
    "warp": (Warp(tuple(KNOTS), tuple((np.arange(20) ** 1.5).tolist())), RNG.normal(size=N)),
    "integers": (Integers(), RNG.poisson(1000, N).astype(float)),
    "levels": (Levels((-1.0, 0.5, 7.0)), RNG.choice([-1.0, 0.5, 7.0], N)),
    "snap": (Snap((-1.0, 1.0)), RNG.choice([-1.0, 1.0], N)),
    "spike": (Spike(0.0, 0.7), np.maximum(RNG.normal(size=N), 0.0)),
    "spike above": (Spike(1.0, 0.7, 1), np.minimum(RNG.normal(size=N), 1.0)),
    "sparse": (Sparse(0.1, 1.0), np.maximum(RNG.normal(size=N), 0.0) ** 3),
}
EXACT = {"integers", "levels", "snap"}
BOUNDS = {"log": (20, math.inf), "log below": (-math.inf, 2), "probit": (-2, 3), "logit": (0, 3)}
BOUNDS |= {
    "angle": (-math.pi, math.pi),
    "spike": (0, math.inf),
    "spike above": (-math.inf, 1),
    "sparse": (0, math.inf),
    "levels": (-1, 7),
}


def test_every_step_has_an_example() -> None:
    assert {type(step) for step, _ in EXAMPLES.values()} == set(STEPS.values())


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_inverse_inverts_and_the_state_is_complete(name: str) -> None:
    step, values = EXAMPLES[name]
    x = torch.from_numpy(values)
    chain = Chain((step, Affine(0.1, 2.0)))
    again = Chain.from_state(json.loads(json.dumps(chain.state())))
    assert again == chain
    y = chain.forward(x, grown())
    torch.testing.assert_close(again.inverse(y), x, rtol=1e-9, atol=1e-9 * float(x.std()))
    if name in EXACT:
        assert torch.equal(chain.inverse(y), x)
    if isinstance(step, Spike):
        assert torch.equal(chain.inverse(y) == step.value, x == step.value)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_jacobian_is_the_derivative(name: str) -> None:
    step, values = EXAMPLES[name]
    x = torch.from_numpy(values).requires_grad_()
    jacobian = step.log_jacobian(x.detach())
    assert jacobian.shape == x.shape
    if isinstance(step, Integers | Levels):  # the length of the interval that a value fills
        spread = step.forward(x.detach()[:1].expand(100_000), grown())
        torch.testing.assert_close(
            jacobian.exp(), torch.full_like(x, float(spread.max() - spread.min())), rtol=0, atol=1e-3
        )
        return
    (derivative,) = torch.autograd.grad(step.forward(x, grown()).sum(), x)
    continuous = torch.ones_like(jacobian, dtype=torch.bool)
    if isinstance(step, Spike | Sparse):
        continuous = x.detach() != (step.value if isinstance(step, Spike) else 0)
    torch.testing.assert_close(jacobian[continuous], derivative[continuous].log(), rtol=1e-9, atol=1e-9)
    if isinstance(step, Spike):
        assert jacobian[~continuous].unique().item() == pytest.approx(math.log(CELL * step.width))


@pytest.mark.parametrize("name", EXAMPLES)
def test_both_ways_rise_and_no_edge_is_passed(name: str) -> None:
    step, values = EXAMPLES[name]
    y = torch.linspace(-10, 10, 4001, dtype=torch.float64)
    x = step.inverse(y)
    assert torch.isfinite(x).all()
    assert (x.diff() >= 0).all() or (isinstance(step, Angle) and (x[y.abs() < math.pi].diff() >= 0).all())
    low, high = BOUNDS.get(name, (-math.inf, math.inf))
    assert low <= float(x.min())
    assert float(x.max()) <= high
    if not isinstance(step, Integers | Levels | Spike):
        assert (step.forward(torch.from_numpy(np.unique(values)), grown()).diff() >= 0).all()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_inverse_can_be_differentiated(name: str) -> None:
    y = torch.linspace(-2, 2, 50, dtype=torch.float64, requires_grad=True)
    x = EXAMPLES[name][0].inverse(y)
    if x.requires_grad:
        (gradient,) = torch.autograd.grad(x.sum(), y)
        assert torch.isfinite(gradient).all()
        assert (gradient >= 0).all()
    else:
        assert name in {"levels", "snap"}


MODES = RNG.choice([-4.0, -2.0, 0.0, 2.0, 4.0], N) + 0.05 * RNG.normal(size=N)
COLUMNS = {  # name: values, words of the description, range that generated values must keep
    "normal": (RNG.normal(5, 2, N), "standardised", None),
    "exponential": (RNG.exponential(3, N), "log, edge at 0", (0, math.inf)),
    "lognormal": (RNG.lognormal(0, 1.5, N), "log, edge at 0", (0, math.inf)),
    "cut": (20 + RNG.exponential(15, N), "log, edge at 20", (20, math.inf)),
    "below": (10 - RNG.exponential(1, N), "log, edge at 10", (-math.inf, 10)),
    "phi": (RNG.uniform(-math.pi, math.pi, N), "angle from -3.14 to 3.14", (-math.pi, math.pi)),
    "phi32": (np.float32([math.pi, -math.pi] * (N // 2)) * RNG.random(N), "angle", (-3.1415927, 3.1415927)),
    "cosine": (RNG.uniform(-1, 1, N), "probit, edges at -1 and 1", (-1, 1)),
    "arcsine": (RNG.beta(0.3, 0.3, N), "logit, edges at 0 and 1", (0, 1)),
    "cauchy": (RNG.standard_cauchy(N), "quantiles to a normal", None),
    "modes": (MODES, "standardised", None),
    "charge": (RNG.choice([-1, 1], N), "2 levels", (-1, 1)),
    "half": (RNG.choice([0.5, 1.5], N), "2 levels", (0.5, 1.5)),
    "counts": (RNG.poisson(4, N), "levels", (0, 20)),
    "many": (RNG.poisson(200, N), "integers", None),
    "iso": (np.where(RNG.random(N) < 0.5, 0, RNG.exponential(1, N)), "spike at 0", (0, math.inf)),
    "clipped": (np.minimum(RNG.exponential(1, N), 2.0), "spike at 2", (0, 2)),
}
TABLE = Events.table(np.stack([np.float64(values) for values, *_ in COLUMNS.values()], 1), list(COLUMNS))
FITTED = Preprocessor.fit(TABLE)


@pytest.mark.parametrize("name", COLUMNS)
def test_the_rule_chooses(name: str) -> None:
    i = TABLE.names.index(name)
    _, words, bounds = COLUMNS[name]
    assert words in FITTED.describe()[i]
    y = FITTED.forward(TABLE.values)[:, i]
    assert abs(float(y.mean())) < 0.1
    assert float(y.std()) == pytest.approx(1.0, abs=0.1)
    assert float(y.abs().max()) < 7
    x = FITTED.inverse(y[:, None].expand(-1, len(COLUMNS)))[:, i].numpy()
    np.testing.assert_allclose(x, TABLE.values[:, i], rtol=1e-4, atol=1e-5)
    chain, y64 = FITTED.chains[i], torch.from_numpy(TABLE.values[:, i])
    exact = chain.inverse(chain.forward(y64, grown()))
    torch.testing.assert_close(exact, y64, rtol=1e-9, atol=1e-9)
    if bounds:
        wide = chain.inverse(torch.linspace(-10, 10, 1001, dtype=torch.float64)).numpy()
        assert bounds[0] <= wide.min()
        assert wide.max() <= bounds[1]


def test_spikes_and_integers_survive_single_precision() -> None:
    x = FITTED.inverse(FITTED.forward(TABLE.values)).numpy()
    for name in ("charge", "half", "counts", "many"):
        np.testing.assert_array_equal(x[:, TABLE.names.index(name)], TABLE.column(name))
    iso = TABLE.names.index("iso")
    np.testing.assert_array_equal(x[:, iso] == 0, TABLE.values[:, iso] == 0)


def test_an_angle_goes_round() -> None:
    y = torch.linspace(-9, 9, 101, dtype=torch.float64)
    for step in (Angle(), Angle(0.0, 2 * math.pi)):
        x = step.inverse(y)
        torch.testing.assert_close((x.cos(), x.sin()), (y.cos(), y.sin()), rtol=0, atol=1e-12)


def test_warped_features_are_normal() -> None:
    y = FITTED.forward(TABLE.values).numpy()
    expected = np.array([-2.3263, -1.2816, 0.0, 1.2816, 2.3263])
    for name in ("exponential", "cut", "below", "cosine", "arcsine", "cauchy", "iso"):
        quantiles = np.quantile(y[:, TABLE.names.index(name)], [0.01, 0.1, 0.5, 0.9, 0.99])
        np.testing.assert_allclose(quantiles, expected, atol=0.25, err_msg=name)


def test_the_preprocessor_comes_back_from_json() -> None:
    again = Preprocessor.from_state(json.loads(json.dumps(FITTED.state())))
    assert again == FITTED
    assert torch.equal(again.forward(TABLE.values), FITTED.forward(TABLE.values))


def test_the_density_of_a_transformed_feature_is_normalised() -> None:
    # ∫ N(y(x)) |dy/dx| dx = 1: the standard density pulled back to physical units.
    i = TABLE.names.index("cut")
    x = torch.linspace(20.0, 400.0, 400_001, dtype=torch.float64)
    chain = FITTED.chains[i]
    y = chain.forward(x, grown())
    density = torch.exp(-0.5 * y**2 - 0.5 * math.log(2 * math.pi) + chain.log_jacobian(x, grown()))
    assert float(torch.trapezoid(density, x)) == pytest.approx(1.0, abs=0.02)


def test_log_jacobian_sums_over_the_event_at_the_same_random_numbers() -> None:
    expected = sum(
        chain.log_jacobian(torch.from_numpy(TABLE.values[:, i]), generator)
        for generator in [grown(0)]
        for i, chain in enumerate(FITTED.chains)
    )
    torch.testing.assert_close(FITTED.log_jacobian(TABLE.values), expected)


def test_the_probability_of_a_spike_is_its_share() -> None:
    events = Events.table(np.where(RNG.random(20_000) < 0.3, 0.0, RNG.exponential(1, 20_000)))
    fitted = Preprocessor.fit(events)
    y, jacobian = fitted.forward(events.values)[:, 0].double(), fitted.log_jacobian(events.values)
    probability = torch.exp(-0.5 * y**2 - 0.5 * math.log(2 * math.pi) + jacobian)
    spike = torch.from_numpy(events.values[:, 0] == 0)
    assert float(1 / (1 / probability[spike]).mean()) == pytest.approx(0.3, abs=0.02)


def test_sparse_images_keep_their_zeros() -> None:
    images = np.where(RNG.random((200, 1, 8, 8)) < 0.4, 0.0, RNG.lognormal(0, 2, (200, 1, 8, 8)))
    fitted = Preprocessor.fit(Events.grid(images, unit="GeV"))
    y = fitted.forward(images)
    x = fitted.inverse(y).numpy()
    np.testing.assert_array_equal(x == 0, images == 0)
    np.testing.assert_allclose(x, images, rtol=1e-4)
    assert (float(y.mean()), float(y.std())) == pytest.approx((0, 1), abs=0.01)
    assert fitted.inverse(torch.full((1, 1, 2, 2), -10.0)).eq(0).all()


@pytest.mark.parametrize("levels", [[-1.0, 1.0], np.arange(17.0)])
def test_spins_and_grey_values_come_back_exactly_from_nearby(levels) -> None:
    images = RNG.choice(levels, (100, 1, 4, 4))
    fitted = Preprocessor.fit(Events.grid(images))
    noise = 0.05 * torch.rand(images.shape, generator=grown())
    np.testing.assert_array_equal(fitted.inverse(fitted.forward(images) + noise).numpy(), images)


def test_dense_fields_are_scaled_channel_by_channel() -> None:
    fields = RNG.normal([[[[3.0]], [[-50.0]]]], [[[[2.0]], [[10.0]]]], (300, 2, 4, 4))
    y = Preprocessor.fit(Events.grid(fields, ("a", "b"))).forward(fields)
    torch.testing.assert_close(y.mean((0, 2, 3)), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.std((0, 2, 3)), torch.ones(2), atol=1e-3, rtol=0)


@pytest.mark.parametrize("kind", ["table", "cloud", "grid"])
def test_each_feature_has_its_own_chain_whatever_stands_beside_it(kind: str) -> None:
    """Those that are only standardised are done at once, to the same bits."""
    axis, shape = (
        (1, (200, 4, 5, 6)) if kind == "grid" else (-1, (200, 4) if kind == "table" else (200, 7, 4))
    )
    chains = (Chain((Affine(3.0, 0.2),)), Chain((Log(-9.0, 0.1), Affine(1.0, 0.3))))
    chains += (Chain((Affine(-1.0, 7.0),)), Chain((Integers(),)))
    values, features = RNG.normal(size=shape), tuple(Feature(name) for name in "abcd")
    found = Preprocessor(kind, features, chains).forward(values, grown())
    generator, columns = grown(), torch.from_numpy(values).unbind(axis)
    expected = [chain.forward(x, generator) for chain, x in zip(chains, columns, strict=True)]
    assert torch.equal(found, torch.stack(expected, axis).float())


def test_clouds_are_fitted_under_their_mask() -> None:
    mask = RNG.random((500, 6)) < 0.5
    points = np.where(mask[..., None], RNG.normal(100, 2, (500, 6, 2)), 0.0)
    fitted = Preprocessor.fit(Events(points, (Feature("a"), Feature("b")), "cloud", mask=mask))
    y = fitted.forward(points, mask=mask)
    assert not y[~torch.from_numpy(mask)].any()
    assert abs(float(y[torch.from_numpy(mask)].mean())) < 0.01
    np.testing.assert_allclose(fitted.inverse(y, mask=mask).numpy(), points, rtol=1e-6)
    assert fitted.log_jacobian(points, mask=mask)[0] == pytest.approx(
        -mask[0].sum() * 2 * math.log(2), abs=0.7
    )


def test_conditions_over_decades_become_logarithms() -> None:
    assert "log" in str(condition_chain(10 ** RNG.uniform(3, 6, 1000), 0))
    assert str(condition_chain(RNG.normal(50, 1, 1000), 0)) == "standardised"
    events = replace(
        TABLE, conditions=10 ** RNG.uniform(3, 6, (N, 1)), condition_features=(Feature("E", "MeV"),)
    )
    c = Preprocessor.fit(events).forward_conditions(events.conditions)
    assert (float(c.mean()), float(c.std())) == pytest.approx((0, 1), abs=0.01)


def test_the_extremes_of_large_samples_stay_inside() -> None:
    values = 5 + RNG.exponential(1, 3 * SAMPLE)
    values[123_456] = 5.0
    (chain,) = Preprocessor.fit(Events.table(values)).chains
    assert float(chain.inverse(chain.forward(torch.tensor([5.0], dtype=torch.float64), grown()))) == 5.0


def test_constant_columns_cannot_be_trained() -> None:
    with pytest.raises(InputError, match="column b has the same value in all 3 rows"):
        check_trainable(Events.table([[1, 2], [2, 2], [3, 2]], ["a", "b"]))
    with pytest.raises(InputError, match="1 event"):
        check_trainable(Events.table([[1.0, 2.0]]))
