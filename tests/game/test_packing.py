"""Packing: what the discriminator gets, that the penalty belongs to a pack, and how many packs V needs."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from zerosum.data.events import Events
from zerosum.errors import InputError
from zerosum.game.lens import Lens
from zerosum.game.objectives import OBJECTIVES
from zerosum.game.packing import pack
from zerosum.game.penalties import PENALTIES
from zerosum.game.players import Batch, adversarial_game
from zerosum.training.config import Config
from zerosum.workflow import Run


@pytest.mark.parametrize("shape", [(3,), (2, 4, 5), (1, 2, 3, 4)])
def test_a_pack_holds_consecutive_events(shape: tuple[int, ...]) -> None:
    x = torch.randn(12, *shape)
    packed = pack(x, 4)
    assert packed.shape == (3, 4 * shape[0], *shape[1:])
    torch.testing.assert_close(packed[1], torch.cat([x[4], x[5], x[6], x[7]]))
    assert pack(x, 1) is x


class Sum(nn.Module):
    """c = a (sum of a pack's numbers + sum of its conditions)."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(0.3))
        self.seen: list[tuple[torch.Size, torch.Size]] = []

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        self.seen.append((x.shape, c.shape))
        return self.slope * (x.flatten(1).sum(1) + c.sum(1))


class Copy(nn.Module):
    """G(z) = b z."""

    def __init__(self) -> None:
        super().__init__()
        self.b = nn.Parameter(torch.tensor(2.0))

    def forward(self, z: Tensor, c: Tensor | None) -> Tensor:
        return self.b * z


@pytest.mark.parametrize("m", [1, 2, 4])
def test_conditions_are_packed_and_the_penalty_belongs_to_a_pack(m: int) -> None:
    """With c = a sum(x) over a pack of m events of 3 features the gradient has 3 m entries a: R1 + R2 = 3 m a^2."""
    discriminator = Sum()
    game = adversarial_game(
        Copy(),
        discriminator,
        lens=Lens((3,)),
        objective=OBJECTIVES["relativistic"],
        penalty=PENALTIES["r1r2"],
        packing=m,
    )
    batch = Batch(torch.randn(8, 3), torch.randn(8, 2), torch.randn(8, 3), 1.0, torch.Generator())
    found = game[0].loss(batch)
    assert found["penalty"].detach().item() == pytest.approx(3 * m * 0.09, rel=1e-5)
    game[1].loss(batch)
    assert discriminator.seen[0] == ((16 // m, 3 * m), (16 // m, 2 * m))
    assert discriminator.seen[1] == ((8 // m, 3 * m), (8 // m, 2 * m))


def test_a_batch_that_does_not_divide_is_refused_and_an_open_one_fitted() -> None:
    with pytest.raises(InputError, match="multiple of packing"):
        Config.of({"packing": 3, "batch": 256})
    resolved = Config.of({"packing": 3}).resolved(Events.table(torch.zeros(5000, 2).numpy()))
    assert resolved.batch == 255
    few = Events.table(torch.zeros(20, 2).numpy())
    with pytest.raises(InputError, match="20 events make batches of 5, but packing x devices x nodes is 10"):
        Config.of({"packing": 10}).resolved(few)


def test_a_value_needs_ten_packs(tmp_path: Path) -> None:
    events = Events.table(torch.randn(200, 2, generator=torch.Generator().manual_seed(0)).numpy())
    with pytest.raises(InputError, match=r"20 validation events make 5 packs.*set packing to at most 2"):
        Run.start(events, tmp_path / "run", {"packing": 4})
    assert not (tmp_path / "run").exists()
    run = Run.start(events, tmp_path / "run", {"packing": 2, "steps": 20, "log_every": 10, "width": 8})
    assert [record["value_error"] > 0 for record in run.play()] == [True, True]
