"""The closure test: an exported file against PyTorch, on the same latents and conditions.

Differences are relative: to the distance of the value from its feature's median, or to the feature's standard
deviation where that is larger. (Relative to the value itself, an angle near 0 would fail for nothing, and a time of
1e9 s would pass with its spread lost.)

Whole numbers, levels, spikes, wrapped angles and the choice of a mixture's component have steps. Two programs that
differ by one unit in the last place before a step differ by the whole step after it; and the smallest cells of a shower
move by far more than the latents do. An entry beyond the tolerance is therefore called a *tie*, and counted, where it
agrees with PyTorch's own answer to an input moved by `NUDGE`, or lies between two such answers; too many ties fail the
test.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zerosum.errors import RunError
from zerosum.export.graph import Whole, some_conditions
from zerosum.model import Model

TOLERANCE = 1e-4
NUDGE = 1e-5  # of a latent, or of a standardised value
WAYS = 4  # in which latents are moved up or down at random, beside all up and all down
TIES = 1e-3  # the part of all entries that may be ties
SINGLES = 16  # events computed one by one
BATCH = 4096

Numbers = npt.NDArray[Any]
Program = Callable[[Numbers, Numbers | None], Numbers]


@dataclass(frozen=True)
class Closure:
    """What the test found.

    Attributes:
        difference: The largest relative difference of an entry that is no tie.
        ties: Entries on a step, or where PyTorch's own answer moves by as much.
        entries: Entries compared.
        events: Events compared: in one batch, and one by one.
        tolerance: The largest difference that passes.
    """

    difference: float
    ties: int
    entries: int
    events: tuple[int, int]
    tolerance: float = TOLERANCE

    @property
    def passed(self) -> bool:
        """Whether the file may be written."""
        return self.difference <= self.tolerance and self.ties <= max(2.0, TIES * self.entries)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    def __str__(self) -> str:
        ties = f", {self.ties} of {self.entries} entries on a step or a steep slope" if self.ties else ""
        return (
            f"largest relative difference to PyTorch {self.difference:.1e} (allowed {self.tolerance:.0e}){ties}; "
            f"{self.events[0]} events in one batch, {self.events[1]} one by one"
        )

    def demand(self, what: str) -> None:
        """Refuse what does not close."""
        if not self.passed:
            raise RunError(f"{what} does not reproduce the model: {self}; nothing was written.")


def close(
    model: Model, program: Program, *, batch: int = BATCH, singles: int = SINGLES, seed: int = 0
) -> Closure:
    """Compare a program with PyTorch.

    Args:
        model: The model.
        program: From latents (N, L) float32 and conditions (N, K) float64, or None, to events.
        batch: Events computed together.
        singles: How many of them are computed one by one as well.
        seed: The seed of the latents.
    """
    random = torch.Generator().manual_seed(seed)
    latent = torch.randn(batch, model.blueprint.latent, generator=random)
    given = some_conditions(model, batch)
    conditions = given[0].numpy() if given else None
    answers = around(Whole(model), latent, *given)
    found = program(latent.numpy(), conditions)
    alone = [
        program(latent[i : i + 1].numpy(), None if conditions is None else conditions[i : i + 1])
        for i in range(singles)
    ]
    found = np.concatenate([np.asarray(part, dtype=np.float64) for part in (found, *alone)])
    answers = [np.concatenate([answer, answer[:singles]]) for answer in answers]
    return judged(found, answers, 1 if model.kind == "grid" else -1, (batch, singles))


@torch.no_grad()
def around(whole: Whole, latent: Tensor, conditions: Tensor | None = None) -> list[Numbers]:
    """PyTorch's answer, then its answers to latents and to standardised events moved by `NUDGE` to either side."""
    standard = whole.standard(latent, conditions)
    random = torch.Generator().manual_seed(0)
    ways = [
        torch.ones_like(latent),
        *(torch.randn(latent.shape, generator=random).sign() for _ in range(WAYS)),
    ]
    moved = [whole.standard(latent + nudge * way, conditions) for way in ways for nudge in (NUDGE, -NUDGE)]
    found = [standard, *moved, standard + NUDGE, standard - NUDGE]
    return [whole.physical(part).numpy() for part in found]


def judged(found: Numbers, answers: list[Numbers], axis: int, events: tuple[int, int]) -> Closure:
    """Compare what was found with PyTorch's answer, and where it differs with the answers nearby.

    Args:
        found: The program's events, float64.
        answers: What `around` gave.
        axis: The axis of the features.
        events: The numbers of events, for the record.
    """
    answer, *nearby = answers
    if found.shape != answer.shape:
        return Closure(float("inf"), 0, answer.size, events)
    others = tuple(i for i in range(answer.ndim) if i != axis % answer.ndim)
    middle, spread = np.median(answer, others, keepdims=True), np.std(answer, others, keepdims=True)
    spread = np.where(spread > 0, spread, np.maximum(np.abs(middle), 1.0))
    scale = np.maximum(np.abs(answer - middle), spread)
    differences = [np.nan_to_num(np.abs(found - one) / scale, nan=np.inf) for one in (answer, *nearby)]
    beyond = differences[0] > TOLERANCE
    within = (np.min(answers, axis=0) <= found) & (found <= np.max(answers, axis=0))
    ties = beyond & (within | (np.min(differences[1:], axis=0) <= TOLERANCE))
    largest = float(np.max(np.where(ties, 0.0, differences[0])))
    return Closure(largest, int(ties.sum()), answer.size, events)
