"""The lens: embed and decode are inverse, circles close, edges hold."""

import math

import torch

from zerosum.game.lens import Lens


def test_embed_and_decode_are_inverse() -> None:
    lens = Lens((3,), periods=[(1, 2 * math.pi)])
    x = torch.stack(
        [torch.randn(50), torch.rand(50) * 2 * math.pi - math.pi, torch.randn(50)], dim=1
    ).double()
    torch.testing.assert_close(lens.decode(lens.embed(x)), x)
    assert lens.game_shape == (4,)


def test_an_angle_has_no_jump() -> None:
    """Just below pi and just above -pi are neighbours in the game."""
    lens = Lens((1,), periods=[(0, 2 * math.pi)])
    ends = lens.embed(torch.tensor([[math.pi - 1e-4], [-math.pi + 1e-4]]))
    assert (ends[0] - ends[1]).abs().max() < 1e-3


def test_projected_events_lie_inside_the_edges_and_on_the_circle() -> None:
    lens = Lens((3,), periods=[(2, 4.0)], low=[-1.0, None, None], high=[None, 0.5, None])
    raw = 5 * torch.randn(1000, 4)
    x = lens.decode(lens.project(raw))
    assert x[:, 0].min() >= -1
    assert x[:, 1].max() <= 0.5
    assert x[:, 2].abs().max() <= 2 + 1e-5
    torch.testing.assert_close(lens.embed(x), lens.project(raw), rtol=1e-4, atol=1e-4)


def test_edges_of_a_grid_belong_to_its_channels() -> None:
    lens = Lens((2, 4, 4), low=[0.0, None])
    projected = lens.project(torch.full((1, 2, 4, 4), -3.0))
    assert float(projected[0, 0].min()) == 0
    assert float(projected[0, 1].max()) == -3


class Sum:
    """A sight that shows the sum of the event and its condition."""

    seen = ("sum",)

    def __init__(self, instead: bool) -> None:
        self.instead = instead

    def __call__(self, x: torch.Tensor, c: torch.Tensor | None) -> torch.Tensor:
        return x.sum(1, keepdim=True) + (0 if c is None else c)


def test_the_view_adds_what_is_observed_or_puts_it_in_place_of_the_event() -> None:
    x, c = torch.randn(5, 2), torch.randn(5, 1)
    shown = Lens((2,), sight=Sum(instead=False)).view(x)
    torch.testing.assert_close(shown[:, 2], x.sum(1))
    torch.testing.assert_close(Lens((2,), sight=Sum(instead=True)).view(x, c), x.sum(1, keepdim=True) + c)
