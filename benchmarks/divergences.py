"""D_KL and D_JS from samples, beside other packages on the same samples: accuracy over repeats, time, memory.

    python benchmarks/divergences.py --quick
    python benchmarks/divergences.py --parts parts.jsonl          all; run again, it goes on where it was stopped
    python benchmarks/divergences.py --pairs shift --dimensions 10 --sizes 100000

Pairs with known divergence in d dimensions: a shift by one (D_KL = 1/2; in one dimension also D_JS = 0.111421), a width
of 1.5 for 1, two peaks against one Gaussian of their width in the first feature, and 4 x 4 Ising spins with a little
noise at two temperatures (d = 16). Each package makes all repeats of a case in a process of its own. RMSE and bias are
over the repeats, each with its standard error. Seconds are of CPU, of all threads, the median of the repeats; memory is
the growth of the peak. A package has --limit CPU seconds for the repeats of a case; if not one of them ends, it is not
tried in more dimensions and with more events. One that is not installed is listed as absent (pip install -r
benchmarks/requirements.txt).
"""

import argparse
import json
import math
import multiprocessing
import os
import resource
import statistics
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from _divergence_peers import ESTIMATORS, Estimator, K

Array = npt.NDArray[np.float64]
Row = dict[str, Any]

DIMENSIONS = [1, 2, 5, 10, 20, 50]
REPEATS = {1_000: 20, 10_000: 5, 100_000: 2}


def shift(d: int, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    x, y = rng.normal(size=(2, n, d))
    y[:, 0] += 1
    return x, y


def wider(d: int, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    x, y = rng.normal(size=(2, n, d))
    return x, 1.5 * y


def two_peaks(d: int, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    x, y = rng.normal(size=(2, n, d))
    x[:, 0] += 2 * rng.choice([-1, 1], n)
    y[:, 0] *= 5**0.5
    return x, y


def ising(d: int, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Noise of 0.2 makes spins +-1 a density of the same divergence, to 1e-5."""
    from zerosum.theory.ising import Ising

    x, y = (Ising(4, coupling).sample(n, rng) + 0.2 * rng.normal(size=(n, d)) for coupling in (0.3, 0.5))
    return x, y


PER_FEATURE = math.log(1.5) + 1 / 4.5 - 0.5
PAIRS: dict[str, tuple[Callable[..., tuple[Array, Array]], dict[int, float]]] = {
    "shift": (shift, dict.fromkeys(DIMENSIONS, 0.5)),
    "wider": (wider, {d: d * PER_FEATURE for d in (1, 2, 5, 10)}),
    "two peaks": (two_peaks, dict.fromkeys((1, 2, 5, 10), 0.1719987624801832056)),
    "ising": (ising, {16: 1.61887075742156111}),
}
"""Each pair: its events, and its D_KL in the dimensions in which it is tried."""
TRUE_JS = 0.1114214821847361797


def cases(
    pairs: list[str], dimensions: list[int] | None, sizes: list[int]
) -> list[tuple[str, str, int, int]]:
    """Quantity, pair, d, N: the cheap ones first."""
    found = []
    for n in sizes:
        if "shift" in pairs and (dimensions is None or 1 in dimensions):
            found.append(("JS", "shift", 1, n))
        for pair in pairs:
            found += [("KL", pair, d, n) for d in PAIRS[pair][1] if dimensions is None or d in dimensions]
    return found


def samples(pair: str, d: int, n: int, repeat: int) -> tuple[Array, Array]:
    return PAIRS[pair][0](d, n, np.random.default_rng([d, n, repeat]))


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def child(
    estimator: Estimator, case: tuple[str, int, int], repeats: int, limit: float, pipe: Connection
) -> None:
    """Imports and warms up on few events; then measures, until the system ends it at the limit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what packages print is not part of the table
    try:
        x, y = samples(*case, repeat=0)
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(cpu() + limit), resource.RLIM_INFINITY))
        estimator(x[:200], y[:200])
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(cpu() + limit), resource.RLIM_INFINITY))
        for repeat in range(repeats):
            x, y = samples(*case, repeat=repeat)
            before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, cpu()
            value, error = estimator(x, y)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            pipe.send((value, error, cpu() - start, (peak - before) / 1024))
    except ImportError:
        pipe.send("absent")
    except Exception as problem:
        pipe.send(f"failed: {type(problem).__name__}")


