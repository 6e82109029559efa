"""Optimisers of games where theory knows the answer: those that must converge do, those that must cycle or diverge do.

Bilinear game: L_1 = theta_1 theta_2 = -L_2 (Gidel et al. 2019, arXiv:1802.10551, section 3). DiracGAN: p_data a point
mass at 0, p_g one at theta, D(x) = psi x, so V = ln sigma(0) + ln(1 - sigma(psi theta)) (Mescheder et al. 2018,
arXiv:1801.04406, definition 2.1). The equilibrium of both is (0, 0).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zerosum.game.dynamics import DYNAMICS, Consensus, Dynamics
from zerosum.game.lens import Lens
from zerosum.game.objectives import OBJECTIVES
from zerosum.game.penalties import PENALTIES
from zerosum.game.players import Batch, Game, Losses, Player, adversarial_game

RATE = 0.1


class Point(nn.Module):
    """One number."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(start, dtype=torch.float64))


@dataclass
class Board:
    """An arena without data, whose update rule is plain gradient descent."""

    game: Game
    gamma: float = 0.0
    rate: float = RATE
    memory: dict[str, Tensor] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, list[nn.Parameter]]:
        return {player.name: list(player.module.parameters()) for player in self.game}

    def losses(self, player: Player, *, joint: bool = False) -> Losses:
        at = torch.zeros(1, 1, dtype=torch.float64)
        return player.loss(Batch(at, None, torch.ones_like(at), self.gamma, torch.Generator(), joint))

    def gradients(
        self, loss: Tensor, parameters: Sequence[nn.Parameter], *, graph: bool = False
    ) -> list[Tensor]:
        return list(
            torch.autograd.grad(
                loss, parameters, create_graph=graph, allow_unused=True, materialize_grads=True
            )
        )

    def update(self, name: str, gradients: list[Tensor]) -> None:
        with torch.no_grad():
            for parameter, gradient in zip(self.parameters[name], gradients, strict=True):
                parameter.sub_(self.rate * gradient)


def bilinear() -> Board:
    a, b = Point(0.5), Point(0.5)

    def product(batch: Batch, mine: Point, other: Point) -> Tensor:
        return mine.theta * (other.theta if batch.joint else other.theta.detach())

    return Board(
        (
            Player("max", a, lambda batch: {"loss": -product(batch, a, b)}),
            Player("min", b, lambda batch: {"loss": product(batch, b, a)}),
        )
    )


class Dirac(Point):
    """G(z) = theta z at z = 1, or D(x) = theta x."""

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        return self.theta * x


class DiracDiscriminator(Dirac):
    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        return (self.theta * x).squeeze(1)


def dirac(penalty: str = "none", gamma: float = 0.0, objective: str = "zero_sum") -> Board:
    game = adversarial_game(
        Dirac(0.5),
        DiracDiscriminator(0.5),
        lens=Lens((1,)),
        objective=OBJECTIVES[objective],
        penalty=PENALTIES[penalty],
    )
    return Board(game, gamma)


def radii(board: Board, dynamics: Dynamics, steps: int) -> list[float]:
    """The distance from the equilibrium after each step."""
    found = []
    for _ in range(steps):
        dynamics.step(board)
        numbers = [float(p.detach()) for parameters in board.parameters.values() for p in parameters]
        found.append(math.hypot(*numbers))
    return found


START = math.hypot(0.5, 0.5)


@pytest.mark.parametrize("name", ["extragradient", "optimistic", "consensus"])
def test_bilinear_game_converges(name: str) -> None:
    dynamics = Consensus(1.0) if name == "consensus" else DYNAMICS[name]
    found = radii(bilinear(), dynamics, 1000)
    assert found[-1] < 0.01 * START
    assert found[499] < 0.1 * START


def test_bilinear_game_diverges_simultaneously() -> None:
    """Each step multiplies the distance by sqrt(1 + eta^2) exactly."""
    found = radii(bilinear(), DYNAMICS["simultaneous"], 500)
    np.testing.assert_allclose(found, START * (1 + RATE**2) ** (np.arange(1, 501) / 2), rtol=1e-12)


def test_bilinear_game_cycles_in_turn() -> None:
    """The quadratic form x^2 + y^2 + eta x y (up to the sign) is conserved: neither nearer nor farther, for ever."""
    found = np.array(radii(bilinear(), DYNAMICS["alternating"], 2000))
    assert 0.9 * START < found[-200:].min() < found[-200:].max() < 1.1 * START
    assert abs(found[:200].max() / found[-200:].max() - 1) < 1e-3


