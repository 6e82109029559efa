"""Verbs that look at what was trained: compare, rank, watch."""

import json
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli.options import Calorimeter, Columns, Json, Observables, Seed

STDOUT = Path("-")


def compare(
    reference: Annotated[Path, typer.Argument(help="A file of real events, or a run (its test split).")],
    generated: Annotated[Path, typer.Argument(help="A file of generated events.")],
    columns: Columns = None,
    geometry: Calorimeter = None,
    observable: Observables = None,
    json_file: Annotated[
        Path | None,
        typer.Option(
            "--json", help="Write all numbers; - is stdout, in place of the table.  [default: none]"
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a page with all figures to this file.  [default: none]")
    ] = None,
    style: Annotated[
        str, typer.Option(metavar="NAME", help="Of the figures: plain, atlas, cms or lhcb.")
    ] = "plain",
    confidence: Annotated[float, typer.Option(help="Of the lower limits, between 0 and 1.")] = 0.95,
    metrics: Annotated[
        bool, typer.Option("--metrics", help="Add FPD, KPD, precision, W1 and other metrics of the field.")
    ] = False,
    training: Annotated[
        Path | None,
        typer.Option(help="The events the generator was trained on: has it memorised them?  [default: none]"),
    ] = None,
    seed: Seed = 0,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing: the numbers are in the files.")
    ] = False,
) -> None:
    """Certify how far generated events are from the reference: Jensen-Shannon, both KL directions, where."""
    from zerosum.workflow import compare_paths

    comparison = compare_paths(
        reference,
        generated,
        columns=columns,
        observables=observable or (),
        confidence=confidence,
        metrics=metrics,
        training=training,
        seed=seed,
        geometry=geometry,
        json_file=None if json_file == STDOUT else json_file,
        report_file=report,
        style=style,
    )
    if json_file == STDOUT:
        typer.echo(json.dumps(comparison.to_json(), indent=1))
    elif not quiet:
        typer.echo(comparison.summary())


def rank(
    runs: Annotated[Path, typer.Argument(help="A folder of runs.")] = Path("runs"),
    json_file: Json = None,
) -> None:
    """Rank trainings from several seeds by their validation events."""
    from dataclasses import asdict

    from zerosum.data.files import write_text
    from zerosum.ensemble import rank as ranked
    from zerosum.ensemble import table

    rows = ranked(runs)
    if json_file:
        write_text(json_file, json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    typer.echo(table(rows))


def watch(
    run: Annotated[Path, typer.Argument(help="A run's folder, or a folder of runs.")] = Path("run"),
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="The port on 127.0.0.1.  [default: 8765, or any free one]"),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser", help="Open the page in a browser, too.")] = False,
    follow: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Serve a live page of runs to this machine: curves, samples, replay of finished runs. Ctrl-C ends it."""
    from zerosum.report.live import serve

    def say(address: str) -> None:
        print(address, flush=True)  # noqa: T201  a pipe must see it at once
        if browser:
            webbrowser.open(address)

    serve(run, port=port, say=say, follow=follow)
