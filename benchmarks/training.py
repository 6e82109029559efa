"""How fast a step of training is, beside a plain eager PyTorch loop and other libraries, on the same batch and data.

    python benchmarks/training.py [--quick] [--json FILE] [--rounds N] [--device cpu]

All play RpGAN + R1 + R2 with Adam and an averaged generator. "eager" is the loop that a careful user writes: the fakes
of the discriminator's update without a graph, the discriminator frozen in the generator's, penalties by differentiating
twice, the average by foreach, torch's own convolutions; "fused" also has PyTorch's fused Adam. zerosum's side is its
training loop as `zerosum train` runs it, between two records. Events are real events per step. The programs take turns
in one process on one thread; medians over the rounds, ratios within each round; CPU time on a CPU, which other programs
change less than time.

bf16: events per second with `precision: bf16-mixed` over those without.

Other libraries, where they are installed (_training_peers.py), play WGAN-GP, and so does zerosum beside them: events
per second, and zerosum's over theirs.

GEMM: floating-point operations that zerosum's matrix products and convolutions need for a step, per second, over what a
product of two 1024 x 1024 matrices reaches in the same round.
"""

import argparse
import copy
import importlib.util
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.utils.flop_counter import FlopCounterMode

from _training_peers import PEERS, TABLES_ONLY, Steps
from zerosum.data.events import Events
from zerosum.data.simulators.mixtures import GRID_SIGMA, grid_centres
from zerosum.game.convolutions import Convolution, Deconvolution
from zerosum.training.config import Config
from zerosum.training.engine import Engine
from zerosum.training.loop import play
from zerosum.training.setup import Setup, prepare

SIDE = 1024  # of the matrices that measure the peak
NOTHING: Any = SimpleNamespace(
    records=list, append=lambda *_: None, write=lambda *_: None
)  # no history, no checkpoints


@dataclass(frozen=True)
class Case:
    """Events, and a batch."""

    events: Callable[[], Events]
    batch: int


def table() -> Events:
    """25 Gaussians on a plane."""
    rng = np.random.default_rng(0)
    return Events.table(
        grid_centres()[rng.integers(25, size=50_000)] + GRID_SIGMA * rng.normal(size=(50_000, 2))
    )


def images(side: int) -> Callable[[], Events]:
    """Smooth noise: white noise, averaged over 3 x 3 pixels."""

    def draw() -> Events:
        white = np.random.default_rng(0).normal(size=(4096, 1, side, side))
        rows = sum(np.roll(white, shift, axis=2) for shift in (-1, 0, 1))
        return Events.grid(sum(np.roll(rows, shift, axis=3) for shift in (-1, 0, 1)) / 3)

    return draw


CASES = {
    "MLP 3 x 128, batch 256": Case(table, 256),
    "MLP 3 x 128, batch 4096": Case(table, 4096),
    "de-convolutional 16 x 16, batch 64": Case(images(16), 64),
    "de-convolutional 32 x 32, batch 64": Case(images(32), 64),
}


def zerosum(setup: Setup) -> Steps:
    """The training loop itself, n steps at a time."""

    def steps(n: int) -> None:
        end = setup.training.step + n
        for _ in play(
            setup.training,
            config=setup.config,
            history=NOTHING,
            checkpoints=NOTHING,
            watch=NOTHING,
            judge=NOTHING,
            keep=lambda _: None,
            stop=lambda: setup.training.step >= end,
        ):
            raise AssertionError("a record within the timed steps")

    return steps


