"""Batches from a file that is larger than memory.

In each epoch the blocks are put in random order, and taken a *pool* of `POOL` bytes at a time: blocks from all over the
file, whose events are shuffled together and each drawn once, while the next pool is read, standardised and put in its
order in another thread, so that a batch is the next rows of its pool. Held in memory at any time: two pools, the events
from which the transforms were chosen, and the held-out events, all of them bounded, whatever the size of the file. The
order depends on the seed and the number of batches drawn alone, so that a training that stops anywhere goes on to the
same numbers.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zerosum.data.blocks import Stream
from zerosum.data.events import Events, IndexArray
from zerosum.training.sampler import Sampler

POOL = 2**26  # bytes of events

Look = Callable[[Events], tuple[Tensor, Tensor | None]]
Place = tuple[int, int]  # epoch, and number of the pool in it


@dataclass(frozen=True)
class Pool:
    """Events in memory, in the order in which they are drawn: as the discriminator sees them, and their conditions."""

    seen: Tensor
    conditions: Tensor | None


class StreamSampler(Sampler):
    """Draws batches from the blocks of a file.

    Args:
        stream: The file.
        look: From events to what the discriminator sees of them, and their standardised conditions.
        seen: The events of the sample as the discriminator sees them, shape (N, ...).
        conditions: Their standardised conditions, or None.
        batch: Events in a batch.
        latent: Dimensions of the latent prior.
        seed: The seed of the order and the latents.
        part: Which slice of each batch is this process's, and of how many.
    """

    def __init__(
        self,
        stream: Stream,
        look: Look,
        seen: Tensor,
        conditions: Tensor | None,
        *,
        batch: int,
        latent: int,
        seed: int,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        super().__init__(seen, conditions, None, batch=batch, latent=latent, seed=seed, part=part)
        self.stream, self.look = stream, look
        self._reader = ThreadPoolExecutor(1, "pool")
        self._orders: dict[int, list[IndexArray]] = {}
        self._ahead: dict[Place, Future[Pool]] = {}
        self._place, self._pool = (-1, -1), Pool(seen, conditions)
        self._found = (0, 0, 0)

    def _rows(self) -> tuple[Tensor, Tensor | None]:
        before, epoch, number = self._locate(self.drawn)
        if self._place != (epoch, number):
            self._place = epoch, number
            self._pool = (self._ahead.pop(self._place, None) or self._read(self._place)).result()
            following = (epoch, number + 1) if number + 1 < len(self.pools(epoch)) else (epoch + 1, 0)
            self._ahead = {following: self._read(following)}
        place = (self.drawn - before) * self.batch
        self.drawn += 1
        rows, given = slice(place, place + self.batch), self._pool.conditions
        return self._pool.seen[rows], None if given is None else given[rows]

    def pools(self, epoch: int) -> list[IndexArray]:
        """The blocks of each pool of an epoch, in order; a pool has at least one batch."""
        if epoch not in self._orders:
            order = np.random.default_rng((self.seed, epoch)).permutation(self.stream.training)
            bytes_before = np.cumsum(self.stream.blocks.sizes()[order]) * self.stream.blocks.bytes_each
            number = max(1, round(bytes_before[-1] / POOL))
            cuts = np.searchsorted(bytes_before, np.arange(1, number) * bytes_before[-1] / number)
            parts = [part for part in np.split(order, cuts) if self._batches(part)]
            self._orders = {e: pools for e, pools in self._orders.items() if e >= epoch - 1} | {epoch: parts}
        return self._orders[epoch]

    def _batches(self, pool: IndexArray) -> int:
        return int(self.stream.blocks.sizes()[pool].sum()) // self.batch

    def _locate(self, drawn: int) -> tuple[int, int, int]:
        """Of a batch: how many batches come before its pool, the pool's epoch and number."""
        before, epoch, number = self._found if drawn >= self._found[0] else (0, 0, 0)
        while drawn >= before + self._batches(self.pools(epoch)[number]):
            before += self._batches(self.pools(epoch)[number])
            epoch, number = (epoch, number + 1) if number + 1 < len(self.pools(epoch)) else (epoch + 1, 0)
        self._found = before, epoch, number
        return self._found

    def _read(self, place: Place) -> "Future[Pool]":
        return self._reader.submit(self._load, place, self.pools(place[0])[place[1]])

    def _load(self, place: Place, blocks: IndexArray) -> Pool:
        """Read a pool, each event straight to its place in the order."""
        n = int(self.stream.blocks.sizes()[blocks].sum())
        order = np.random.default_rng((self.seed, *place)).permutation(n)
        places = torch.from_numpy(order).argsort().to(self.seen.device)
        seen = self.seen.new_empty(n, *self.seen.shape[1:])
        given = None if self.conditions is None else self.conditions.new_empty(n, *self.conditions.shape[1:])
        filled = 0
        for events in self.stream.blocks.each(blocks.tolist()):
            here = places[filled : (filled := filled + len(events))]
            part, conditions = self.look(events)
            seen.index_copy_(0, here, part)
            if given is not None and conditions is not None:
                given.index_copy_(0, here, conditions)
        return Pool(seen, given)
