"""Both samples of a comparison with the same columns in the same order."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from zerosum.data.events import Events, absent
from zerosum.errors import InputError


def matched(
    reference: Events, generated: Events, columns: Sequence[str] | None = None
) -> tuple[Events, Events]:
    """Both samples with the same columns in the same order; what one side gives as a condition is one."""
    same_shape = reference.kind == "table" or _shape(reference) == _shape(generated)
    if reference.kind != generated.kind or not same_shape:
        raise InputError(
            f"the reference is a {reference.kind} of shape {reference.event_shape}, the generated sample a "
            f"{generated.kind} of shape {generated.event_shape}; compare samples of one kind and shape."
        )
    known = [set(events.names + events.condition_names) for events in (reference, generated)]
    shared = [name for name in reference.names + reference.condition_names if name in known[1]]
    wanted = shared if columns is None else list(columns)
    lacking = [name for name in wanted if name not in known[0] & known[1]]
    if lacking:
        raise InputError(absent(lacking, shared))
    given = [
        name for name in wanted if name in reference.condition_names or name in generated.condition_names
    ]
    features = [name for name in wanted if name not in given]
    if not features:
        raise InputError("the samples share no feature by name; rename the columns of one of them.")
    first, second = (_with(events, features, given) for events in (reference, generated))
    return first, second


def _shape(events: Events) -> tuple[int, ...]:
    """The sides of a grid, or the number of points of a cloud."""
    return events.event_shape[1:] if events.kind == "grid" else events.event_shape[:1]


def _with(events: Events, features: Sequence[str], given: Sequence[str]) -> Events:
    """The events with exactly these features and these conditions."""
    moved = events.given([name for name in given if name in events.names])
    kept = [moved.condition_names.index(name) for name in given]
    return replace(
        moved.select(features),
        conditions=None if not kept else np.asarray(moved.conditions)[:, kept],
        condition_features=tuple(moved.condition_features[i] for i in kept),
    )
