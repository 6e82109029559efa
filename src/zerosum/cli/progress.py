"""A training in the terminal: one steady line of progress, and a stop signal that the loop asks for."""

import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any


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

    def leave(self, sentence: str) -> None:
        """Nothing asks any more, and all is saved: a signal ends the program at once, with this sentence and code 0."""

        def end(number: int, frame: FrameType | None) -> None:
            del number, frame
            print(sentence, file=sys.stderr)  # noqa: T201
            raise SystemExit(0)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, end)
        if self.asked:
            end(signal.SIGTERM, None)

    def __call__(self) -> bool:
        """Whether to stop."""
        return self.asked


def show_training(run: Any, stop: Callable[[], bool], *, quiet: bool) -> bool:
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
