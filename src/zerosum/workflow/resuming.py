"""What may be said beside `--resume`: what the run was started with, in other words, and where its file lies now."""

from collections.abc import Mapping
from typing import Any

from zerosum.data.events import Events
from zerosum.errors import InputError
from zerosum.training.config import Config


def demand_same(
    saved: Config, choices: Mapping[str, Any], events: Events, run: str, labels: Mapping[str, str]
) -> None:
    """Refuse the first choice that is not the run's own; the same numbers would not follow from it.

    Args:
        saved: The run's configuration.
        choices: What was given, by the keys of the configuration.
        events: The run's events, from which open choices are resolved again.
        run: The run, for the sentence.
        labels: Where a choice was given, such as "steps in run.yaml"; an option of its name where there is none.
    """
    for key, choice in choices.items():
        if key == "data" or _same(saved, key, choice, events):
            continue
        name, was = labels.get(key, f"--{key}"), getattr(saved, key)
        raise InputError(
            f"{name} is {_spoken(choice)}, but {run} was started with {_spoken(was)}; --resume goes on to the same "
            f"numbers: leave {name} out, or start a new run with --out."
        )


def _same(saved: Config, key: str, choice: Any, events: Events) -> bool:
    """Whether a choice says what the run does, as it was given or as it is resolved by looking at the events."""
    wanted = (
        Config.of(saved.model_dump() | {key: choice})
        if key in Config.model_fields
        else Config.of({key: choice})
    )
    if getattr(wanted, key) == getattr(saved, key):
        return True
    if wanted.networks:  # they would be imported
        return False
    return bool(getattr(wanted.resolved(events), key) == getattr(saved, key))


def _spoken(choice: Any) -> str:
    """A choice in words."""
    if isinstance(choice, tuple | list):
        return " ".join(map(str, choice)) or "none"
    return "none" if choice is None else str(choice)
