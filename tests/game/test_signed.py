"""A generator that sees the signs of its latents."""

import numpy as np
import torch
from torch import nn

from zerosum.game.blueprint import Blueprint
from zerosum.game.signed import Signed

Z = torch.randn(20_000, 4, generator=torch.Generator().manual_seed(0))


def test_the_network_sees_latents_and_signs() -> None:
    seen = Signed(nn.Identity(), 3).network(torch.cat([Z, Z[:, :3].sign()], 1))

    class Look(nn.Module):
        def forward(self, z: torch.Tensor, c: torch.Tensor | None) -> torch.Tensor:
            assert c is None
            return z

    assert torch.equal(Signed(Look(), 3)(Z), seen)


def test_signs_are_fair_coins_independent_of_sizes() -> None:
    signs = Z.sign().numpy()
    assert np.all(np.abs(signs) == 1)
    assert np.allclose(signs.T @ signs / len(Z), np.eye(4), atol=0.03)
    assert np.allclose(signs.T @ Z.abs().numpy() / len(Z), 0, atol=0.03)


def test_two_modes_without_a_bridge() -> None:
    """One steep unit of a plain network draws between two peaks; a sign does not, at any steepness."""
    plain, jump = nn.Linear(1, 1), nn.Linear(2, 1)
    with torch.no_grad():
        for layer in (plain, jump):
            nn.init.zeros_(layer.bias)
        plain.weight.fill_(20.0)
        jump.weight.copy_(torch.tensor([[0.0, 20.0]]))
        between = [
            float((torch.tanh(g).abs() < 0.9).float().mean()) for g in (plain(Z[:, :1]), _signed(jump))
        ]
    assert between[0] > 0.04
    assert between[1] == 0


def _signed(layer: nn.Module) -> torch.Tensor:
    class One(nn.Module):
        def forward(self, z: torch.Tensor, c: torch.Tensor | None) -> torch.Tensor:
            return layer(z)  # type: ignore[no-any-return]

    return Signed(One(), 1)(Z[:, :1])  # type: ignore[no-any-return]


def test_models_of_before_have_no_signs() -> None:
    plain = Blueprint(kind="table", shape=(2,), conditions=0, latent=8, width=16, depth=2)
    old = plain.to_json()
    del old["signs"]
    assert Blueprint.from_json(old) == plain
    assert not isinstance(plain.generator(), Signed)
    signed = Blueprint(kind="table", shape=(2,), conditions=0, latent=8, width=16, depth=2, signs=8)
    assert signed.generator()(torch.zeros(3, 8)).shape == (3, 2)
