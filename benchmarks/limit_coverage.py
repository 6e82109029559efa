"""Does the limit hold? Pairs with known Jensen-Shannon divergence, many repeats, learned critics.

    python benchmarks/limit_coverage.py --quick            within a minute: four pairs, n = 500, a few repeats
    python benchmarks/limit_coverage.py --repeats 200 --largest 5000     all pairs, n = 500 and 5000: about half an hour
    python benchmarks/limit_coverage.py --repeats 30                     n = 50000 too: another half hour
    python benchmarks/limit_coverage.py --full --repeats 5               the usual ladder of critics, for tightness

Each repeat is one line of results/limit_coverage.jsonl, seeded by its cell and number, never done twice; stop and
start it as you like. The limit must hold whatever the critics, so the critics here are fast: a linear and a quadratic
one, with small trees where those are blind or where the distributions are equal. With --full they are those that
`zerosum compare` uses, whose limits are tighter. The table shows for each pair, n and choice of critics: the fraction
of repeats whose 95 % lower limit is at most the truth (it must be 0.95 or more), the mean limit and estimate over the
truth, and for equal distributions whether the p-values are uniform.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from zerosum.data.events import Events
from zerosum.data.simulators.lattice import simulate_ising
from zerosum.evaluation.certificate import certify
from zerosum.evaluation.critics import Critic, Polynomial, Trees

RESULTS = Path(__file__).parent / "results"
SIZES = (500, 5_000, 50_000)
ROWS: tuple[Critic, ...] = (Polynomial("linear", 1), Polynomial("quadratic", 2))
TREES: tuple[Critic, ...] = (*ROWS, Trees("small trees", 8, 60))
Draw = Callable[[int, np.random.Generator], tuple[Events, Events]]


@dataclass(frozen=True)
class Pair:
    """Two distributions with known Jensen-Shannon divergence (nats), and the fast critics for them."""

    name: str
    truth: float
    draw: Draw
    critics: tuple[Critic, ...] = ROWS


def shift(d: int, delta: float) -> Draw:
    def draw(n: int, rng: np.random.Generator) -> tuple[Events, Events]:
        x, y = rng.normal(size=(2, n, d)).astype(np.float32)
        return Events.table(x + np.float32(delta / np.sqrt(d))), Events.table(y)

    return draw


def scale(d: int, s: float) -> Draw:
    def draw(n: int, rng: np.random.Generator) -> tuple[Events, Events]:
        x, y = rng.normal(size=(2, n, d)).astype(np.float32)
        return Events.table(x), Events.table(np.float32(s) * y)

    return draw


def modes(number: int, dropped: int) -> Draw:
    """Disjoint modes on a line; the generated sample lacks the last ones."""

    def sample(n: int, k: int, rng: np.random.Generator) -> Events:
        return Events.table((10 * rng.integers(0, k, n) + rng.normal(size=n))[:, None])

    return lambda n, rng: (sample(n, number, rng), sample(n, number - dropped, rng))


def cauchy(shift: float) -> Draw:
    return lambda n, rng: (
        Events.table(shift + rng.standard_cauchy(n)),
        Events.table(rng.standard_cauchy(n)),
    )


def ising(first: float, second: float) -> Draw:
    def draw(n: int, rng: np.random.Generator) -> tuple[Events, Events]:
        seeds = rng.integers(2**31, size=2)
        x, y = (
            simulate_ising(n, side=8, coupling=k, seed=int(s))
            for k, s in zip((first, second), seeds, strict=True)
        )
        return x, y

    return draw


def cauchy_truth(shift: float) -> float:
    """JS of two Cauchy distributions of unit width: ln[2 sqrt(S) / (sqrt(S) + 2)], S = 4 + shift^2."""
    root = np.sqrt(4 + shift**2)
    return float(np.log(2 * root / (root + 2)))


def mode_truth(number: int, dropped: int) -> float:
    """p uniform on K disjoint modes, q on K - k of them."""
    p, q = (
        np.full(number, 1 / number),
        np.r_[np.full(number - dropped, 1 / (number - dropped)), np.zeros(dropped)],
    )
    m = (p + q) / 2
    return float((p @ np.log(p / m) + q[q > 0] @ np.log(q[q > 0] / m[q > 0])) / 2)


PAIRS = (
    Pair("equal, d=1", 0.0, shift(1, 0), TREES),
    Pair("equal, d=10", 0.0, shift(10, 0), TREES),
    Pair("shift 0.1, d=1", 0.001248440096070658, shift(1, 0.1)),
    Pair("shift 1, d=10", 0.1114214821847362, shift(10, 1)),
    Pair("shift 3, d=2", 0.5267773065213735, shift(2, 3)),
    Pair("shift 1, d=100", 0.1114214821847362, shift(100, 1)),
    Pair("scale 1.5, d=1", 0.036681414867113, scale(1, 1.5)),
    Pair("scale 1.1, d=10", 0.022092629346026, scale(10, 1.1)),
    Pair("scale 1.5, d=10", 0.284839609843871, scale(10, 1.5)),
    Pair("scale 1.05, d=100", 0.056150907770440, scale(100, 1.05)),
    Pair("1 of 25 modes", mode_truth(25, 1), modes(25, 1), TREES),
    Pair("4 of 8 modes", mode_truth(8, 4), modes(8, 4), TREES),
    Pair("Cauchy, shift 1", cauchy_truth(1), cauchy(1), TREES),
    Pair("Ising 8x8, 0.40/0.44", 0.0794992867335161, ising(0.40, 0.44)),
)
QUICK = ("equal, d=10", "shift 1, d=10", "1 of 25 modes", "Cauchy, shift 1")


def cells(sizes: tuple[int, ...], names: Sequence[str]) -> Iterator[tuple[Pair, int]]:
    for n in sizes:
        for pair in PAIRS:
            if pair.name in names:
                yield pair, n


def study(
    wanted: Sequence[tuple[Pair, int]], repeats: int, critics: str, path: Path
) -> list[dict[str, float | str]]:
    """Do the repeats that are not in the file yet, and return all its records."""
    records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {(one["pair"], one["n"], one["repeat"], one["critics"]) for one in records}
    with path.open("a") as file:
        for repeat in range(repeats):
            for pair, n in wanted:
                if (pair.name, n, repeat, critics) not in done:
                    records.append(once(pair, n, repeat, critics))
                    file.write(json.dumps(records[-1]) + "\n")
                    file.flush()
    return records


def once(pair: Pair, n: int, repeat: int, critics: str) -> dict[str, float | str]:
    seed = [repeat, n, *pair.name.encode()]
    samples = pair.draw(n, np.random.default_rng(seed))
    start = time.perf_counter()
    found = certify(*samples, seed=repeat, critics=None if critics == "ladder" else pair.critics)
    return {
        "critics": critics,
        "pair": pair.name,
        "n": n,
        "repeat": repeat,
        "lower": found.lower,
        "estimate": found.estimate,
        "error": found.error,
        "p_value": found.p_value,
        "seconds": time.perf_counter() - start,
    }


def summaries(records: list[dict[str, float | str]]) -> list[dict[str, float | str | None]]:
    """One record for each pair, n and kind of critics: what the table shows."""
    found = []
    for critics in ("fast", "ladder"):
        for pair in PAIRS:
            for n in SIZES:
                cell = (pair.name, n, critics)
                rows = [one for one in records if (one["pair"], one["n"], one["critics"]) == cell]
                if rows:
                    found.append(summary(pair, n, critics, rows))
    return found


def summary(
    pair: Pair, n: int, critics: str, rows: list[dict[str, float | str]]
) -> dict[str, float | str | None]:
    """Coverage, mean limit and estimate, and whether the p-values of equal distributions are uniform."""
    lower, estimate, p, seconds = (
        np.array([one[key] for one in rows]) for key in ("lower", "estimate", "p_value", "seconds")
    )
    return {
        "pair": pair.name,
        "truth": pair.truth,
        "n": n,
        "critics": critics,
        "repeats": len(rows),
        "covered": float(np.mean(lower <= pair.truth)),
        "limit": float(lower.mean()),
        "estimate": float(estimate.mean()),
        "p_uniform": float(stats.kstest(p, "uniform").pvalue) if pair.truth == 0 and len(p) > 1 else None,
        "seconds": float(seconds.sum()),
    }


def table(found: list[dict[str, float | str | None]]) -> str:
    """One row for each summary; limit and estimate over the truth, or themselves where that is 0."""
    lines = [
        "| pair | JS [nats] | n | critics | repeats | limit <= JS | mean limit / JS | mean estimate / JS | p uniform |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        equal, limit, estimate = one["truth"] == 0, one["limit"], one["estimate"]
        ratios = (
            f"{limit:.5f} (absolute) | {estimate:.5f} (absolute)"
            if equal
            else f"{limit / one['truth']:.3f} | {estimate / one['truth']:.3f}"
        )
        uniform = "-" if one["p_uniform"] is None else f"{one['p_uniform']:.3f}"
        lines.append(
            f"| {one['pair']} | {one['truth']:.6f} | {one['n']} | {one['critics']} | {one['repeats']} "
            f"| {one['covered']:.3f} | {ratios} | {uniform} |"
        )
    hours = sum(one["seconds"] for one in found) / 3600
    lowest = min(one["covered"] for one in found)
    return "\n".join(
        [
            *lines,
            "",
            f"Lowest coverage of all cells: {lowest:.3f}, where 0.95 is promised. All repeats took {hours:.1f} hours.",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="four pairs, n = 500, 3 repeats")
    parser.add_argument(
        "--full", action="store_true", help="the usual ladder of critics instead of fast ones"
    )
    parser.add_argument("--pairs", nargs="+", choices=[pair.name for pair in PAIRS], help="only these pairs")
    parser.add_argument("--smallest", type=int, default=SIZES[0], help="leave smaller samples out")
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="leave larger samples out")
    parser.add_argument("--json", type=Path, help="write the records there")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / ("limit_coverage-quick.jsonl" if arguments.quick else "limit_coverage.jsonl")
    if arguments.quick:
        path.unlink(missing_ok=True)
    sizes = tuple(n for n in SIZES if arguments.smallest <= n <= arguments.largest)
    names = arguments.pairs or [pair.name for pair in PAIRS]
    wanted = list(cells(SIZES[:1], QUICK) if arguments.quick else cells(sizes, names))
    repeats = 3 if arguments.quick else arguments.repeats
    records = study(wanted, repeats, "ladder" if arguments.full else "fast", path)
    found = summaries(records)
    print(table(found))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
