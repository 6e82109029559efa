"""What a source is: a name, and a stream of events that depends on the seed alone.

Events are drawn in blocks of `BLOCK`, each with its own random generator made of the seed and the block's number.
So the first n events are the same for every n and every chunk size.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, get_args

import numpy as np
from pydantic import ConfigDict, TypeAdapter, ValidationError

from zerosum.data.events import Events
from zerosum.errors import InputError

BLOCK = 250

Draw = Callable[[np.random.Generator, int], Events]

STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True)  # 1 is no text, "1" no number, true neither
WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Sequence[float]: "numbers with commas between them",
    str: "one word",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A built-in source of events.

    Attributes:
        name: Its name on the command line.
        summary: What it gives, in one line.
        stream: `stream(n, seed, **options)` yields n events in chunks.
        options: What each option means.
        takes: The callable that takes the options, whose annotations are their types; `stream` where None.
    """

    name: str
    summary: str
    stream: Callable[..., Iterator[Events]]
    options: Mapping[str, str] = field(default_factory=dict)
    takes: Callable[..., Any] | None = None

    def check(self, options: Mapping[str, Any]) -> None:
        """Refuse an option that is not there, and one of another type.

        Examples:
            >>> ising = Source("ising", "", lambda n, seed, side: iter(()), {"side": "L"}, takes=lambda side: None)
            >>> ising.check({"sides": 8})
            Traceback (most recent call last):
            zerosum.errors.InputError: ising has no option sides; its options are side: L.
        """
        parameters = signature(self.takes or self.stream).parameters
        for name, given in options.items():
            if name not in self.options:
                known = "; ".join(f"{option}: {meaning}" for option, meaning in self.options.items())
                raise InputError(
                    f"{self.name} has no option {name}; "
                    + (f"its options are {known}." if known else "it takes none, leave it out.")
                )
            kind = parameters[name].annotation
            try:
                TypeAdapter(kind, config=STRICT).validate_python(given)
            except ValidationError:
                raise InputError(f"{name} is {given}; give {_words(kind)}.") from None


def _words(kind: Any) -> str:
    """What a user may give for a type."""
    kinds = [one for one in get_args(kind) or (kind,) if one in WORDS]
    return " or ".join(WORDS[one] for one in kinds)


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
