"""Verbs that train: train, duel, demo."""

from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli.options import (
    Calorimeter,
    Columns,
    Conditions,
    Image,
    Json,
    Networks,
    Observables,
    Quiet,
    Seed,
    networks_of,
)
from zerosum.cli.progress import StopSignal, show_training
from zerosum.errors import InputError


def train(
    data: Annotated[Path | None, typer.Argument(help="A file of events; not needed with --resume.")] = None,
    out: Annotated[Path, typer.Option(help="The run's folder.")] = Path("run"),
    model: Annotated[
        str | None, typer.Option(help="gan, gaussian, mixture, flow or vae.  [default: gan]")
    ] = None,
    columns: Columns = None,
    condition: Conditions = None,
    weight: Annotated[
        str | None, typer.Option(help="The column of event weights.  [default: no weights]")
    ] = None,
    image: Image = None,
    geometry: Calorimeter = None,
    observable: Observables = None,
    network: Networks = None,
    config: Annotated[
        Path | None, typer.Option(help="Choices in YAML; options given here win.  [default: none]")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Updates of each player; 15000 of images.  [default: 30000]")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Of everything random; the same seed gives the same result.  [default: 0]"),
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(help="Devices of each node (on a CPU, processes) that share every batch.  [default: 1]"),
    ] = None,
    nodes: Annotated[int | None, typer.Option(help="Machines that share every batch.  [default: 1]")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run in --out from its last checkpoint.")
    ] = False,
    live: Annotated[
        bool, typer.Option("--watch", help="Serve a live page to this machine while training.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Train a generator on a file of events; without a configuration the tool chooses by looking at them."""
    from zerosum.training.config import Config
    from zerosum.workflow import Run, open_events

    options = {
        "data": str(data) if data else None,
        "model": model,
        "columns": columns,
        "condition": condition,
        "weight": weight,
        "image": image,
        "geometry": geometry,
        "observable": observable,
        "steps": steps,
        "seed": seed,
        "devices": devices,
        "nodes": nodes,
    }
    given = {key: choice for key, choice in options.items() if choice is not None}
    written, named = Config.read(config) if config else {}, networks_of(network or [])
    choices = written | given | named
    if resume:
        labels = {key: f"{key} in {config}" for key in written} | {key: f"--{key}" for key in given}
        run = Run.resume(
            out, networks=network or (), choices=choices, labels=labels | dict.fromkeys(named, "--network")
        )
    else:
        if choices.get("data") is None:
            raise InputError(
                "no file of events was given; name one, or continue a run with --resume --out RUN."
            )
        events = open_events(Config.of(choices))
        run = Run.start(events, out, choices)
    if live and run.first:
        from zerosum.report.live import serve_beside

        typer.echo(f"live page: {serve_beside(out)}", err=True)
    stop = StopSignal()
    finished = show_training(run, stop, quiet=quiet or not run.first)
    if not run.first:
        return
    if not finished:
        step = run.folder.checkpoints.steps()[-1]
        typer.echo(f"stopped at step {step}; continue with: zerosum train --resume --out {out}", err=True)
        return
    stop.leave(f"trained to the end, but not compared; compare with: zerosum train --resume --out {out}")
    comparison = run.finish()
    typer.echo(comparison.summary())
    typer.echo(f"model, history and report are in {out} (open {out / 'report.html'})")


def duel(
    data: Annotated[Path, typer.Argument(help="A file of events.")],
    out: Annotated[Path, typer.Option(help="The folder for runs, numbers and page, made new.")] = Path(
        "duel"
    ),
    seconds: Annotated[
        float, typer.Option(help="Seconds of training for each model; judging is not counted.")
    ] = 120.0,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--models",
            metavar="NAME ...",
            help="Who takes part; mixture:3 has three components.  [default: all]",
        ),
    ] = None,
    columns: Columns = None,
    condition: Conditions = None,
    observable: Observables = None,
    image: Image = None,
    json_file: Json = None,
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Train gan, vae, flow, mixture and gaussian on identical splits for the same time; one table, one page."""
    from zerosum.duel.outcome import duel_of_file, table

    rows = duel_of_file(
        data,
        out,
        seconds,
        columns=columns,
        conditions=condition or (),
        image=image,
        json_file=json_file,
        say=lambda line: None if quiet else typer.echo(line, err=True),
        models=models,
        observable=tuple(observable or ()),
        seed=seed,
    )
    typer.echo(table(rows))
    typer.echo(f"\nruns, numbers and page are in {out} (open {out / 'report.html'})")


def demo(
    out: Annotated[Path, typer.Option(help="The folder for everything it makes.")] = Path("demo"),
    source: Annotated[
        str, typer.Option(help="Whose events: showers, or dimuon for pairs of muons.")
    ] = "showers",
    quiet: Quiet = False,
) -> None:
    """The whole story on a built-in source: simulate, train, sample, compare, report."""
    from zerosum.workflow import tell

    tell(
        out,
        source,
        say=lambda line: typer.echo(line),
        train=lambda run: show_training(run, StopSignal(), quiet=quiet),
    )
