"""The density of de-quantised values bounds their probability from below, as near as it is flat within a cell."""

import numpy as np
import pytest
import torch
from scipy.special import ndtri

from zerosum.data.chain import Chain
from zerosum.data.discrete import CELL, Integers, Levels, Spike
from zerosum.data.rules import channel_chain, feature_chain
from zerosum.data.steps import Affine

RNG = np.random.default_rng(5)
GRID = torch.from_numpy(ndtri((np.arange(4_000_000) + 0.5) / 4_000_000))  # a standard normal, as equal parts

COLUMNS = {
    "whole numbers": RNG.poisson(1000, 20_000).astype(float),
    "counts": RNG.poisson(100, 20_000).astype(float),
    "few levels": RNG.choice([0.0, 1.0, 2.0, 5.0], 20_000, p=[0.4, 0.3, 0.2, 0.1]),
    "spike": np.where(RNG.random(20_000) < 0.3, 0.0, RNG.exponential(1, 20_000)),
}
CHAINS = {name: (feature_chain(values, 0), values) for name, values in COLUMNS.items()} | {
    "grey levels": (
        channel_chain(RNG.binomial(15, 0.4, 20_000).astype(float), 0, density=True),
        RNG.binomial(15, 0.4, 2000).astype(float),
    ),
    "narrow": (Chain((Integers(), Affine(3.5, 0.3))), np.array([2.0, 3.0, 4.0])),
}


@pytest.mark.parametrize("name", CHAINS)
def test_the_mean_log_density_is_at_most_the_log_probability(name: str) -> None:
    """For a standard normal of the transformed feature: P(x) is its mass that comes back as x, counted on a grid."""
    chain, values = CHAINS[name]
    assert any(isinstance(step, Integers | Levels | Spike) for step in chain.steps)
    back = chain.inverse(GRID).numpy()
    random, seen = torch.Generator().manual_seed(0), np.unique(values)
    common = seen[:1] if name == "spike" else seen[np.isin(seen, values)][:: max(len(seen) // 20, 1)]
    for value in common:
        probability = np.mean(back == value)
        if probability < 1e-4:
            continue
        x = torch.full((20_000,), float(value), dtype=torch.float64)
        y = chain.forward(x, random)
        terms = -0.5 * y**2 - 0.5 * np.log(2 * np.pi) + chain.log_jacobian(x, random)
        error = float(terms.std()) / np.sqrt(len(x)) + 0.5 / np.sqrt(4e6 * probability) * 0.01
        gap = np.log(probability) - float(terms.mean())
        assert gap > -4 * error - 1e-5, f"{value}: above by {-gap}"
        if name == "whole numbers":
            assert gap == pytest.approx(
                -np.log(CELL), abs=4 * error
            )  # flat, and in the margins between cells, too


def test_a_flat_density_gives_the_probability_itself() -> None:
    """A density that is P(x)/V on the filled part of each cell, and 0 between them, is the best: no gap is left."""
    p = np.array([0.5, 0.3, 0.2])
    for step in (Integers(), Levels((0.0, 1.0, 2.0))):
        for value in (0.0, 1.0, 2.0):
            x = torch.full((1000,), value, dtype=torch.float64)
            y = step.forward(x, torch.Generator().manual_seed(1))
            volume = step.log_jacobian(x).exp()
            assert (y - y.floor() >= (1 - volume) / 2).all()
            log_density = np.log(p[int(value)]) - volume.log()
            np.testing.assert_allclose((log_density + step.log_jacobian(x)).numpy(), np.log(p[int(value)]))