def eager(setup: Setup, *, fused: bool) -> Steps:
    """The same game as a loop of plain PyTorch, on copies of the same networks."""
    discriminator, generator = (plain(copy.deepcopy(player.module)) for player in setup.training.game)
    averaged = copy.deepcopy(generator).requires_grad_(False)
    x, batch, latent = setup.training.sampler.seen, setup.training.sampler.batch, setup.blueprint.latent
    gamma, rate = setup.config.gamma[0], setup.config.learning_rate[0]  # type: ignore[index]

    def adam(module: nn.Module) -> torch.optim.Adam:
        return torch.optim.Adam(module.parameters(), lr=rate, betas=(0.0, 0.9), fused=fused or None)

    of_discriminator, of_generator = adam(discriminator), adam(generator)

    def prior() -> Tensor:
        return torch.randn(batch, latent, device=x.device)

    def real_events() -> Tensor:
        return x[torch.randint(len(x), (batch,), device=x.device)]

    def move_discriminator() -> None:
        with torch.no_grad():
            fake = generator(prior())
        real, fake = real_events().requires_grad_(), fake.requires_grad_()
        of_real, of_fake = discriminator(real), discriminator(fake)
        (r1,) = torch.autograd.grad(of_real.sum(), real, create_graph=True)
        (r2,) = torch.autograd.grad(of_fake.sum(), fake, create_graph=True)
        penalty = (r1.square().flatten(1).sum(1).mean() + r2.square().flatten(1).sum(1).mean()) / 2
        of_discriminator.zero_grad()
        (softplus(of_fake - of_real).mean() + gamma * penalty).backward()
        of_discriminator.step()

    def move_generator() -> None:
        discriminator.requires_grad_(False)
        loss = softplus(discriminator(real_events()) - discriminator(generator(prior()))).mean()
        of_generator.zero_grad()
        loss.backward()
        of_generator.step()
        discriminator.requires_grad_(True)

    def steps(n: int) -> None:
        for _ in range(n):
            move_discriminator()
            move_generator()
            with torch.no_grad():
                torch._foreach_lerp_([*averaged.parameters()], [*generator.parameters()], 0.01)

    return steps


def plain(network: nn.Module) -> nn.Module:
    """The network with torch's own convolutions, in torch's own order of numbers."""
    for layer in network.modules():
        if isinstance(layer, Convolution):
            layer.__class__ = nn.Conv2d  # type: ignore[assignment]
        elif isinstance(layer, Deconvolution):
            layer.__class__ = nn.ConvTranspose2d  # type: ignore[assignment]
    return network.to(memory_format=torch.contiguous_format)


def set_up(case: Case, device: str, precision: str = "32-true", **more: Any) -> Setup:
    """zerosum with its defaults for these events, and nothing but steps."""
    events = case.events()
    choices = {
        "batch": case.batch,
        "steps": 10**9,
        "log_every": 10**8,
        "checkpoint_every": 10**8,
        "judgements": 0,
        "precision": precision,
        **more,
    }
    config = Config(device=device, **choices).resolved(events)
    engine = Engine(device=device, precision=precision, threads=1)
    setup = prepare(config, events, events.take(slice(2048)), engine)
    assert setup.lens.sight is None, "the eager loop would have to show the discriminator more"
    assert not setup.lens.clamps, "the eager loop would have to clamp"
    return setup


def seconds(steps: Steps, n: int, device: torch.device) -> float:
    """Seconds for one of n steps."""
    if device.type == "cpu":
        started = time.process_time()
        done = steps(n) or n
        return (time.process_time() - started) / done
    torch.cuda.synchronize()
    started = time.perf_counter()
    steps(n)
    torch.cuda.synchronize()
    return (time.perf_counter() - started) / n


def gemm(device: torch.device) -> Steps:
    """Products of two square matrices."""
    a, b, out = (torch.randn(SIDE, SIDE, device=device) for _ in range(3))

    def steps(n: int) -> None:
        for _ in range(n):
            torch.mm(a, b, out=out)

    return steps


def in_turn(
    programs: dict[str, Steps], rounds: int, enough: float, place: torch.device
) -> list[dict[str, float]]:
    """Seconds for a step of each program in each round, after a few steps, over about `enough` seconds."""
    n = {}
    for key, steps in programs.items():
        seconds(steps, 3, place)
        n[key] = max(1, round(enough / seconds(steps, 3, place)))
    return [{key: seconds(steps, n[key], place) for key, steps in programs.items()} for _ in range(rounds)]


