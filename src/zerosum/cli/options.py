"""Options that several verbs share, and what their words mean."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from zerosum.errors import InputError

SPREAD = (
    "--columns",
    "--condition",
    "--observable",
    "--where",
    "--set",
    "--models",
    "--network",
)  # options that take several values at once

Columns = Annotated[
    list[str] | None,
    typer.Option("--columns", metavar="NAME ...", help="The features to use.  [default: all]"),
]
Observables = Annotated[
    list[str] | None,
    typer.Option(
        "--observable",
        metavar="NAME=EXPRESSION ...",
        help="Further inputs of the critics, such as m=mass(1,2).  [default: those that suit the columns]",
    ),
]
Conditions = Annotated[
    list[str] | None,
    typer.Option(
        "--condition",
        metavar="NAME ...",
        help="Columns that are given, not generated.  [default: those that the file marks]",
    ),
]
Calorimeter = Annotated[
    str | None,
    typer.Option(
        help="The calorimeter of showers: a built-in one, a CaloChallenge binning (.xml) or a .yaml file.  "
        "[default: what the file says]"
    ),
]
Networks = Annotated[
    list[str] | None,
    typer.Option(
        "--network",
        metavar="MODULE:NAME ...",
        help="Networks of your own: a family, or generator and discriminator. Their code is executed.  "
        "[default: built-in ones]",
    ),
]
Image = Annotated[
    int | None,
    typer.Option(help="Make images of so many pixels a side (8 to 64) from point clouds.  [default: none]"),
]
Json = Annotated[Path | None, typer.Option("--json", help="Write all numbers to this file.  [default: none]")]
Seed = Annotated[int, typer.Option(help="Of everything random; the same seed gives the same result.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]


def spread(arguments: Sequence[str]) -> list[str]:
    """`--columns a b` as `--columns a --columns b`, which is what the parser understands."""
    result: list[str] = []
    option, taken = "", 0
    for argument in arguments:
        if argument in SPREAD:
            option, taken = argument, 0
        elif argument.startswith("-"):
            option = ""
        elif option:
            result += [option] if taken else []
            taken += 1
        result.append(argument)
    return result


def networks_of(names: Sequence[str]) -> dict[str, str | None]:
    """Networks of the user's own as keys of the configuration; no keys where none are named."""
    keys: dict[int, tuple[str, ...]] = {0: (), 1: ("network",), 2: ("generator", "discriminator")}
    if len(names) not in keys:
        raise InputError(
            f"--network names {len(names)} networks; give one family, or a generator and a discriminator."
        )
    return dict(zip(keys[len(names)], names, strict=True))


def options_of(pairs: Sequence[str]) -> dict[str, Any]:
    """NAME=VALUE as options of a source: numbers, true and false, several values with commas between them, text."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        if not name.isidentifier() or not text:
            raise InputError(f"--set {pair} is not NAME=VALUE; write for example energies=1000,100000.")
        values = [_scalar(part) for part in text.split(",") if part]
        found[name] = values if "," in text else values[0]
    return found


def _scalar(text: str) -> bool | int | float | str:
    """What a text means."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def shard_of(text: str) -> tuple[int, int]:
    """K/N as two numbers."""
    k, _, n = text.partition("/")
    if not (k.isdecimal() and n.isdecimal()):
        raise InputError(f"--shard {text} is not K/N; write for example --shard 0/4, and 1/4, 2/4, 3/4.")
    return int(k), int(n)


def assignments(pairs: Sequence[str]) -> dict[str, float]:
    """NAME=VALUE as numbers."""
    found = {}
    for pair in pairs:
        name, _, number = pair.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            raise InputError(
                f"--where {pair} is not NAME=VALUE with a number; write for example energy=50."
            ) from None
    return found
