"""D_KL and D_JS from samples, beside other packages on the same samples: value, error, time, memory.

    python benchmarks/divergences.py --quick
    python benchmarks/divergences.py --dimensions 10 --sizes 100000 --json out.json

x ~ N(0, 1), y ~ N(e_1, 1) in d dimensions: D_KL = 1/2 in both directions, D_JS = 0.111421 (in one dimension, binned).
Each estimate runs in a process of its own, which is stopped at --limit seconds. Memory is the growth of its peak. A
package that is not installed is listed as absent (pip install -r benchmarks/requirements.txt).
"""

import argparse
import json
import math
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Row = dict[str, Any]

TRUTH = {"KL": 0.5, "JS": 0.1114214821847362}
DIMENSIONS = [1, 2, 5, 10, 20, 50]
SIZES = [1_000, 10_000, 100_000]
K = 5


def zerosum_kl(x: Array, y: Array) -> tuple[float, float | None]:
    from zerosum.theory.neighbours import knn_kl

    found = knn_kl(x, y, k=K)
    return found.value, found.error


def zerosum_js(x: Array, y: Array) -> tuple[float, float | None]:
    from zerosum.theory.binned import binned_js

    found = binned_js(x, y)
    return found.value, found.error


def scipy_tree(x: Array, y: Array) -> tuple[float, float | None]:
    """The same formula with scipy's tree on all cores: what a user would write."""
    from scipy.spatial import cKDTree

    cores = len(os.sched_getaffinity(0))
    own = cKDTree(x).query(x, [K + 1], workers=cores)[0]
    other = cKDTree(y).query(x, [K], workers=cores)[0]
    return float(x.shape[1] * np.log(other / own).mean() + np.log(len(y) / (len(x) - 1))), None


def divergence_kl(x: Array, y: Array) -> tuple[float, float | None]:
    from divergence import knn_kl_divergence

    return float(knn_kl_divergence(x, y, k=K)), None


def infomeasure_kl(x: Array, y: Array) -> tuple[float, float | None]:
    import infomeasure

    return float(infomeasure.kld(x, y, approach="metric", k=K)), None


def npeet_kl(x: Array, y: Array) -> tuple[float, float | None]:
    from npeet_plus import kldiv

    return float(kldiv(x, y, k=K, base=math.e)), None


def universal_kl(x: Array, y: Array) -> tuple[float, float | None]:
    from universal_divergence import estimate

    return float(estimate(x, y, k=K)), None


def divergence_js(x: Array, y: Array) -> tuple[float, float | None]:
    from divergence import continuous_jensen_shannon_divergence_from_sample

    return float(continuous_jensen_shannon_divergence_from_sample(x[:, 0], y[:, 0])), None


def infomeasure_js(x: Array, y: Array) -> tuple[float, float | None]:
    import infomeasure

    return float(infomeasure.jsd(x, y, approach="kernel", bandwidth=0.3, kernel="box")), None


def scipy_histogram(x: Array, y: Array) -> tuple[float, float | None]:
    from scipy.spatial.distance import jensenshannon

    edges = np.histogram_bin_edges(np.concatenate([x, y]), 50)
    p, q = (np.histogram(sample, edges)[0] for sample in (x, y))
    return float(jensenshannon(p, q) ** 2), None


Estimator = Callable[[Array, Array], tuple[float, float | None]]

ESTIMATORS: dict[str, dict[str, Estimator]] = {
    "KL": {
        "zerosum": zerosum_kl,
        "scipy cKDTree": scipy_tree,
        "divergence": divergence_kl,
        "infomeasure": infomeasure_kl,
        "npeet-plus": npeet_kl,
        "universal-divergence": universal_kl,
    },
    "JS": {
        "zerosum": zerosum_js,
        "divergence": divergence_js,
        "infomeasure": infomeasure_js,
        "scipy histogram": scipy_histogram,
    },
}


def samples(d: int, n: int) -> tuple[Array, Array]:
    rng = np.random.default_rng([d, n])
    x, y = rng.normal(size=(n, d)), rng.normal(size=(n, d))
    y[:, 0] += 1
    return x, y


def child(estimator: Estimator, x: Array, y: Array, pipe: Connection) -> None:
    """Imports and warms up on few events; then measures."""
    try:
        estimator(x[:200], y[:200])
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
        value, error = estimator(x, y)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        pipe.send({"value": value, "error": error, "seconds": seconds, "mib": (peak - before) / 1024})
    except ImportError:
        pipe.send({"note": "absent"})
    except Exception as problem:
        pipe.send({"note": f"failed: {type(problem).__name__}"})


def measure(estimator: Estimator, x: Array, y: Array, limit: float) -> Row:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=child, args=(estimator, x, y, sender))
    process.start()
    sender.close()
    try:
        row = receiver.recv() if receiver.poll(limit) else {"note": f"over {limit:.0f} s"}
    except EOFError:
        row = {"note": "failed: ended"}
    process.kill()
    process.join()
    return row


def run(dimensions: list[int], sizes: list[int], limit: float) -> list[Row]:
    rows = []
    cases = [("JS", 1, n) for n in sizes if 1 in dimensions] + [
        ("KL", d, n) for n in sizes for d in dimensions
    ]
    for quantity, d, n in cases:
        x, y = samples(d, n)
        for name, estimator in ESTIMATORS[quantity].items():
            row = {"quantity": quantity, "d": d, "N": n, "package": name, **measure(estimator, x, y, limit)}
            if "value" in row:
                row["off"] = row["value"] - TRUTH[quantity]
            rows.append(row)
            print(line(row), flush=True)
    return rows


def line(row: Row) -> str:
    head = f"| {row['quantity']} | {row['d']} | {row['N']} | {row['package']} | "
    if "note" in row:
        return head + f"{row['note']} | | | | |"
    error = "" if row["error"] is None else f"{row['error']:.4f}"
    return (
        head + f"{row['value']:.4f} | {error} | {row['off']:+.4f} | {row['seconds']:.2f} | {row['mib']:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small samples only, within a minute")
    parser.add_argument("--dimensions", type=int, nargs="+", default=DIMENSIONS)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--limit", type=float, default=600, help="seconds for one estimate")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    dimensions, sizes, limit = arguments.dimensions, arguments.sizes, arguments.limit
    if arguments.quick:
        dimensions, sizes, limit = [1, 10], [1_000, 2_000], 4.0
    print("| quantity | d | N | package | value | error given | off by | seconds | MiB |")
    print("|---|---|---|---|---|---|---|---|---|")
    rows = run(dimensions, sizes, limit)
    if arguments.json:
        arguments.json.write_text(json.dumps({"truth": TRUTH, "k": K, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
