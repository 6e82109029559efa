"""Clouds: the points are a set, places without a point are nothing, and the multiplicity is the data's."""

import numpy as np
import pytest
import torch

from zerosum.data.events import Events, Feature
from zerosum.data.transforms import Preprocessor
from zerosum.game.clouds import POINT_LATENT, CloudDiscriminator, CloudGenerator
from zerosum.game.lens import Lens
from zerosum.game.penalties import squared, with_gradient
from zerosum.training.config import Config
from zerosum.training.engine import Engine
from zerosum.training.setup import Setup, prepare

PLACES = 7


def cloud(n: int = 600, conditions: bool = False) -> Events:
    """Points on a circle around 0 with n ~ 1 + Binomial; with a condition, more points where it is 1."""
    rng = np.random.default_rng(0)
    kind = rng.integers(2, size=n)
    number = 1 + rng.binomial(PLACES - 1, np.where(conditions & (kind == 1), 0.8, 0.4))
    mask = np.arange(PLACES) < number[:, None]
    angle = rng.uniform(-np.pi, np.pi, (n, PLACES))
    values = np.stack([rng.normal(size=(n, PLACES)), angle, rng.exponential(size=(n, PLACES))], axis=2)
    return Events(
        np.where(mask[..., None], values, 0),
        (Feature("eta"), Feature("phi", "rad"), Feature("pt", "GeV")),
        "cloud",
        conditions=kind[:, None].astype(float) if conditions else None,
        condition_features=(Feature("kind"),) if conditions else (),
        mask=mask,
    )


def ready(events: Events) -> Setup:
    config = Config.of({"width": 16, "batch": 32, "steps": 10}).resolved(events)
    train, validation, _ = events.split((0.8, 0.1, 0.1), 0)
    return prepare(config, train, validation, Engine(device="cpu"))


def points(n: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    exists = (torch.arange(PLACES) < torch.randint(1, PLACES + 1, (n, 1))).double()
    x = torch.randn(n, 3, PLACES, dtype=torch.float64) * exists.unsqueeze(1)
    return torch.cat([exists.unsqueeze(1), x], 1), exists


def test_the_discriminator_does_not_see_the_order() -> None:
    discriminator = CloudDiscriminator((4, PLACES), 2, 16, 2).double()
    x, _ = points()
    c = torch.randn(6, 2, dtype=torch.float64)
    turned = x[:, :, torch.randperm(PLACES)]
    torch.testing.assert_close(discriminator(turned, c), discriminator(x, c), rtol=1e-12, atol=1e-12)


def test_places_without_a_point_have_no_gradient_and_no_influence() -> None:
    discriminator = CloudDiscriminator((4, PLACES), 0, 16, 2).double()
    x, exists = points()
    _, gradient = with_gradient(discriminator, x, None)
    assert float((gradient[:, 1:] * (1 - exists.unsqueeze(1))).detach().abs().max()) == 0
    (by_weights,) = torch.autograd.grad(squared(gradient).mean(), discriminator.lift.weight)
    assert float(by_weights.abs().max()) > 0


def test_the_generator_gives_as_many_points_as_it_is_told_and_permutes_with_its_latents() -> None:
    generator = CloudGenerator(5 + PLACES * POINT_LATENT, 1, (4, PLACES), 16, 2).double()
    z = torch.randn(PLACES, 5 + PLACES * POINT_LATENT, dtype=torch.float64)
    share = torch.arange(1, PLACES + 1, dtype=torch.float64).unsqueeze(1) / PLACES
    x = generator(z, share)
    assert x[:, 0].sum(1).tolist() == list(range(1, PLACES + 1))
    assert float((x[:, 1:] * (1 - x[:, :1])).detach().abs().max()) == 0
    order = torch.randperm(PLACES)
    own = z[:, : PLACES * POINT_LATENT].view(PLACES, PLACES, POINT_LATENT)[:, order].flatten(1)
    turned = generator(torch.cat([own, z[:, PLACES * POINT_LATENT :]], 1), torch.ones(PLACES, 1).double())
    straight = generator(z, torch.ones(PLACES, 1).double())
    torch.testing.assert_close(turned, straight[:, :, order], rtol=1e-12, atol=1e-12)


def test_standard_and_physical_are_inverse() -> None:
    events = cloud()
    preprocessor = Preprocessor.fit(events)
    values, mask = preprocessor.physical(preprocessor.standard(events))
    assert mask is not None
    np.testing.assert_array_equal(mask.numpy(), events.mask)
    np.testing.assert_allclose(values.numpy(), events.values, rtol=1e-4, atol=1e-5)


def test_the_lens_keeps_angles_and_empty_places_of_clouds() -> None:
    lens = Lens((4, PLACES), periods=[(2, 2 * np.pi)], cloud=True)
    x, exists = points()
    game = lens.embed(x)
    assert game.shape == (6, 5, PLACES)
    assert float((game[:, 1:] * (1 - exists.unsqueeze(1))).abs().max()) == 0
    torch.testing.assert_close(lens.project(game), game, rtol=1e-6, atol=1e-6)
    wrapped = torch.remainder(x[:, 2] + np.pi, 2 * np.pi) - np.pi
    torch.testing.assert_close(lens.decode(game)[:, 2] * exists, wrapped * exists, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("conditions", [False, True])
def test_the_multiplicity_is_that_of_the_data_given_the_conditions(conditions: bool) -> None:
    events = cloud(4000, conditions)
    setup = ready(events)
    generator = setup.training.game[-1].module
    given = torch.tensor([[-1.0], [1.0]]).repeat(2000, 1) if conditions else None
    with torch.no_grad():
        game = setup.lens.project(generator(setup.training.sampler.prior(4000), given))
    number = game[:, 0].sum(1).numpy()
    kinds = events.conditions[:, 0] if conditions else np.zeros(4000)
    asked = given[:, 0].numpy() > 0 if conditions else np.zeros(4000, bool)
    for kind in np.unique(kinds):
        wanted = events.mask.sum(1)[kinds == kind]
        found = number[asked == bool(kind)]
        error = np.hypot(wanted.std() / len(wanted) ** 0.5, found.std() / len(found) ** 0.5)
        assert abs(found.mean() - wanted.mean()) < 4 * error
        assert abs(found.std() - wanted.std()) < 4 * error
    assert setup.value(setup.training)["value"] < 0
