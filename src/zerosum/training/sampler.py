"""Where the players' batches come from: real events in random order, latents from the prior.

Several processes that play one game draw the same batches from the same seed, and each keeps its own slice: together
they have the events and latents of one process.
"""

import torch
from torch import Tensor

from zerosum.game.players import Batch


class Sampler:
    """Draws batches from events that lie on the device.

    Without weights every event is drawn once in each epoch, in an order that depends on the seed and the epoch's
    number alone; with weights, events are drawn with probabilities proportional to them. The state is one number and
    the state of a random generator.

    Args:
        seen: The events as the discriminator sees them, shape (N, ...).
        conditions: Standardised conditions, shape (N, K), or None.
        weights: Positive event weights, shape (N,), or None.
        batch: Events in a batch.
        latent: Dimensions of the latent prior.
        seed: The seed of the order and the latents.
        part: Which slice of each batch is this process's, and of how many.
    """

    def __init__(
        self,
        seen: Tensor,
        conditions: Tensor | None,
        weights: Tensor | None,
        *,
        batch: int,
        latent: int,
        seed: int,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        self.seen, self.conditions, self.weights = seen, conditions, weights
        self.batch, self.latent, self.seed = min(batch, len(seen)), latent, seed
        self.part, share = part, self.batch // part[1]
        self.mine = slice(part[0] * share, (part[0] + 1) * share)
        self.per_epoch = len(seen) // self.batch
        self.drawn = 0
        self.random = torch.Generator(seen.device).manual_seed(seed)
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.long)

    def draw(self, gamma: float, *, joint: bool = False) -> Batch:
        """The next batch."""
        seen, conditions = self._rows()
        given = None if conditions is None else conditions[self.mine]
        return Batch(seen[self.mine], given, self.prior(self.batch)[self.mine], gamma, self._own(), joint)

    def prior(self, n: int) -> Tensor:
        """Latents z ~ N(0, 1), shape (n, L)."""
        return torch.randn(n, self.latent, generator=self.random, device=self.seen.device)

    def _own(self) -> torch.Generator:
        """Where a loss draws its own numbers: several processes need different ones."""
        rank, processes = self.part
        if processes == 1:
            return self.random
        own = (self.seed * 1_000_003 + self.drawn) * processes + rank
        return torch.Generator(self.seen.device).manual_seed(own % 2**63)

    def _rows(self) -> tuple[Tensor, Tensor | None]:
        """What the discriminator sees of the next events, and their conditions."""
        index = self._next_index()
        return self.seen.index_select(
            0, index
        ), None if self.conditions is None else self.conditions.index_select(0, index)

    def _next_index(self) -> Tensor:
        epoch, place = divmod(self.drawn, self.per_epoch)
        self.drawn += 1
        if self.weights is not None:
            return torch.multinomial(self.weights, self.batch, replacement=True, generator=self.random)
        if epoch != self._epoch:
            order = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
            self._epoch, self._order = (
                epoch,
                torch.randperm(len(self.seen), generator=order).to(self.seen.device),
            )
        return self._order[place * self.batch : (place + 1) * self.batch]
