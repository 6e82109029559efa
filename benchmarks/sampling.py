"""How fast events are drawn, beside eager PyTorch and onnxruntime, and in how much memory they are written.

    python benchmarks/sampling.py [--quick] [--json FILE] [--rounds N]

The same trained generator with its inverse transforms, from latents to physical units, on one thread. "zerosum" is
`Model.stream`, with its latents that depend on the seed and the block alone, and events with names and conditions;
"eager" calls the networks and transforms batch by batch and keeps the numbers only; "onnxruntime" runs the file of
`zerosum export` on latents drawn before. The programs take turns; medians over the rounds, ratios within each round, in
CPU time. The generators are trained for a few steps: the speed does not depend on how good they are.

The second table draws batches of 100 showers of 368 voxels. The third takes one event and 4096 at a time, by
`Model.generate`, by onnxruntime, and by the exported C source (gcc -O2), which knows no batches and draws its latents
itself. The last writes a table to HDF5 with `zerosum sample` in a process of its own, a hundredth of the events and
then all: where both have the same peak memory (RSS), it is that of the libraries alone.
"""

import argparse
import ctypes
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zerosum.data.simulators import SOURCES
from zerosum.export.exporting import compiled, export
from zerosum.export.onnx_file import OnnxModel
from zerosum.export.onnx_file import run as run_onnx
from zerosum.model import Model
from zerosum.workflow import Run

Draw = Callable[[int], Any]
SOURCES_OF = {
    "table, pairs of muons, 6 columns": ("dimuon", 10_000),
    "images, 16 x 16": ("shower-images", 4_000),
    "showers, 368 voxels": ("showers", 4_000),
}
SHOWERS = "showers, 368 voxels"
BATCH = 100
SINGLE = (1, 4096)
CHILD = """
import re, sys
from pathlib import Path
from zerosum.workflow import sample
sample(sys.argv[1], int(sys.argv[2]), sys.argv[3])
print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text()).group(1))
"""


def trained(source: str, n: int, folder: Path) -> Model:
    """A generator after a few steps with default settings."""
    events = next(SOURCES[source].stream(n, 1))
    run = Run.start(events, folder, {"steps": 20, "log_every": 20, "judgements": 0})
    for _ in run.play():
        pass
    return Model.load(folder / "model")


def zerosum(model: Model) -> Draw:
    """`Model.stream`."""

    def draw(n: int) -> None:
        for _ in model.stream(n):
            pass

    return draw


def given(model: Model, n: int) -> Any:
    """Conditions of real events, (n, K), or None."""
    known = model.known_conditions
    return None if known is None else np.resize(known, (n, known.shape[1]))


