"""Two small samples of every kind, and a comparison with every key."""

from typing import Any

import numpy as np
import pytest

from zerosum.data.events import Events, Feature


@pytest.fixture(scope="session")
def comparison() -> dict[str, Any]:
    certified = {"estimate": 0.03291, "error": 0.00151, "lower": 0.027494}
    return {
        "reference": {"path": "data.csv", "n": 1200},
        "generated": {"path": "generated.csv", "n": 1500},
        "seed": 17,
        "confidence": 0.9,
        "unit": "nats",
        "verdict": "The samples differ: D_JS >= 0.0275 nats at 90% confidence.",
        "jensen_shannon": certified | {"p_value": 0.00123, "null_floor": 0.00345},
        "kl_forward": {"estimate": 0.1331, "error": 0.0062, "lower": 0.11041},
        "kl_reverse": {"estimate": 0.1356, "error": 0.0065, "lower": 0.11248},
        "total_variation": {"estimate": 0.2229, "error": 0.0058, "lower": 0.20195},
        "auc": {"estimate": 0.6465, "error": 0.0033},
        "value": {"estimate": -1.3204, "error": 0.0030, "equilibrium": -1.3862944},
        "missing": {"fraction": 0.0412, "error": 0.0021},
        "invented": {"fraction": 0.0731, "error": 0.0027},
        "features": [
            {"name": "x", "jensen_shannon": 0.02341, "wasserstein": 1.327, "ks": 0.1167, "p_value": 0.0625},
            {"name": "y", "jensen_shannon": 0.00061, "wasserstein": None, "ks": 0.0201, "p_value": 1.0},
        ],
        "critics": [
            {"name": "linear", "estimate": 0.0007, "error": 0.0002},
            {"name": "network", "estimate": 0.0329, "error": 0.0015},
        ],
        "growing": True,
        "regions": [
            {
                "rule": "x > 2 and y < 1",
                "kind": "missing",
                "reference": {"fraction": 0.125, "error": 0.011},
                "generated": {"fraction": 0.004, "error": 0.001},
            }
        ],
        "metrics": [
            {
                "name": "FPD",
                "value": 0.0021,
                "error": 0.0004,
                "null": 0.0,
                "p_value": 0.005,
                "n": [1000, 1000],
            },
            {"name": "AUC", "value": 0.53, "error": 0.01, "null": 0.5, "p_value": None, "n": [1000, 1000]},
        ],
        "power": [{"distortion": "shift", "feature": "x", "strength": 0.08, "probability": 0.9}],
        "memorisation": {
            "share_closer": 0.52,
            "error": 0.02,
            "expected": 0.5,
            "p_value": 0.2,
            "copies": {"fraction": 0.001, "error": 0.001},
            "n": [100, 100, 100],
        },
        "notes": ["a note that must be seen"],
    }


@pytest.fixture(scope="session")
def tables() -> tuple[Events, Events]:
    rng = np.random.default_rng(5)
    names, units = ["x", "y", "n"], ["GeV", "", ""]
    first = np.c_[rng.normal(1, 1, (1200, 2)), rng.poisson(3, 1200)]
    second = np.c_[rng.normal(1.2, 1.1, (1500, 2)), rng.poisson(3, 1500)]
    return Events.table(first, names, units), Events.table(second, names, units)


@pytest.fixture(scope="session")
def grids() -> tuple[Events, Events]:
    return _grid(300, seed=1), _grid(400, seed=2)


def _grid(n: int, seed: int) -> Events:
    rng = np.random.default_rng(seed)
    energy = rng.uniform(1, 50, n)
    images = rng.gamma(0.5, energy[:, None, None] / 64, (n, 8, 8)) * (rng.random((n, 8, 8)) < 0.7)
    feature = Feature("E", "GeV")
    return Events.grid(images, ["cell"], "GeV", conditions=energy[:, None], condition_features=(feature,))


@pytest.fixture(scope="session")
def clouds() -> tuple[Events, Events]:
    rng = np.random.default_rng(6)
    features = tuple(map(Feature, ("pt", "eta", "phi"), ("GeV", "", "")))
    samples = [
        Events(rng.normal(size=(n, 9, 3)), features, kind="cloud", mask=rng.random((n, 9)) < 0.6)
        for n in (200, 300)
    ]
    return samples[0], samples[1]


@pytest.fixture(scope="session")
def history() -> list[dict[str, Any]]:
    steps = range(100, 90_100, 100)
    records: list[dict[str, Any]] = [
        {"step": step, "value": -1.2 - 0.18 * step / 90_000, "loss_generator": 0.7, "gradient_generator": 0.1}
        for step in steps
    ]
    records[3] |= {"js_estimate": 0.05, "js_error": 0.01, "loss_discriminator": None}
    records[800] |= {
        "js_estimate": 0.012,
        "warnings": ["the discriminator wins", "a mode < 2 is gone"],
    }
    records[801] |= {"warnings": ["the discriminator wins"]}
    return [*records, {"step": 90_100}]