def measure(name: str, case: Case, rounds: int, device: str, enough: float) -> dict[str, Any]:
    """One row: each program for about `enough` seconds in each round."""
    setup = set_up(case, device)
    place = setup.engine.device
    programs = {
        "zerosum": zerosum(setup),
        "bf16": zerosum(set_up(case, device, "bf16-mixed")),
        "eager": eager(setup, fused=False),
        "fused": eager(setup, fused=True),
        "gemm": gemm(place),
    }
    with FlopCounterMode(display=False) as counter:
        programs["zerosum"](1)
    taken = in_turn(programs, rounds, enough, place)
    middle = {key: statistics.median(one[key] for one in taken) for key in programs}
    flop = counter.get_total_flops()
    return {
        "case": name,
        "events_per_second": {key: case.batch / middle[key] for key in ("zerosum", "eager", "fused")},
        "ratio": {
            key: statistics.median(one[key] / one["zerosum"] for one in taken) for key in ("eager", "fused")
        },
        "bf16_gain": statistics.median(one["zerosum"] / one["bf16"] for one in taken),
        "flop_per_step": flop,
        "gemm_flop_per_second": 2 * SIDE**3 / middle["gemm"],
        "gemm_fraction": statistics.median(
            flop * one["gemm"] / (2 * SIDE**3 * one["zerosum"]) for one in taken
        ),
    }


def beside(name: str, case: Case, rounds: int, enough: float) -> dict[str, Any] | None:
    """One row of zerosum and the libraries that are here, all playing WGAN-GP; None where there is none."""
    peers = [
        peer
        for peer in PEERS
        if importlib.util.find_spec(peer) is not None and not (peer in TABLES_ONLY and "MLP" not in name)
    ]
    if not peers:
        return None
    setup = set_up(case, "cpu", objective="wasserstein", penalty="gradient")
    programs = {"zerosum": zerosum(setup), **{peer: PEERS[peer](setup) for peer in peers}}
    taken = in_turn(programs, rounds, enough, setup.engine.device)
    return {
        "case": name,
        "events_per_second": {
            key: case.batch / statistics.median(one[key] for one in taken) for key in programs
        },
        "ratio": {peer: statistics.median(one[peer] / one["zerosum"] for one in taken) for peer in peers},
    }


def peer_line(row: dict[str, Any]) -> str:
    """One row as Markdown."""
    cells = [f"{row['events_per_second']['zerosum']:,.0f}"]
    for peer in PEERS:
        found = row["events_per_second"].get(peer)
        cells.append("" if found is None else f"{found:,.0f} ({row['ratio'][peer]:.2f})")
    return f"| {row['case']} | {' | '.join(cells)} |"


def line(row: dict[str, Any]) -> str:
    """One row as Markdown."""
    events, ratio = row["events_per_second"], row["ratio"]
    return (
        f"| {row['case']} | {events['zerosum']:,.0f} | {events['eager']:,.0f} | {events['fused']:,.0f} "
        f"| {ratio['eager']:.2f} | {ratio['fused']:.2f} | {row['gemm_fraction']:.2f} | {row['bf16_gain']:.2f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="three short rounds instead of fifteen")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    rounds, enough = (3, 0.1) if arguments.quick else (arguments.rounds, 0.5)
    print(
        "| networks | zerosum, events/s | eager | eager, fused Adam | over eager | over fused | GEMM | bf16 |"
    )
    print("|---|---|---|---|---|---|---|---|")
    rows = []
    for name, case in CASES.items():
        rows.append(measure(name, case, rounds, arguments.device, enough))
        print(line(rows[-1]), flush=True)
    print(f"\n| networks, WGAN-GP | zerosum, events/s | {' | '.join(PEERS)} |")
    print("|---|---|" + "---|" * len(PEERS))
    others = [beside(name, case, min(rounds, 5), enough) for name, case in CASES.items()]
    found = [row for row in others if row is not None]
    for row in found:
        print(peer_line(row), flush=True)
    absent = [peer for peer in PEERS if importlib.util.find_spec(peer) is None]
    print(f"\nIn brackets zerosum's events/s over theirs. Not installed: {', '.join(absent) or 'none'}.")
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"rows": rows, "peers": found, "absent": absent}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
