"""A generator that can jump: its network also sees the signs of its latents.

A continuous G maps the prior, which is connected, onto a connected set. Where the data's modes are apart, some of what
it draws must lie between them, on bridges that become narrow only as G becomes steep (Khayatkhoei, Singh and Elgammal
2018, arXiv:1806.00880; Tanielian et al. 2020, arXiv:2006.04596). The signs of S normal latents are S fair coins,
independent of their absolute values: with them the prior is 2^S pieces that touch nowhere, and a network of moderate
weights can put each where it belongs. No prior has to be changed, and no number of modes to be known.
"""

import torch
from torch import Tensor, nn


class Signed(nn.Module):
    """A generator's network, given the signs of its first latents behind its latents.

    Args:
        network: From latents (N, L + S) and conditions (N, K) to events.
        signs: S, at most L.
    """

    def __init__(self, network: nn.Module, signs: int) -> None:
        super().__init__()
        self.network, self.signs = network, signs

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """From (N, L) and (N, K) to events."""
        # Not torch.sign: of these operators every reader of ONNX files knows how.
        signs = 2.0 * (z[:, : self.signs] >= 0).to(z.dtype) - 1.0
        return self.network(torch.cat([z, signs], 1), c)  # type: ignore[no-any-return]
