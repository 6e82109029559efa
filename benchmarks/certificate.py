"""The certificate beside other packages on the same samples: value, error, guarantee, time.

    python benchmarks/certificate.py --quick          n = 1000
    python benchmarks/certificate.py --json out.json  n = 20000

Two 10-dimensional Gaussians one standard deviation apart: D_JS = 0.111421 nats. A package that is not installed is
listed as absent.
"""

import argparse
import contextlib
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from zerosum.evaluation.certificate import certify

TRUTH = 0.1114214821847362
Row = dict[str, Any]


def zerosum(x: np.ndarray, y: np.ndarray) -> Row:
    found = certify(x, y)
    limit = f"limit {found.lower:.4f} at {found.confidence:.0%}, any n"
    return {"quantity": "JS [nats]", "value": found.estimate, "error": found.error, "guarantee": limit}


def calorimeter_recipe(x: np.ndarray, y: np.ndarray) -> Row:
    """A network with isotonic calibration, both judged on one test part: (ln 2 - BCE)/ln 2, in bits."""
    from sklearn.isotonic import IsotonicRegression
    from sklearn.neural_network import MLPClassifier

    data, label = np.concatenate([x, y]), np.repeat([1, 0], [len(x), len(y)])
    order = np.random.default_rng(0).permutation(len(data))
    fit, calibrate, test = np.split(order, [int(0.6 * len(data)), int(0.8 * len(data))])
    network = MLPClassifier((512, 512), alpha=0, max_iter=20, early_stopping=False, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it stops after its 20 passes, as the recipe does after 50
        network.fit(data[fit], label[fit])
    curve = IsotonicRegression(out_of_bounds="clip", y_min=1e-6, y_max=1 - 1e-6)
    curve.fit(network.predict_proba(data[calibrate])[:, 1], label[calibrate])
    d = curve.predict(network.predict_proba(data[test])[:, 1])
    loss = -np.mean(np.where(label[test] == 1, np.log(d), np.log(1 - d)))
    return {
        "quantity": "JS [bits]",
        "value": (np.log(2) - loss) / np.log(2),
        "error": None,
        "guarantee": "none",
    }


def jensenshannondivergence(x: np.ndarray, y: np.ndarray) -> Row:
    from jensenshannondivergence import estimate_jensen_shannon

    value = estimate_jensen_shannon(x, y, discriminator_type="MLP")
    return {"quantity": "JS [bits]", "value": float(value), "error": None, "guarantee": "none"}


def sbi_c2st(x: np.ndarray, y: np.ndarray) -> Row:
    import torch
    from sbi.utils.metrics import c2st

    value = c2st(torch.from_numpy(x), torch.from_numpy(y))
    return {"quantity": "accuracy", "value": float(value), "error": None, "guarantee": "none"}


def pted(x: np.ndarray, y: np.ndarray) -> Row:
    import pted as package

    return {
        "quantity": "p-value",
        "value": float(package.pted(x, y)),
        "error": None,
        "guarantee": "permutations",
    }


def hyppo_mmd(x: np.ndarray, y: np.ndarray) -> Row:
    from hyppo.ksample import MMD

    _, p = MMD().test(x, y)
    return {"quantity": "p-value", "value": float(p), "error": None, "guarantee": "permutations"}


PEERS: dict[str, Callable[[np.ndarray, np.ndarray], Row]] = {
    "zerosum": zerosum,
    "calorimeter challenge recipe": calorimeter_recipe,
    "jensenshannondivergence": jensenshannondivergence,
    "sbi c2st": sbi_c2st,
    "pted": pted,
    "hyppo MMD": hyppo_mmd,
}
SLOW = {"jensenshannondivergence": 2000, "pted": 2000, "hyppo MMD": 1000}  # the most events they get


def measure(name: str, n: int) -> Row:
    size = min(n, SLOW.get(name, n))
    x, y = np.random.default_rng(1).normal(size=(2, size, 10)).astype(np.float32)
    x[:, 0] += 1
    start = time.perf_counter()
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what packages say beside their result
            found = PEERS[name](x, y)
    except ImportError:
        return {"package": name, "n": size, "status": "absent"}
    except Exception as error:  # a broken peer is no reason to lose the others
        return {"package": name, "n": size, "status": f"failed: {type(error).__name__}"}
    return {"package": name, "n": size, "status": "ran", "seconds": time.perf_counter() - start} | found


def table(rows: list[Row]) -> str:
    lines = [
        f"10-d Gaussians, one sigma apart: JS = {TRUTH:.4f} nats = {TRUTH / np.log(2):.4f} bits",
        "| package | n | quantity | value | error | guarantee | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if row["status"] != "ran":
            lines.append(f"| {row['package']} | {row['n']} | {row['status']} | | | | |")
            continue
        error = "-" if row["error"] is None else f"{row['error']:.4f}"
        head = f"| {row['package']} | {row['n']} | {row['quantity']} | {row['value']:.4f} | {error}"
        lines.append(f"{head} | {row['guarantee']} | {row['seconds']:.1f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="1000 events of each sample")
    parser.add_argument("--json", type=Path, help="write the rows there")
    arguments = parser.parse_args()
    rows = [measure(name, 1000 if arguments.quick else 20_000) for name in PEERS]
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