def measure(estimator: Estimator, case: tuple[str, int, int], repeats: int, limit: float) -> list[Any] | str:
    """What each repeat gave: value, error, seconds, MiB; or why there is nothing."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=child, args=(estimator, case, repeats, limit, sender))
    process.start()
    sender.close()
    found: list[Any] = []
    try:
        while len(found) < repeats:
            found.append(receiver.recv())
            if isinstance(found[-1], str):
                return str(found[-1])
    except EOFError:
        return found or f"over {limit:.0f} s"
    finally:
        process.kill()
        process.join()
    return found


def summary(found: list[Any], truth: float) -> Row:
    """Root mean square error and bias with their standard errors; and the rest."""
    values, errors, seconds, memory = zip(*found, strict=True)
    off = np.array(values) - truth
    rmse, many = float(np.sqrt((off**2).mean())), len(off) > 2
    row: Row = {"repeats": len(off), "rmse": rmse, "bias": float(off.mean()), "off": off.tolist()}
    row["rmse_error"] = float((off**2).std(ddof=1) / (2 * rmse * len(off) ** 0.5)) if many else None
    row["bias_error"] = float(off.std(ddof=1) / len(off) ** 0.5) if many else None
    row["error_given"] = None if errors[0] is None else float(np.mean(errors))
    row["covered"] = None if errors[0] is None else float(np.mean(np.abs(off) < 2 * np.array(errors)))
    return row | {"seconds": statistics.median(seconds), "mib": memory[0]}


def run(todo: list[tuple[str, str, int, int]], options: argparse.Namespace) -> list[Row]:
    """All rows, each printed and kept as soon as it is there."""
    parts: Path | None = options.parts
    stored = parts.read_text().splitlines() if parts and parts.exists() else []
    done: list[Row] = [json.loads(line) for line in stored]
    rows: list[Row] = []
    for quantity, pair, d, n in todo:
        for name, estimator in ESTIMATORS[quantity].items():
            head = {"quantity": quantity, "pair": pair, "d": d, "N": n, "package": name}
            row = next((one for one in done if head.items() <= one.items()), None)
            if row is None and (options.limit == 0 or name not in (options.packages or [name])):
                continue
            if row is None:
                repeats = options.repeats or REPEATS.get(n, 3)
                row = head | outcome(estimator, head, repeats, options.limit, done + rows)
                if parts:
                    with parts.open("a") as file:
                        file.write(json.dumps(row) + "\n")
            rows.append(row)
            print(line(row), flush=True)
    return rows


def outcome(estimator: Estimator, head: Row, repeats: int, limit: float, known: list[Row]) -> Row:
    """One package in one case; not tried where it took too long for no more events and dimensions."""
    for one in known:
        same = all(one[key] == head[key] for key in ("quantity", "package"))
        smaller = one["d"] <= head["d"] and one["N"] <= head["N"]
        if same and smaller and one.get("note", "").startswith("over"):
            note = one["note"]
            return {"note": note if "at" in note else f"{note} at d = {one['d']}, N = {one['N']}"}
    truth = TRUE_JS if head["quantity"] == "JS" else PAIRS[head["pair"]][1][head["d"]]
    found = measure(estimator, (head["pair"], head["d"], head["N"]), repeats, limit)
    return {"note": found} if isinstance(found, str) else summary(found, truth)


def line(row: Row) -> str:
    head = f"| {row['quantity']} | {row['pair']} | {row['d']} | {row['N']} | {row['package']} | "
    if "note" in row:
        return head + f"{row['note']} | | | | | |"
    rmse, bias = (
        f"{row[key]:{form}}" + ("" if row[f"{key}_error"] is None else f" ± {row[f'{key}_error']:.4f}")
        for key, form in (("rmse", ".4f"), ("bias", "+.4f"))
    )
    given = "" if row["error_given"] is None else f"{row['error_given']:.4f} ({row['covered']:.0%})"
    return head + f"{rmse} | {bias} | {given} | {row['repeats']} | {row['seconds']:.2f} | {row['mib']:.0f} |"


def verdict(rows: list[Row]) -> list[str]:
    """For each case: zerosum beside the most accurate peer, by squared errors on the same samples; and the speed."""
    columns = [
        "quantity",
        "pair",
        "d",
        "N",
        "most accurate peer",
        "RMSE, zerosum / peer",
        "squared errors differ by",
    ]
    lines = ["", table_row([*columns, "CPU of the fastest peer / zerosum's"]), "|---" * 8 + "|"]
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["quantity"], row["pair"], row["d"], row["N"]), []).append(row)
    for case, group in groups.items():
        ours, peers = (
            group[0],
            [row for row in group[1:] if "off" in row and group[0]["package"] == "zerosum"],
        )
        if "off" in ours and peers:
            best = min(peers, key=lambda row: row["rmse"])
            fastest = min(peers, key=lambda row: row["seconds"])
            both, ratio = f"{ours['rmse']:.4f} / {best['rmse']:.4f}", fastest["seconds"] / ours["seconds"]
            speed = f"{ratio:.2g} ({fastest['package']})"
            lines.append(table_row([*case, best["package"], both, differ(ours["off"], best["off"]), speed]))
    return lines


def table_row(cells: list[Any]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def differ(ours: list[float], theirs: list[float]) -> str:
    """The mean difference of squared errors in standard errors: what is below -2 is better, above 2 worse."""
    both = min(len(ours), len(theirs))
    gap = np.square(ours[:both]) - np.square(theirs[:both])
    if both < 3:
        return f"{both} samples only"
    sigma = float(gap.mean() / (gap.std(ddof=1) / len(gap) ** 0.5))
    return f"{sigma:+.1f} sigma: " + ("better" if sigma < -2 else "worse" if sigma > 2 else "equal")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small samples only, within a minute")
    parser.add_argument("--pairs", nargs="+", default=list(PAIRS), choices=list(PAIRS))
    parser.add_argument("--dimensions", type=int, nargs="+")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(REPEATS))
    parser.add_argument(
        "--repeats", type=int, help="of each case; by default 20, 5 and 2 for the sizes above"
    )
    parser.add_argument("--packages", nargs="+", help="by default all")
    parser.add_argument(
        "--limit", type=float, default=150, help="CPU seconds of a package for one case; 0: stored rows only"
    )
    parser.add_argument(
        "--parts", type=Path, metavar="FILE", help="keep finished rows here, and use those that are"
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.pairs, arguments.dimensions, arguments.sizes = ["shift"], [1, 10], [1_000]
        arguments.repeats, arguments.limit = 3, 4.0
    print(
        "| quantity | pair | d | N | package | RMSE | bias | error given (covers at 2) | repeats | CPU s | MiB |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    todo = cases(arguments.pairs, arguments.dimensions, arguments.sizes)
    rows = run(todo, arguments)
    print("\n".join(verdict(rows)))
    if arguments.json:
        arguments.json.write_text(json.dumps({"k": K, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
