"""Every penalty against its closed form on a linear discriminator, and both ways to the input gradient."""

import gc
import math
from collections.abc import Callable

import pytest
import torch
from tests.game.differentiated import assert_as_autograd
from torch import Tensor, nn

from zerosum.game.networks import FAMILIES
from zerosum.game.objectives import OBJECTIVES
from zerosum.game.penalties import PENALTIES, Scored, with_gradient

SHAPES = [(3,), (2, 8, 8), (1, 4, 6, 5)]


class Linear(nn.Module):
    """c(x) = a . x for events of any shape."""

    def __init__(self, slope: Tensor) -> None:
        super().__init__()
        self.slope = nn.Parameter(slope)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        return (x * self.slope).flatten(1).sum(1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", [name for name, penalty in PENALTIES.items() if penalty])
def test_penalty_is_exact_on_a_linear_discriminator(name: str, shape: tuple[int, ...]) -> None:
    """With c(x) = a.x the gradient is a for every event, so each penalty is a number in |a|."""
    slope = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    norm2 = float(slope.square().sum())
    expected = {
        "r1": norm2 / 2,
        "r2": norm2 / 2,
        "r1r2": norm2,
        "gradient": (math.sqrt(norm2) - 1) ** 2,
        "gradient_zero": norm2,
    }[name]
    critic = Linear(slope)
    events = torch.randn(14, *shape)
    _, gradient = with_gradient(critic, events, None)
    penalty = PENALTIES[name]
    assert penalty is not None
    found = penalty(Scored(critic, events, None, gradient, torch.Generator()))
    assert found.detach().item() == pytest.approx(expected, rel=1e-5)
    (by_slope,) = torch.autograd.grad(found, critic.slope)
    factor = {"r1": 1.0, "r2": 1.0, "gradient": 2 - 2 / math.sqrt(norm2)}.get(name, 2.0)
    torch.testing.assert_close(by_slope, factor * slope, rtol=1e-5, atol=1e-6)


def test_gradient_penalty_vanishes_where_every_gradient_has_norm_one() -> None:
    """The norm is taken for each event: with |grad c| = 1 everywhere the penalty is 0, whatever the batch."""
    critic = Linear(torch.full((4,), 0.5))
    events = torch.randn(128, 4)
    _, gradient = with_gradient(critic, events, None)
    penalty = PENALTIES["gradient"]
    assert penalty is not None
    found = penalty(Scored(critic, events, None, gradient, torch.Generator()))
    assert found.detach().item() == pytest.approx(0, abs=1e-9)


COSTS = {
    "logits": lambda logits, gradient: logits.exp().mean(),
    "gradient": lambda logits, gradient: gradient.square().sum(),
    "both": lambda logits, gradient: (logits.exp() * gradient.flatten(1).square().sum(1)).mean(),
}


@pytest.mark.parametrize("cost", COSTS.values(), ids=COSTS)
@pytest.mark.parametrize("joint", [False, True], ids=["parameters", "events too"])
@pytest.mark.parametrize("conditions", [0, 2])
@pytest.mark.parametrize(("kind", "shape"), [("table", (3,)), ("grid", (2, 11, 9)), ("grid", (1, 8, 8, 9))])
def test_input_gradient_is_that_of_autograd(
    kind: str,
    shape: tuple[int, ...],
    conditions: int,
    joint: bool,
    cost: Callable[[Tensor, Tensor], Tensor],
) -> None:
    """One more pass forward equals double backward: logits, input gradient, and the gradient of any cost."""
    torch.manual_seed(1)
    critic = FAMILIES[kind].discriminator(shape, conditions, width=8, depth=3).double()
    x = torch.randn(6, *shape, dtype=torch.float64, requires_grad=joint)
    c = torch.randn(6, conditions, dtype=torch.float64) if conditions else None
    assert_as_autograd(critic, x, c, cost)


@pytest.mark.parametrize("pairs", [6, 128, 255])
@pytest.mark.parametrize(("kind", "shape"), [("table", (3,)), ("grid", (2, 11, 9)), ("grid", (1, 8, 8, 9))])
def test_differences_leave_no_rounding_error_in_what_cancels(
    kind: str, shape: tuple[int, ...], pairs: int
) -> None:
    """c(x) - c(G(z)) does not know c's bias, nor that of a unit with one slope for all events: gradients exactly 0."""
    torch.manual_seed(2)
    critic = FAMILIES[kind].discriminator(shape, 0, width=8, depth=3)
    last = [layer for layer in critic.modules() if isinstance(layer, nn.Linear)][-2:]
    with torch.no_grad():
        last[0].bias += torch.where(torch.arange(len(last[0].bias)) % 2 == 0, 100.0, -100.0)
    logits, gradient = with_gradient(critic, torch.randn(2 * pairs, *shape), None)
    loss = OBJECTIVES["relativistic"].discriminator(*logits.chunk(2)).mean() + gradient.square().mean()
    for bias in torch.autograd.grad(loss, [layer.bias for layer in last]):
        assert not bias.any()


def test_a_scored_batch_is_freed_when_it_is_let_go() -> None:
    """No cycle keeps a batch's tensors alive until the garbage collector looks."""
    critic = FAMILIES["table"].discriminator((3,), 0, width=8, depth=3)
    gc.collect()
    gc.disable()
    try:
        before = alive()
        for _ in range(3):
            logits, gradient = with_gradient(critic, torch.randn(6, 3), None)
            torch.autograd.grad(logits.sum() + gradient.square().sum(), list(critic.parameters()))
        del logits, gradient
        assert alive() == before
    finally:
        gc.enable()


def alive() -> int:
    """How many layers with their tensors are held somewhere."""
    return sum(type(thing).__module__ == "zerosum.game.layers" for thing in gc.get_objects())