@pytest.mark.parametrize(("name", "factor2"), [("extragradient", (1 - RATE**2) ** 2 + RATE**2)])
def test_extragradient_contracts_at_its_rate(name: str, factor2: float) -> None:
    """On theta_1 theta_2 one step is I - eta A + eta^2 A^2 with A^2 = -I: |.|^2 = (1 - eta^2)^2 + eta^2."""
    found = radii(bilinear(), DYNAMICS[name], 100)
    np.testing.assert_allclose(found, START * factor2 ** (np.arange(1, 101) / 2), rtol=1e-12)


def test_consensus_contracts_at_its_rate() -> None:
    """On theta_1 theta_2, grad |v|^2 / 2 = theta: one step is (1 - eta strength) I - eta A."""
    found = radii(bilinear(), Consensus(0.5), 100)
    factor2 = (1 - 0.5 * RATE) ** 2 + RATE**2
    np.testing.assert_allclose(found, START * factor2 ** (np.arange(1, 101) / 2), rtol=1e-12)


def test_optimistic_is_twice_the_new_step_minus_the_old() -> None:
    """Against the recursion of arXiv:1711.00141, equation 4, written out."""
    board, theta, last = bilinear(), np.array([0.5, 0.5]), None
    for _ in range(50):
        DYNAMICS["optimistic"].step(board)
        step = RATE * np.array([theta[1], -theta[0]])
        theta = theta + 2 * step - (step if last is None else last)
        last = step
    found = [float(p.detach()) for parameters in board.parameters.values() for p in parameters]
    np.testing.assert_allclose(found, theta, rtol=1e-12)


@pytest.mark.parametrize("name", ["simultaneous", "alternating"])
@pytest.mark.parametrize("objective", ["zero_sum", "wasserstein"])
def test_dirac_gan_does_not_converge_without_a_penalty(name: str, objective: str) -> None:
    """Neither game has a damping term: lemmas 2.3 and 2.4 of arXiv:1801.04406."""
    found = radii(dirac(objective=objective), DYNAMICS[name], 1000)
    assert min(found[-300:]) > 0.8 * START


@pytest.mark.parametrize("objective", ["zero_sum", "non_saturating", "wasserstein", "relativistic"])
@pytest.mark.parametrize("name", DYNAMICS)
def test_dirac_gan_converges_with_r1(name: str, objective: str) -> None:
    """R1 damps the discriminator: the eigenvalues have a negative real part (lemma 4.1 there, any dynamics)."""
    found = radii(dirac("r1", 0.5, objective), DYNAMICS[name], 500)
    assert found[-1] < 1e-3 * START


@pytest.mark.parametrize("name", ["extragradient", "optimistic"])
@pytest.mark.parametrize("objective", ["zero_sum", "non_saturating", "relativistic"])
def test_dirac_gan_converges_without_a_penalty_by_looking_ahead(name: str, objective: str) -> None:
    board = dirac(objective=objective)
    board.rate = 1.0
    found = radii(board, DYNAMICS[name], 400)
    assert found[-1] < 1e-3 * START


def test_dirac_gan_converges_by_consensus() -> None:
    """Consensus needs the losses differentiated through the other player; detached ones would leave only a part."""
    found = radii(dirac(), Consensus(10.0), 500)
    assert found[-1] < 0.05 * START


def test_dirac_gan_with_wgan_gp_does_not_converge() -> None:
    """The gradient penalty centred at 1 leaves no equilibrium to converge to (section 3.2 of arXiv:1801.04406)."""
    found = radii(dirac("gradient", 1.0, "wasserstein"), DYNAMICS["alternating"], 1000)
    assert max(found[-300:]) > 0.1 * START


def test_the_joint_loss_reaches_all_players() -> None:
    """With `joint` nothing is cut: both losses depend on both players' parameters; without, each on its own."""
    board = dirac("r1r2", 1.0, "relativistic")
    everyone = [p for parameters in board.parameters.values() for p in parameters]
    for player in board.game:
        joint = board.gradients(board.losses(player, joint=True)["loss"], everyone)
        assert all(float(g.detach()) != 0 for g in joint)
    alone = board.gradients(board.losses(board.game[0])["loss"], everyone)
    assert float(alone[0]) != 0
    assert float(alone[1]) == 0