def eager(model: Model) -> Draw:
    """The networks and transforms, as they are called in PyTorch."""
    conditions, shown = given(model, model.block), None
    if conditions is not None:
        shown = model.preprocessor.forward_conditions(conditions)

    @torch.no_grad()
    def draw(n: int) -> None:
        for _ in range(-(-n // model.block)):
            game = model.lens.project(model.generator(torch.randn(model.block, model.latents), shown))
            model.preprocessor.physical(model.lens.decode(game))

    return draw


def onnx(model: Model, path: Path) -> Draw:
    """The exported file."""
    export(model, path)
    session = OnnxModel.load(path).session
    latent = np.random.default_rng(0).standard_normal((model.block, model.latents), dtype=np.float32)
    conditions = given(model, model.block)

    def draw(n: int) -> None:
        for _ in range(-(-n // model.block)):
            run_onnx(session, latent, conditions)

    return draw


def seconds(draw: Draw, n: int) -> float:
    """CPU seconds for n events."""
    started = time.process_time()
    draw(n)
    return time.process_time() - started


def throughput(
    name: str, programs: dict[str, Draw], block: int, rounds: int, enough: float
) -> dict[str, Any]:
    """One row: whole blocks for about `enough` seconds of each program in each round."""
    n = {}
    for key, draw in programs.items():
        draw(block)
        n[key] = block * max(1, round(enough / seconds(draw, block)))
    taken = [{key: seconds(draw, n[key]) / n[key] for key, draw in programs.items()} for _ in range(rounds)]
    return {
        "generator": name,
        "events_per_second": {key: 1 / statistics.median(one[key] for one in taken) for key in programs},
        "ratio": {key: statistics.median(one[key] / one["zerosum"] for one in taken) for key in programs},
    }


def showers(model: Model, session: Any, rounds: int) -> dict[str, float]:
    """Milliseconds for each of 100 showers drawn together."""
    latent = np.random.default_rng(0).standard_normal((BATCH, model.latents), dtype=np.float32)
    conditions = given(model, BATCH)

    def network(_: int) -> None:
        with torch.no_grad():
            model.generator(torch.from_numpy(latent), model.preprocessor.forward_conditions(conditions))

    programs: dict[str, Draw] = {
        "zerosum, to physical units": lambda _: model.generate(latent, conditions),
        "its network alone": network,
        "onnxruntime, to physical units": lambda _: run_onnx(session, latent, conditions),
    }
    for draw in programs.values():
        seconds(draw, BATCH)
    taken = [{key: seconds(draw, BATCH) for key, draw in programs.items()} for _ in range(10 * rounds)]
    return {key: 1e3 * statistics.median(one[key] for one in taken) / BATCH for key in programs}


def repeated(draw: Callable[[], Any], calls: int) -> Draw:
    """The same batch, so many times."""

    def draws(_: int) -> None:
        for _ in range(calls):
            draw()

    return draws


def one_by_one(model: Model, session: Any, folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Microseconds for an event of a table at each batch: PyTorch, onnxruntime, and the C source in a loop."""
    prefix = "each"
    export(model, folder / f"{prefix}.c")
    loop = "void many(uint64_t n, double *x)"
    library = compiled(
        (folder / f"{prefix}.c").read_text()
        + f"\n{loop};\n{loop} {{ uint64_t i; for (i = 0; i < n; ++i) {prefix}_generate(1, i, 0, x); }}\n",
        folder,
    )
    out = np.zeros(len(model.features))
    at = ctypes.c_void_p(out.ctypes.data)
    rows = []
    for batch in SINGLE:
        latent = np.random.default_rng(0).standard_normal((batch, model.latents), dtype=np.float32)
        calls = max(1, 20_000 // batch)
        programs: dict[str, Draw] = {
            "pytorch": repeated(partial(model.generate, latent, None), calls),
            "onnx": repeated(partial(run_onnx, session, latent, None), calls),
            "c": lambda n: library.many(ctypes.c_uint64(n), at),
        }
        n = batch * calls
        taken = [{key: seconds(draw, n) / n for key, draw in programs.items()} for _ in range(rounds)]
        rows.append(
            {"batch": batch} | {key: 1e6 * statistics.median(one[key] for one in taken) for key in programs}
        )
    return rows


def written(run: Path, n: int, folder: Path) -> dict[str, float]:
    """Time, size and peak memory of writing n events to HDF5 in a process of its own."""
    path, started = folder / f"{n}.h5", time.perf_counter()
    command = [sys.executable, "-c", CHILD, str(run), str(n), str(path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    row = {"events": n, "seconds": time.perf_counter() - started, "mb": path.stat().st_size / 1e6}
    path.unlink()
    return row | {"peak_rss_mib": int(done.stdout) / 1024}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="three short rounds, and 10^6 events to HDF5")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    rounds, enough = (3, 0.1) if arguments.quick else (arguments.rounds, 1.0)
    events = 10**6 if arguments.quick else 10**7
    with tempfile.TemporaryDirectory() as folder:
        found = tables(Path(folder), rounds, enough, events)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


def tables(folder: Path, rounds: int, enough: float, events: int) -> dict[str, Any]:
    """Measure and print all tables."""
    torch.set_num_threads(1)
    rows, runs = [], {}
    print("| generator | zerosum, events/s | eager | onnxruntime | over eager | over onnxruntime |")
    print("|---|---|---|---|---|---|")
    for name, (source, n) in SOURCES_OF.items():
        runs[name] = folder / source
        model = trained(source, n, runs[name])
        programs = {
            "zerosum": zerosum(model),
            "eager": eager(model),
            "onnx": onnx(model, folder / f"{source}.onnx"),
        }
        rows.append(throughput(name, programs, model.block, rounds, enough))
        rate, ratio = rows[-1]["events_per_second"], rows[-1]["ratio"]
        print(
            f"| {name} | {rate['zerosum']:,.0f} | {rate['eager']:,.0f} | {rate['onnx']:,.0f} | {ratio['eager']:.2f} "
            f"| {ratio['onnx']:.2f} |",
            flush=True,
        )
    of_showers = showers(
        Model.load(runs[SHOWERS] / "model"), OnnxModel.load(folder / "showers.onnx").session, rounds
    )
    print(f"\n| {SHOWERS}, batch {BATCH} | ms for a shower |\n|---|---|")
    print("\n".join(f"| {key} | {number:.4f} |" for key, number in of_showers.items()), flush=True)
    first = next(iter(runs))
    single = one_by_one(
        Model.load(runs[first] / "model"),
        OnnxModel.load(folder / f"{SOURCES_OF[first][0]}.onnx").session,
        folder,
        rounds,
    )
    print(f"\n| {first}: batch | PyTorch, μs an event | onnxruntime | C, one by one |\n|---|---|---|---|")
    for row in single:
        print(
            f"| {row['batch']} | {row['pytorch']:.2f} | {row['onnx']:.2f} | {row['c']:.2f} |",
            flush=True,
        )
    print("\n| table to HDF5 | seconds | file, MB | peak RSS, MiB |\n|---|---|---|---|")
    files = []
    for n in (events // 100, events):
        files.append(written(runs[next(iter(runs))], n, folder))
        print(
            f"| {n:,} events | {files[-1]['seconds']:.1f} | {files[-1]['mb']:.0f} | {files[-1]['peak_rss_mib']:.0f} |",
            flush=True,
        )
    return {"throughput": rows, "showers_ms": of_showers, "single_us": single, "hdf5": files}


if __name__ == "__main__":
    main()
