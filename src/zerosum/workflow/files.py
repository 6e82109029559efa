"""From files to files: simulate, sample, compare, export."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zerosum.data.calorimeters import geometry as geometry_named
from zerosum.data.events import Events
from zerosum.data.files import demand_writable, write_text
from zerosum.data.formats import Writer, load
from zerosum.data.shards import checked_shard, part_of, path_of, write_index
from zerosum.data.simulators import source as find_source
from zerosum.data.voxels import with_geometry
from zerosum.drawer import Drawer
from zerosum.errors import InputError
from zerosum.evaluation.memorisation import memorised
from zerosum.evaluation.observables import observed_pair
from zerosum.evaluation.streaming import compare_files
from zerosum.model import Model
from zerosum.report.compared import Compared, compare
from zerosum.report.html import write_report
from zerosum.report.style import named
from zerosum.theory.sources import DENSITIES
from zerosum.training.run import RunFolder, provenance
from zerosum.workers import stream_by
from zerosum.workflow.reading import is_large
from zerosum.workflow.run import Run

if TYPE_CHECKING:
    from zerosum.export.exporting import Exported

DRAWN = 200_000  # events of a large file that a report draws
CERTIFIED = ("jensen_shannon", "kl_forward", "kl_reverse", "auc", "confidence", "unit", "seed")


def write_stream(stream: Iterator[Events], output: str | Path) -> None:
    """Write events into a file as they come, in constant memory."""
    first = next(stream)
    with Writer(output, like=first) as writer:
        writer.append(first)
        for events in stream:
            writer.append(events)


def sample(
    run: str | Path,
    n: int,
    output: str | Path,
    *,
    where: Mapping[str, float] | None = None,
    seed: int = 0,
    force: bool = False,
    networks: Sequence[str] = (),
    workers: int = 1,
    shard: tuple[int, int] | None = None,
) -> int:
    """Draw n events from the generator of a run, or of a file that `export` wrote, in constant memory.

    `force` as in `Model.sample`, `networks` as in `Model.load`. Any number of `workers`, processes that draw, writes
    the same file. A `shard` (k, N) draws only the k-th of N parts, into a file of its own beside the output, which
    becomes the index of all (data/shards.py). Returns how many events were drawn.
    """
    load = partial(drawer, run, tuple(networks))
    options: dict[str, Any] = {"where": where, "seed": seed, "force": force}
    if shard is None:
        write_stream(stream_by(workers, load, n, **options), output)
        return n
    found, (k, shards), path = load(), shard, Path(output)
    blocks = found.blocks(n)
    checked_shard(k, shards, len(blocks), path)
    parts = [part_of(len(blocks), i, shards) for i in range(shards)]
    sizes = [min(part.stop * found.block, n) - part.start * found.block for part in parts]
    write_stream(stream_by(workers, load, n, parts[k], **options), path_of(path, k, shards))
    write_index(path, first_of(path_of(path, k, shards)), sizes, k)
    return sizes[k]


def first_of(path: Path) -> Events:
    """The first event of a file."""
    return load(path, max_events=1)


def drawer(run: str | Path, networks: Sequence[str] = ()) -> Drawer:
    """What draws events: a run's generator, or the one in an ONNX file."""
    if Path(run).suffix != ".onnx":
        return Model.load(RunFolder(run).existing().model, networks)
    from zerosum.export.onnx_file import OnnxModel

    return OnnxModel.load(run)


def export(run: str | Path, output: str | Path, networks: Sequence[str] = ()) -> "Exported":
    """Write a run's generator as a file that needs no zerosum, with its certificate and provenance."""
    from zerosum.export.exporting import export as write

    folder = RunFolder(run).existing()
    facts: dict[str, Any] = {}
    if (folder.path / "provenance.json").exists():
        known = folder.read_json("provenance.json")
        facts["provenance"] = {key: known.get(key) for key in ("started", "versions", "git")}
        facts["provenance"]["data_sha256"] = known.get("data", {}).get("sha256")
    if (folder.path / "certificate.json").exists():
        found = folder.read_json("certificate.json")
        facts["certificate"] = {key: found.get(key) for key in CERTIFIED} | {
            "n": [found.get(key, {}).get("n") for key in ("reference", "generated")]
        }
    return write(Model.load(folder.model, networks), output, facts=facts)


def simulate(source: str, n: int, output: str | Path, *, seed: int = 0, **options: Any) -> int:
    """Draw n events of a built-in source, with its options, into a file, in constant memory; returns n.

    Examples:
        >>> simulate("ring", 500, "ring.npy", seed=1)
        500
    """
    found = find_source(source, DENSITIES)
    if n < 1:
        raise InputError(f"{n} events were asked for; ask for at least 1.")
    found.check(options)
    write_stream(found.stream(n, seed=seed, **options), output)
    return n


def compare_paths(
    reference: str | Path,
    generated: str | Path,
    *,
    columns: Sequence[str] | None = None,
    observables: Sequence[str] = (),
    confidence: float = 0.95,
    metrics: bool = False,
    training: str | Path | None = None,
    seed: int = 0,
    geometry: str | None = None,
    json_file: Path | None = None,
    report_file: Path | None = None,
    style: str = "plain",
) -> Compared:
    """Compare two files, or a run's test split with a file; write the numbers and the report where asked.

    Files of more than `LARGE` bytes are streamed in bounded memory, and their report draws the first `DRAWN` events.

    Args:
        reference: A file, or a run's folder.
        generated: A file.
        columns: The features and conditions to compare.
        observables: What the critics see beside the observables of the data's kind.
        confidence: Level of the lower limits.
        metrics: Add the metrics that papers quote.
        training: The file that the generator was trained on, to test whether it memorised it.
        seed: Seed of splits, critics and permutations.
        geometry: The calorimeter of showers whose files do not name it.
        json_file: Where to write all numbers.
        report_file: Where to write the page.
        style: Of its figures: plain, ATLAS, CMS or LHCb.
    """
    look = named(style)
    for file in filter(None, (json_file, report_file)):
        demand_writable(file)
    learned = None if training is None else load(training, max_events=DRAWN)
    run = Run.resume(reference) if Path(reference).is_dir() else None
    choices: dict[str, Any] = {
        "columns": columns,
        "observables": observables,
        "confidence": confidence,
        "metrics": metrics,
        "seed": seed,
    }
    large = not run and any(is_large(path) for path in (reference, generated))
    first = run.test if run else load(reference, max_events=DRAWN if large else None)
    second = load(generated, max_events=DRAWN if large else None)
    if geometry:
        first, second = (with_geometry(events, geometry_named(geometry)) for events in (first, second))
    if large:
        found = compare_files(Path(reference), Path(generated), **choices)
        comparison = Compared.of(found, first, second, observables)
    else:
        comparison = compare(first, second, **choices)
    if learned is not None:
        comparison = replace(comparison, memorisation=memorised(learned, first, second, seed=seed))
    if json_file:
        write_text(json_file, json.dumps(comparison.to_json(), indent=1) + "\n")
    if report_file:
        write_report(
            report_file,
            comparison=comparison.to_json(),
            reference=first,
            generated=second,
            observables=observed_pair(first, second, observables),
            history=run.history if run else None,
            provenance=provenance("compare", first.digest(), str(reference)),
            title=f"{Path(generated).name} against {Path(reference).name}",
            style=look,
        )
    return comparison
