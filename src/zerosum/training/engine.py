"""Devices, precision and processes, through lightning-fabric; nothing else here knows about them.

Several processes play one game: each has its slice of every batch, gradients are averaged, and all parameters stay the
same in all of them. The first process alone writes the run's folder; what it measures is told to the others.
"""

import contextlib
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import TypeVar

import torch
from torch import Tensor, nn

from zerosum.errors import InputError, RunError, reason

T = TypeVar("T")
ASKED_EVERY = 10  # steps between the questions whether any process was asked to stop


def is_first(processes: int) -> bool:
    """Whether this is the first of the processes of a game, known before they are connected.

    torchrun sets RANK, SLURM's srun SLURM_PROCID; lightning-fabric sets LOCAL_RANK in the processes that it starts
    itself, and NODE_RANK says on which machine.
    """
    if processes == 1:
        return True
    for names in (("RANK",), ("SLURM_PROCID",), ("LOCAL_RANK", "NODE_RANK")):
        if names[0] in os.environ:
            return all(os.environ.get(name, "0") == "0" for name in names)
    return os.environ.get("NODE_RANK", "0") == "0"


class Engine:
    """Where a game is played.

    Args:
        device: "auto", "cpu", "cuda", "mps".
        precision: lightning-fabric's name, such as "32-true" or "bf16-mixed".
        threads: CPU threads of this process.
        devices: How many devices of a node take part.
        nodes: How many nodes take part.
    """

    def __init__(
        self,
        *,
        device: str = "auto",
        precision: str = "32-true",
        threads: int = 1,
        devices: int = 1,
        nodes: int = 1,
    ) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from lightning_fabric import Fabric

            logging.getLogger("lightning_fabric").setLevel("WARNING")  # or each process announces itself
            try:
                self.fabric = Fabric(
                    accelerator=device,
                    devices=devices,
                    num_nodes=nodes,
                    precision=precision,  # type: ignore[arg-type]
                    strategy="auto",
                )
                self.fabric.launch()
            except (ValueError, RuntimeError) as error:
                raise InputError(
                    f"device {device!r} with precision {precision!r}, {devices} of {nodes} node(s), cannot be used "
                    f"({reason(error)}); use device auto, precision 32-true and as many devices as there are."
                ) from None
        if self.device.type == "cpu":
            torch.set_num_threads(threads)

    @property
    def device(self) -> torch.device:
        """The device of this process."""
        return self.fabric.device

    @property
    def processes(self) -> int:
        """How many processes play."""
        return self.fabric.world_size

    @property
    def rank(self) -> int:
        """The number of this process; the first, 0, writes."""
        return self.fabric.global_rank

    @contextlib.contextmanager
    def autocast(self) -> Iterator[None]:
        """The precision in which the players' losses are computed."""
        with self.fabric.autocast():
            yield

    def gradients(
        self, loss: Tensor, parameters: Sequence[nn.Parameter], *, graph: bool = False
    ) -> list[Tensor]:
        """The gradients of a loss by these parameters only, averaged over the processes.

        One flat all-reduce serves any loss, also one that contains gradients itself (penalties), where hooks on
        parameters do not. With `graph` they can be differentiated again, and are this process's own.
        """
        gradients = list(torch.autograd.grad(loss, parameters, create_graph=graph)) if parameters else []
        if self.processes == 1 or graph or not gradients:
            return gradients
        flat = self.mean(torch.cat([gradient.flatten() for gradient in gradients]))
        ends = list(accumulate(gradient.numel() for gradient in gradients))
        return [flat[end - g.numel() : end].view_as(g) for end, g in zip(ends, gradients, strict=True)]

    def mean(self, numbers: Tensor) -> Tensor:
        """The mean over the processes."""
        with _together():
            return self.fabric.all_reduce(numbers, reduce_op="mean")  # type: ignore[return-value]

    def shared(self, found: T) -> T:
        """What the first process has, in all of them."""
        if self.processes == 1:
            return found
        with _together():
            return self.fabric.broadcast(found)

    def once(self, function: Callable[..., T]) -> Callable[..., T]:
        """The function, called in the first process only; all processes get its result."""
        if self.processes == 1:
            return function
        return lambda *args: self.shared(function(*args) if self.rank == 0 else None)  # type: ignore[return-value]

    def any(self, asked: bool, step: int) -> bool:
        """Whether any process was asked to stop; found out together, every `ASKED_EVERY` steps."""
        if self.processes == 1:
            return asked
        if step % ASKED_EVERY:
            return False
        return bool(self.mean(torch.tensor(float(asked), device=self.device)) > 0)

    def barrier(self) -> None:
        """Wait until all processes are here."""
        with _together():
            self.fabric.barrier()


@contextlib.contextmanager
def _together() -> Iterator[None]:
    """What all processes do together, and fails in all of them when one has gone."""
    try:
        yield
    except RuntimeError as error:
        raise RunError(
            f"another process of this training has ended ({reason(error)}); its own message says why. "
            "Continue from the last checkpoint with --resume."
        ) from error
