"""Networks of the user's own, named as module:NAME. Importing them executes their code, so it is never done unasked.

Two names are the classes of the generator and the discriminator, called and used as those of networks.py:

    generator = Generator(latent, conditions, shape, width, depth);   generator(z, c): (N, L), (N, K) to (N, *shape)
    discriminator = Discriminator(shape, conditions, width, depth);   discriminator(x, c): (N, *shape), (N, K) to (N,)

with c = None where nothing is given. One name is a `Family`: both, with their sizes, batch, penalty and learning rate.
"""

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.errors import InputError
from zerosum.game.networks import FAMILIES, Family

TRIED = 3  # events with which new networks are tried


def own_family(names: Sequence[str], kind: str) -> Family:
    """Import the user's networks: a family, or the classes of generator and discriminator in one for this kind.

    Args:
        names: MODULE:FAMILY, or MODULE:GENERATOR and MODULE:DISCRIMINATOR.
        kind: The kind of events, whose usual sizes serve two classes.
    """
    found = [named(name) for name in names]
    if len(found) == 1:
        if not isinstance(found[0], Family):
            raise InputError(
                f"{names[0]} is no zerosum.game.networks.Family; name such an object, or two classes, the generator's "
                "and the discriminator's."
            )
        return found[0]
    if wrong := [name for name, one in zip(names, found, strict=True) if not callable(one)]:
        raise InputError(f"{wrong[0]} cannot be called to make a network; name a class of torch.nn.Module.")
    return replace(FAMILIES[kind], generator=found[0], discriminator=found[1])


def named(name: str) -> Any:
    """The object that MODULE:NAME names; the module may lie in the working directory."""
    module, colon, attribute = name.partition(":")
    if not colon or not module or not attribute:
        raise InputError(f"{name!r} names no network; write MODULE:NAME, such as networks:FAMILY.")
    try:
        with _from_here():
            return getattr(importlib.import_module(module), attribute)
    except Exception as error:  # code of the user's own may fail in any way
        raise InputError(
            f"the network {name} cannot be imported ({type(error).__name__}: {error}); the module must be in the "
            "working directory or installed, and have that name."
        ) from error


def agreed(recorded: Sequence[str], given: Sequence[str], where: str) -> None:
    """Refuse to execute code that a run names, unless the user names it, too.

    Args:
        recorded: The networks that the run was trained with.
        given: Those that the user has named now.
        where: The run or the model.
    """
    if recorded and tuple(recorded) != tuple(given):
        names = " ".join(recorded)
        raise InputError(
            f"{where} was trained with networks of the user's own, {names}, whose code is executed when they are "
            f"imported; if you trust that code, name it again: --network {names} (networks={list(recorded)})."
        )


def tried(
    build: Callable[[], Any], inputs: Sequence[Tensor | None], shape: tuple[int, ...], name: str
) -> nn.Module:
    """The network, after it has been seen to map a few events to the shape that the contract asks for.

    Args:
        build: Makes the network from the user's class.
        inputs: Latents or events, and conditions or None.
        shape: The shape of the output for `TRIED` events.
        name: Who it is, "generator" or "discriminator".
    """
    try:
        module = build()
    except Exception as error:  # likewise
        raise InputError(
            f"the {name} cannot be constructed ({type(error).__name__}: {error}); its arguments are "
            f"{'latent, conditions, shape' if name == 'generator' else 'shape, conditions'}, width, depth."
        ) from error
    if not isinstance(module, nn.Module):
        raise InputError(f"the {name} is a {type(module).__name__}; it must be a torch.nn.Module.")
    try:
        with torch.no_grad():
            out = module.eval()(*inputs)
    except Exception as error:  # likewise
        raise InputError(
            f"the {name} fails on {TRIED} events of zeros ({type(error).__name__}: {error}); it must take "
            f"{' and '.join('None' if x is None else str(tuple(x.shape)) for x in inputs)}."
        ) from error
    got = tuple(out.shape) if isinstance(out, Tensor) else type(out).__name__
    if got != shape:
        raise InputError(f"the {name} returns {got} for {TRIED} events; it must return {shape}.")
    return module.train()


@contextmanager
def _from_here() -> Iterator[None]:
    """The working directory as the last place where modules are looked for."""
    here = str(Path.cwd())
    sys.path.append(here)
    try:
        yield
    finally:
        sys.path.remove(here)
