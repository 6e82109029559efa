"""The command line: a thin layer over workflow/. Progress goes to stderr, results to stdout, no prompt, no network.

Exit codes: 0 fine, 1 failed on the way, 2 something given is not allowed. A traceback is shown only with --debug.
"""

import json
import signal
import sys
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from zerosum.errors import InputError, RunError
from zerosum.manual import PAGES, PROGRAM

app = typer.Typer(
    name="zerosum",
    help=PROGRAM.help,
    epilog=PROGRAM.epilog,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

STDOUT = Path("-")


def verb(function: Callable[..., None]) -> Callable[..., None]:
    """A function as the verb of its name, with its page of the manual."""
    page = PAGES[function.__name__]
    register = app.command(help=page.help, short_help=page.summary, epilog=page.epilog)
    return register(function)


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


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    del debug  # read by main() before anything else


@verb
def inspect(
    file: Annotated[Path, typer.Argument(help="A file of events.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Say what is in a file: features, units, ranges, missing values."""
    from zerosum.data.inspect import inspect as look

    found = look(file)
    typer.echo(json.dumps(found.to_json(), indent=1) if as_json else found.summary())


@verb
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

    drawn = draw(source, n, output, seed=seed, **_options_of(options or []))
    typer.echo(f"{drawn} events of {source} in {output}")


@verb
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
    steps: Annotated[int | None, typer.Option(help="Updates of each player.  [default: 20000]")] = None,
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

    if resume:
        run = Run.resume(out, networks=network or ())
    else:
        if data is None:
            raise InputError(
                "no file of events was given; name one, or continue a run with --resume --out RUN."
            )
        given = {
            "data": str(data),
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
        } | _networks(network or [])
        choices = (Config.read(config) if config else {}) | {k: v for k, v in given.items() if v is not None}
        events = open_events(Config.of(choices))
        run = Run.start(events, out, choices)
    if live and run.first:
        from zerosum.report.live import serve_beside

        typer.echo(f"live page: {serve_beside(out)}", err=True)
    stop = StopSignal()
    finished = _show_training(run, stop, quiet=quiet or not run.first)
    if not run.first:
        return
    if not finished:
        typer.echo(f"stopped at step {run.step}; continue with: zerosum train --resume --out {out}", err=True)
        return
    comparison = run.finish()
    typer.echo(comparison.summary())
    typer.echo(f"model, history and report are in {out} (open {out / 'report.html'})")


@verb
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
    seed: Seed = 0,
) -> None:
    """Draw events from a trained generator."""
    from zerosum.workflow import sample as draw

    draw(
        run,
        n,
        output,
        where=_assignments(where or []),
        seed=seed,
        force=force,
        networks=network or (),
        workers=workers,
    )
    typer.echo(f"{n} events in {output}")


@verb
def export(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write: .onnx or .c.")],
    network: Networks = None,
) -> None:
    """Write the generator as one file that needs no zerosum, checked against PyTorch on the same latents."""
    from zerosum.workflow import export as write

    typer.echo(str(write(run, output, network or ())))


@verb
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


@verb
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


@verb
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


@verb
def demo(
    out: Annotated[Path, typer.Option(help="The folder for everything it makes.")] = Path("demo"),
    quiet: Quiet = False,
) -> None:
    """The whole story on a built-in source: simulate, train, sample, compare, report."""
    from zerosum.workflow import tell

    tell(
        out,
        say=lambda line: typer.echo(line),
        train=lambda run: _show_training(run, StopSignal(), quiet=quiet),
    )


@verb
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


class StopSignal:
    """Turns the first Ctrl-C or SIGTERM into a question that the loop asks after each step."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.asked = True
        signal.signal(number, signal.SIG_DFL)

    def __call__(self) -> bool:
        """Whether to stop."""
        return self.asked


def _show_training(run: Any, stop: Callable[[], bool], *, quiet: bool) -> bool:
    """Play the run with one steady line of progress; whether it came to its end."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, quiet=quiet)
    columns = (
        BarColumn(10),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[watched]}"),
        TextColumn("JS {task.fields[js]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=False) as progress:
        task = progress.add_task("", total=run.config.steps, rate="", watched="", js="")
        for record in run.play(
            stop, notice=lambda sentence: console.print(sentence, markup=False, highlight=False)
        ):
            progress.update(task, completed=record["step"], watched=_watched(record))
            if (speed := progress.tasks[0].speed) is not None:
                progress.update(task, rate=f"{speed:.0f} steps/s")
            if "js_estimate" in record:
                progress.update(task, js=f"{record['js_estimate']:.4f}")
            for sentence in record.get("warnings", ()):
                console.print(f"step {record['step']}: {sentence}", markup=False, highlight=False)
            if "stopped" in record:
                console.print(f"finished at step {record['step']}: {record['stopped']}.", highlight=False)
    if run.warnings:
        console.print(_warnings_table(run.warnings))
    return bool(run.finished)


def _warnings_table(warnings: Sequence[tuple[int, str]]) -> Any:
    """What the training found wrong, for the terminal; the sentences stood there in full as they came."""
    from rich import box
    from rich.table import Table

    table = Table("step", "what", "what to do", title="warnings of this training", box=box.SIMPLE)
    for step, sentence in warnings:
        what, _, rest = sentence.partition(": ")
        table.add_row(str(step), what, rest.rpartition("; ")[2])
    return table


def _watched(record: dict[str, Any]) -> str:
    """What watches a training: the value of the game, or the likelihood of held-out events."""
    if "value" in record:
        return f"V {record['value']:+.3f} (-ln 4 = -1.386)"
    return f"<ln p> {record['log_likelihood']:+.3f} nats"


def _networks(names: Sequence[str]) -> dict[str, str | None]:
    """Networks of the user's own as keys of the configuration; no keys where none are named."""
    keys: dict[int, tuple[str, ...]] = {0: (), 1: ("network",), 2: ("generator", "discriminator")}
    if len(names) not in keys:
        raise InputError(
            f"--network names {len(names)} networks; give one family, or a generator and a discriminator."
        )
    return dict(zip(keys[len(names)], names, strict=True))


def _options_of(pairs: Sequence[str]) -> dict[str, Any]:
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


def _assignments(pairs: Sequence[str]) -> dict[str, float]:
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


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point of the command `zerosum`."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(spread(given), prog_name="zerosum", standalone_mode=True)
    except (InputError, RunError) as error:
        if "--debug" in given:
            raise
        typer.echo(f"zerosum: {error}", err=True)
        sys.exit(2 if isinstance(error, InputError) else 1)
    except Exception as error:
        if "--debug" in given:
            raise
        reason = str(error).splitlines()[0] if str(error) else ""
        typer.echo(
            f"zerosum: an unexpected {type(error).__name__} ({reason}); call `zerosum --debug ...` for the traceback.",
            err=True,
        )
        sys.exit(1)
