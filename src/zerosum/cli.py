"""The command line: a thin layer over workflow.py. Progress goes to stderr, results to stdout, no prompt, no network.

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

app = typer.Typer(
    name="zerosum",
    help="Train generators on physics data by the adversarial game, and certify how far they are from it.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

SPREAD = (
    "--columns",
    "--condition",
    "--observable",
    "--where",
    "--set",
    "--models",
)  # options that take several values at once

Columns = Annotated[
    list[str] | None, typer.Option("--columns", metavar="NAME ...", help="The features to use.")
]
Observables = Annotated[
    list[str] | None,
    typer.Option(
        "--observable", metavar="NAME=EXPRESSION ...", help="Derived inputs of the critics, m=mass(1,2)."
    ),
]
Conditions = Annotated[
    list[str] | None, typer.Option("--condition", metavar="NAME ...", help="Columns that are given.")
]
Calorimeter = Annotated[
    str | None,
    typer.Option(
        help="The calorimeter of showers: a built-in one, a CaloChallenge binning (.xml) or a .yaml file."
    ),
]
Seed = Annotated[int, typer.Option(help="The seed; the same seed gives the same result.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]


@app.callback()
def _options(debug: Annotated[bool, typer.Option(help="Show tracebacks.")] = False) -> None:
    del debug  # read by main() before anything else


@app.command(epilog="Example: zerosum inspect events.root")
def inspect(
    file: Annotated[Path, typer.Argument(help="A file of events.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is in a file: features, units, ranges, missing values."""
    from zerosum.data.inspect import inspect as look

    found = look(file)
    typer.echo(json.dumps(found.to_json(), indent=1) if as_json else found.summary())


@app.command(epilog="Example: zerosum simulate showers -n 100000 -o showers.h5")
def simulate(
    source: Annotated[str, typer.Argument(help="A built-in source; a wrong name lists all.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    n: Annotated[int, typer.Option("-n", help="How many events.")] = 10_000,
    options: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE ...", help="Options of the source; a wrong name lists all."
        ),
    ] = None,
    seed: Seed = 0,
) -> None:
    """Draw events from a built-in source with known truth."""
    from zerosum.workflow import simulate as draw

    drawn = draw(source, n, output, seed=seed, **_options_of(options or []))
    typer.echo(f"{drawn} events of {source} in {output}")


@app.command(epilog="Example: zerosum train events.csv --columns pt eta phi --out run")
def train(
    data: Annotated[Path | None, typer.Argument(help="A file of events; not needed with --resume.")] = None,
    out: Annotated[Path, typer.Option(help="The run's folder.")] = Path("run"),
    model: Annotated[str | None, typer.Option(help="gan, gaussian, mixture, flow or vae.")] = None,
    columns: Columns = None,
    condition: Conditions = None,
    weight: Annotated[str | None, typer.Option(help="The column of event weights.")] = None,
    image: Annotated[int | None, typer.Option(help="Make images of this side from point clouds.")] = None,
    geometry: Calorimeter = None,
    observable: Observables = None,
    config: Annotated[Path | None, typer.Option(help="Choices in YAML; options given here win.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of the game.")] = None,
    seed: Annotated[int | None, typer.Option(help="The seed of everything random.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out.")] = False,
    live: Annotated[bool, typer.Option("--watch", help="Serve a live page while training.")] = False,
    quiet: Quiet = False,
) -> None:
    """Train a generator on a file of events; without a configuration the tool chooses by looking at them."""
    from zerosum.training.config import Config
    from zerosum.workflow import Run, open_events

    if resume:
        run = Run.resume(out)
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
        }
        choices = (Config.read(config) if config else {}) | {k: v for k, v in given.items() if v is not None}
        events = open_events(Config.of(choices))
        run = Run.start(events, out, choices)
    if live:
        from zerosum.report.live import serve_beside

        typer.echo(f"live page: {serve_beside(out)}", err=True)
    stop = StopSignal()
    finished = _show_training(run, stop, quiet=quiet)
    if not finished:
        typer.echo(f"stopped at step {run.step}; continue with: zerosum train --resume --out {out}", err=True)
        return
    comparison = run.finish()
    typer.echo(comparison.summary())
    typer.echo(f"model, history and report are in {out} (open {out / 'report.html'})")


