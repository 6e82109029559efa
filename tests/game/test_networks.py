"""Networks: shapes for any number of features and any grid side, and that events do not influence one another."""

import pytest
import torch

from zerosum.errors import InputError
from zerosum.game.networks import FAMILIES, family_for

SHAPES = [("table", (1,)), ("table", (17,))] + [
    ("grid", shape) for shape in [(1, 8, 8), (3, 9, 13), (1, 28, 28), (2, 50, 64), (1, 8, 12, 10)]
]


@pytest.mark.parametrize("conditions", [0, 3])
@pytest.mark.parametrize(("kind", "shape"), SHAPES)
def test_shapes(kind: str, shape: tuple[int, ...], conditions: int) -> None:
    family = family_for(kind, shape)
    generator = family.generator(5, conditions, shape, width=8, depth=3)
    discriminator = family.discriminator(shape, conditions, width=8, depth=3)
    z = torch.randn(4, 5)
    c = torch.randn(4, conditions) if conditions else None
    events = generator(z, c)
    assert events.shape == (4, *shape)
    assert discriminator(events, c).shape == (4,)


@pytest.mark.parametrize(("kind", "shape"), SHAPES)
def test_an_event_does_not_depend_on_the_others_in_the_batch(kind: str, shape: tuple[int, ...]) -> None:
    """No layer mixes events, so penalties belong to one event and batches may have any size."""
    generator = FAMILIES[kind].generator(5, 0, shape, width=8, depth=3).double()
    z = torch.randn(6, 5, dtype=torch.float64)
    torch.testing.assert_close(generator(z)[:2], generator(z[:2]), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("side", [4, 7, 65])
def test_a_grid_of_another_size_is_refused_with_its_sides(side: int) -> None:
    with pytest.raises(InputError, match=f"{side} x {side}"):
        family_for("grid", (1, side, side))
