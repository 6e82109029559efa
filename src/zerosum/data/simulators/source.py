"""What a source is: a name, and a stream of events that depends on the seed alone.

Events are drawn in blocks of `BLOCK`, each with its own random generator made of the seed and the block's number.
So the first n events are the same for every n and every chunk size.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from zerosum.data.events import Events
from zerosum.errors import InputError

BLOCK = 250

Draw = Callable[[np.random.Generator, int], Events]


@dataclass(frozen=True, slots=True)
class Source:
    """A built-in source of events.

    Attributes:
        name: Its name on the command line.
        summary: What it gives, in one line.
        stream: `stream(n, seed, **options)` yields n events in chunks.
        options: What each option means.
    """

    name: str
    summary: str
    stream: Callable[..., Iterator[Events]]
    options: Mapping[str, str] = field(default_factory=dict)


def stream_blocks(draw: Draw, n: int, seed: int, *, chunk: int = 10_000) -> Iterator[Events]:
    """Yield n events, `chunk` at a time (rounded down to whole blocks, at least one).

    Args:
        draw: Gives the events of one block from its random generator.
        n: How many events.
        seed: The seed, at least 0.
        chunk: How many events at a time; the events do not depend on it.
    """
    if n < 1 or seed < 0:
        raise InputError(f"{n} events with seed {seed} were asked for; give n of at least 1 and a seed >= 0.")
    step = max(1, chunk // BLOCK) * BLOCK
    for first in range(0, n, step):
        starts = range(first, min(first + step, n), BLOCK)
        blocks = [draw(np.random.default_rng([seed, start // BLOCK]), BLOCK) for start in starts]
        yield Events.joined(blocks).take(slice(0, n - first))