@app.command(epilog="Example: zerosum sample run -n 100000 -o generated.h5 --where energy=50")
def sample(
    run: Annotated[Path, typer.Argument(help="A run's folder, or an ONNX file of zerosum export.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    n: Annotated[int, typer.Option("-n", help="How many events.")] = 10_000,
    where: Annotated[
        list[str] | None, typer.Option("--where", metavar="NAME=VALUE ...", help="Fix conditions.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Draw even outside the trained range of a condition.")
    ] = False,
    seed: Seed = 0,
) -> None:
    """Draw events from a trained generator."""
    from zerosum.workflow import sample as draw

    draw(run, n, output, where=_assignments(where or []), seed=seed, force=force)
    typer.echo(f"{n} events in {output}")


@app.command(epilog="Example: zerosum export run -o model.onnx")
def export(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write: .onnx.")],
) -> None:
    """Write the generator as one file that needs no zerosum, checked against PyTorch on the same latents."""
    from zerosum.workflow import export as write

    typer.echo(str(write(run, output)))


@app.command(
    epilog="Example: zerosum compare data.csv generated.csv --observable 'm=mass(1,2)' --report report.html"
)
def compare(
    reference: Annotated[Path, typer.Argument(help="A file of real events, or a run (its test split).")],
    generated: Annotated[Path, typer.Argument(help="A file of generated events.")],
    columns: Columns = None,
    geometry: Calorimeter = None,
    observable: Observables = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all numbers to this file.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a page with all plots to this file.")] = None,
    confidence: Annotated[float, typer.Option(help="Confidence of the lower limits.")] = 0.95,
    metrics: Annotated[
        bool, typer.Option("--metrics", help="Add FPD, KPD, precision, W1 and other metrics of the field.")
    ] = False,
    training: Annotated[
        Path | None, typer.Option(help="The events the generator was trained on: has it memorised them?")
    ] = None,
    seed: Seed = 0,
    quiet: Quiet = False,
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
        json_file=json_file,
        report_file=report,
    )
    if not quiet:
        typer.echo(comparison.summary())


@app.command(epilog="Example: zerosum watch run")
def watch(
    run: Annotated[Path, typer.Argument(help="A run's folder, or a folder of runs.")] = Path("run"),
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port on 127.0.0.1; 8765 or any free one.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser", help="Open the page in a browser.")] = False,
    follow: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Serve a live page of runs to this machine: curves, samples, replay of finished runs. Ctrl-C ends it."""
    from zerosum.report.live import serve

    def say(address: str) -> None:
        print(address, flush=True)  # noqa: T201  a pipe must see it at once
        if browser:
            webbrowser.open(address)

    serve(run, port=port, say=say, follow=follow)


@app.command(epilog="Example: zerosum demo --out demo")
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


@app.command(epilog="Example: zerosum duel data.csv --seconds 120 --out duel --json duel.json")
def duel(
    data: Annotated[Path, typer.Argument(help="A file of events.")],
    out: Annotated[Path, typer.Option(help="The folder for runs, numbers and page, made new.")] = Path(
        "duel"
    ),
    seconds: Annotated[float, typer.Option(help="Seconds of training for each model.")] = 120.0,
    models: Annotated[
        list[str] | None,
        typer.Option("--models", metavar="NAME ...", help="Who takes part; all by default."),
    ] = None,
    columns: Columns = None,
    condition: Conditions = None,
    observable: Observables = None,
    image: Annotated[int | None, typer.Option(help="Make images of this side from point clouds.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all numbers to this file.")] = None,
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
        BarColumn(20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[watched]}"),
        TextColumn("JS {task.fields[js]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=False) as progress:
        task = progress.add_task("", total=run.config.steps, rate="", watched="", js="")
        for record in run.play(stop, notice=lambda sentence: console.print(sentence)):
            progress.update(task, completed=record["step"], watched=_watched(record))
            if (speed := progress.tasks[0].speed) is not None:
                progress.update(task, rate=f"{speed:.0f} steps/s")
            if "js_estimate" in record:
                progress.update(task, js=f"{record['js_estimate']:.4f}")
    return bool(run.step == run.config.steps)


def _watched(record: dict[str, Any]) -> str:
    """What watches a training: the value of the game, or the likelihood of held-out events."""
    if "value" in record:
        return f"V {record['value']:+.3f} (-ln 4 = -1.386)"
    return f"<ln p> {record['log_likelihood']:+.3f} nats"


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
        app(spread(given), standalone_mode=True)
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
