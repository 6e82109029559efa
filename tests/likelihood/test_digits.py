"""A VAE's ELBO on handwritten digits, in nats per digit, with the de-quantisation accounted for.

A digit has 64 pixels of 17 grey levels. The model sees y = level + u with u uniform in a cell of volume
V = (1 - 2 MARGIN)^64, so that by Jensen's inequality the discrete digit has

    ln P(x) = ln of the integral of p(y) over the cell >= E_u[ln p(x + u)] + ln V >= E_u[ELBO(x + u)] + ln V,

where the log-Jacobian of the transforms has the ln V.
"""

import math

import numpy as np
import pytest
import torch
from scipy.special import ndtr
from sklearn.datasets import load_digits

from zerosum.data.discrete import MARGIN, Levels
from zerosum.data.events import Events
from zerosum.data.transforms import Preprocessor
from zerosum.likelihood.decoders import LevelsDecoder
from zerosum.likelihood.vae import VAE
from zerosum.workflow import Run

PIXELS, LEVELS = 64, 17
LN_VOLUME = PIXELS * math.log1p(-2 * MARGIN)
UNIFORM = -PIXELS * math.log(LEVELS)


@pytest.fixture(scope="module")
def digits() -> Events:
    images = load_digits().images.astype(np.float32)
    return Events.grid(images[np.random.default_rng(0).permutation(len(images)), None], ["grey"])


def test_the_cell_of_one_level_has_the_volume_that_the_bound_needs() -> None:
    """One pixel under a normal density, where the level's probability is known: the bound holds and is near."""
    levels = torch.arange(LEVELS, dtype=torch.float64).repeat_interleave(4000)
    y = Levels(tuple(map(float, range(LEVELS)))).forward(levels, torch.Generator().manual_seed(0)).numpy()
    mean, width = 8.0, 5.0
    ln_p = -0.5 * ((y - mean) / width) ** 2 - math.log(width) - 0.5 * math.log(2 * math.pi)
    bound = ln_p.reshape(LEVELS, -1).mean(1) + math.log1p(-2 * MARGIN)
    edges = ndtr((np.arange(LEVELS + 1) - mean) / width)
    exact = np.log(np.diff(edges))
    assert (bound < exact).all()
    np.testing.assert_allclose(bound, exact, atol=0.02)
    assert y.min() >= MARGIN
    assert (np.abs(y - np.floor(y) - 0.5) <= 0.5 - MARGIN).all()


def test_the_jacobian_of_digits_has_the_scale_and_the_volume(digits: Events) -> None:
    """ln |dz/dy| of z = (y - m) / s is -ln s for each pixel, whatever the levels, and ln V of their cells."""
    transforms = Preprocessor.fit(digits, seed=0, density=True)
    (chain,) = transforms.chains
    assert isinstance(chain.steps[0], Levels)
    jacobian = np.asarray(transforms.log_jacobian(digits.values))
    scale = -PIXELS * math.log(chain.steps[-1].scale)  # type: ignore[attr-defined]
    np.testing.assert_allclose(jacobian, scale + LN_VOLUME, rtol=1e-5)


@pytest.fixture(scope="module")
def run(digits: Events, tmp_path_factory: pytest.TempPathFactory) -> Run:
    choices = {"model": "vae", "steps": 600, "judgements": 0}
    made = Run.start(digits, tmp_path_factory.mktemp("digits") / "run", choices)
    for _ in made.play():
        pass
    return made


@torch.no_grad()
def test_elbo_is_below_the_importance_bound_and_above_the_frequencies_of_levels_pixel_by_pixel(
    run: Run, digits: Events
) -> None:
    model, test = run.model, run.test
    vae = model.generator
    assert isinstance(vae, VAE)
    assert isinstance(vae.decoder, LevelsDecoder)
    standard = model.preprocessor.forward(test.values)
    jacobian = torch.as_tensor(model.preprocessor.log_jacobian(test.values)).double()
    elbo = vae.elbo(standard, None, torch.Generator().manual_seed(1))[0].double() + jacobian
    bounds = [float(elbo.mean()), float(model.log_prob(test).mean())]
    assert bounds == sorted(bounds)
    assert bounds[1] < 0  # a probability

    # Independent pixels with the training's own frequencies (Laplace's rule), which know what is always empty.
    learned, seen = (
        np.rint(part.values).reshape(-1, PIXELS).astype(int) for part in (run.train_events, test)
    )
    counts = np.stack([np.bincount(pixel, minlength=LEVELS) for pixel in learned.T]) + 1
    frequencies = counts / counts.sum(1, keepdims=True)
    independent = np.log(frequencies[np.arange(PIXELS), seen]).sum(1).mean()
    assert UNIFORM < independent < bounds[0] - 5, (UNIFORM, independent, bounds)
