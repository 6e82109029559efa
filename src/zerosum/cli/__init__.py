"""The command line: a thin layer over workflow/. Progress goes to stderr, results to stdout, no prompt, no network.

Exit codes: 0 fine, 1 failed on the way, 2 something given is not allowed. A traceback is shown only with --debug.
"""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from zerosum.cli.files import export, inspect, sample, simulate
from zerosum.cli.judging import compare, rank, watch
from zerosum.cli.options import spread
from zerosum.cli.training import demo, duel, train
from zerosum.errors import InputError, RunError, reason
from zerosum.manual import PAGES, PROGRAM

__all__ = ["app", "main"]

VERBS = (inspect, simulate, train, sample, export, compare, rank, watch, demo, duel)  # as help lists them

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


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"zerosum {version('zerosum')}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    release: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    del debug, release  # read by main() before anything else, and by _version


for verb in VERBS:
    page = PAGES[verb.__name__]
    app.command(help=page.help, short_help=page.summary, epilog=page.epilog)(verb)


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
        typer.echo(
            f"zerosum: an unexpected {type(error).__name__} ({reason(error)}); call `zerosum --debug ...` for the "
            "traceback.",
            err=True,
        )
        sys.exit(1)
