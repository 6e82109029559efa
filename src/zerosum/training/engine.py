"""Devices, precision and processes, through lightning-fabric; nothing else here knows about them."""

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn

from zerosum.errors import InputError


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
                reason = str(error).splitlines()[0]
                raise InputError(
                    f"device {device!r} with precision {precision!r} cannot be used ({reason}); "
                    "use device auto and precision 32-true."
                ) from None
        if self.device.type == "cpu":
            torch.set_num_threads(threads)

    @property
    def device(self) -> torch.device:
        """The device of this process."""
        return self.fabric.device

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
        if self.fabric.world_size == 1 or graph:
            return gradients
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        flat = self.fabric.all_reduce(flat, reduce_op="mean")  # type: ignore[assignment]
        ends = list(accumulate(gradient.numel() for gradient in gradients))
        return [flat[end - g.numel() : end].view_as(g) for end, g in zip(ends, gradients, strict=True)]
