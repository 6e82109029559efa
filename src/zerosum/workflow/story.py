"""The demonstration: the whole line on pairs of muons, in one folder."""

from collections.abc import Callable
from pathlib import Path

from zerosum.data.formats import load
from zerosum.errors import InputError
from zerosum.evaluation.comparison import Comparison
from zerosum.workflow.files import compare_paths, sample, simulate
from zerosum.workflow.run import Run

DEMO_SOURCE, DEMO_EVENTS, DEMO_STEPS = "dimuon", 20_000, 8_000


def tell(out: str | Path, *, say: Callable[[str], None], train: Callable[[Run], bool]) -> Comparison | None:
    """The whole story on pairs of muons, in a folder: simulate, train, sample, compare, report.

    Args:
        out: The folder, made new.
        say: Told each chapter.
        train: Plays a run to its end and shows its progress; whether it came to its end.
    """
    out = Path(out)
    if out.exists():
        raise InputError(f"{out} exists; choose another folder with --out.")
    out.mkdir(parents=True)
    data, generated, report = out / "events.h5", out / "generated.h5", out / "report.html"
    n = simulate(DEMO_SOURCE, DEMO_EVENTS, data)
    say(f"1. simulated {n} pairs of muons from a Z and a continuum: {data}")
    run = Run.start(load(data), out / "run", {"data": str(data), "steps": DEMO_STEPS, "judgements": 4})
    say(f"2. training a generator on {len(run.train_events)} of them, {DEMO_STEPS} steps of the game")
    if not train(run):
        say(f"stopped; continue with: zerosum train --resume --out {out / 'run'}")
        return None
    sample(out / "run", 10_000, generated, seed=1)
    say(f"3. drew 10000 new events: {generated}")
    comparison = compare_paths(out / "run", generated, json_file=out / "certificate.json", report_file=report)
    say("4. compared them with events that the training never saw:\n")
    say(comparison.summary())
    say(f"\nopen {report} in a browser")
    return comparison
