"""Sampling by several processes: each computes whole blocks of events, which come back in order.

A block depends on the seed and its number alone, so that the events are those of one process. At most `AHEAD` blocks
for each process are computed or wait at any time, whatever the number of events.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

import torch

from zerosum.data.events import Events
from zerosum.drawer import Drawer
from zerosum.errors import InputError, RunError

AHEAD = 3  # blocks for each process: one computed, two waiting
MOST = 256

_drawers: list[Drawer] = []  # of a worker process: the one that it has loaded


def stream_by(
    workers: int, load: Callable[[], Drawer], n: int, blocks: range | None = None, **options: Any
) -> Iterator[Events]:
    """Draw n events in blocks, in order, as `Drawer.stream` does.

    Args:
        workers: Processes; 1 is this one.
        load: Loads what draws events; a module's function or a partial of one, because every process calls it.
        n: How many events.
        blocks: The numbers of the blocks that are drawn; all of them where None.
        **options: Of `Drawer.stream`: where, seed, force.
    """
    if not 1 <= workers <= MOST:
        raise InputError(f"{workers} workers were asked for; ask for 1 to {MOST}.")
    drawer = load()
    if workers == 1:
        yield from drawer.stream(n, blocks=blocks, **options)
        return
    drawer.check(n, options.get("where"), force=options.get("force", False))
    numbers = iter(drawer.blocks(n) if blocks is None else blocks)
    waiting: deque[Future[Events]] = deque()
    with ProcessPoolExecutor(workers, get_context("spawn"), _begin, (load, torch.get_num_threads())) as pool:
        try:
            while True:
                while len(waiting) < AHEAD * workers and (number := next(numbers, None)) is not None:
                    waiting.append(pool.submit(_piece, number, n, options))
                if not waiting:
                    return
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise RunError(
                "a worker process ended before its time (killed, or out of memory); use fewer --workers."
            ) from None
        finally:
            for future in waiting:
                future.cancel()


def _begin(load: Callable[[], Drawer], threads: int) -> None:
    torch.set_num_threads(threads)
    _drawers[:] = [load()]


def _piece(number: int, n: int, options: dict[str, Any]) -> Events:
    return _drawers[0].piece(number, n, **options)
