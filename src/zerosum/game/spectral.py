"""Spectral normalisation: W / sigma(W) in every layer (Miyato et al. 2018, arXiv:1802.05957, eqs. 7 and 8).

sigma(W) is the largest singular value of the weight as a matrix (outputs, all the rest), so a linear layer cannot
stretch a difference of its inputs; for a convolution it is the paper's matrix, whose norm is not that of the
convolution. torch's parametrisation finds it by one power iteration in each forward pass while training; its vectors
are buffers, so that checkpoints keep them.
"""

from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

from zerosum.game.penalties import with_gradient

LAYERS = (nn.Linear, nn.Conv2d, nn.Conv3d)


def normalised(discriminator: nn.Module) -> nn.Module:
    """The discriminator with every weight normalised."""
    for layer in list(discriminator.modules()):
        if isinstance(layer, LAYERS):
            spectral_norm(layer)
    return Normalised(discriminator)


class Normalised(nn.Module):
    """A discriminator whose weights are computed once for each call, however often the call uses them.

    Args:
        inner: D, with parametrised weights.
    """

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """The logits (N,)."""
        with parametrize.cached():
            return self.inner(x, c)  # type: ignore[no-any-return]

    def with_gradient(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The logits (N,) and their gradient by x, with the same weights in both."""
        with parametrize.cached():
            return with_gradient(self.inner, x, c)
