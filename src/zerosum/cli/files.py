"""Verbs about files of events: inspect, simulate, sample, export."""

import json
from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli.options import Networks, Seed, assignments, options_of, shard_of


def inspect(
    file: Annotated[Path, typer.Argument(help="A file of events.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Say what is in a file: features, units, ranges, missing values."""
    from zerosum.data.inspect import inspect as look

    found = look(file)
    typer.echo(json.dumps(found.to_json(), indent=1) if as_json else found.summary())


def simulate(
    source: Annotated[
        str,
        typer.Argument(
            help="A built-in source, such as showers, ising, dimuon, ring or mixture; a wrong name lists all."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    n: Annotated[int, typer.Option("-n", help="How many events.")] = 10_000,
    options: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE ...",
            help="Options of the source; a wrong name lists all.  [default: the source's own]",
        ),
    ] = None,
    seed: Seed = 0,
) -> None:
    """Draw events from a built-in source with known truth."""
    from zerosum.workflow import simulate as draw

    drawn = draw(source, n, output, seed=seed, **options_of(options or []))
    typer.echo(f"{drawn} events of {source} in {output}")


def sample(
    run: Annotated[Path, typer.Argument(help="A run's folder, or an ONNX file of zerosum export.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    n: Annotated[int, typer.Option("-n", help="How many events.")] = 10_000,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="NAME=VALUE ...",
            help="Fix conditions, in their units.  [default: as in training]",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Draw even outside the trained range of a condition.")
    ] = False,
    network: Networks = None,
    workers: Annotated[
        int, typer.Option(help="Processes that draw; any number of them writes the same file.")
    ] = 1,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="K/N",
            help="Draw the K-th of N parts (0 to N-1), in a file of its own; the output becomes their index (.h5).  "
            "[default: all]",
        ),
    ] = None,
    seed: Seed = 0,
) -> None:
    """Draw events from a trained generator."""
    from zerosum.workflow import sample as draw

    drawn = draw(
        run,
        n,
        output,
        where=assignments(where or []),
        seed=seed,
        force=force,
        networks=network or (),
        workers=workers,
        shard=None if shard is None else shard_of(shard),
    )
    typer.echo(f"{drawn} events in {output}" + (f", part {shard}" if shard else ""))


def export(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write: .onnx or .c.")],
    network: Networks = None,
) -> None:
    """Write the generator as one file that needs no zerosum, checked against PyTorch on the same latents."""
    from zerosum.workflow import export as write

    typer.echo(str(write(run, output, network or ())))
