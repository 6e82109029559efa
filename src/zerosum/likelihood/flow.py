"""A normalising flow: an invertible network between events and a standard normal.

    ln p_g(x | c) = ln N(f(x; c); 0, 1) + ln|det df/dx|,

with f autoregressive, made of monotonic rational-quadratic splines (Durkan et al. 2019, arXiv:1906.04032), by zuko.
The splines act within +-5, in standardised units; beyond, f is the identity.
"""

from typing import Any

from torch import Tensor
from torch.distributions import Distribution

from zerosum.likelihood.gaussian import LN_2PI
from zerosum.likelihood.player import LikelihoodModel


class Flow(LikelihoodModel):
    """A neural spline flow on rows of F numbers.

    Args:
        features: F.
        conditions: How many numbers are given with each event.
        width: Units of a hidden layer; each transform has two of them.
        transforms: How many transforms follow each other, in alternating orders of the features.
    """

    def __init__(self, features: int, conditions: int, width: int, transforms: int) -> None:
        super().__init__()
        self.transforms = (
            import_zuko()
            .flows.NSF(features, conditions, transforms=transforms, hidden_features=(width, width))
            .transform
        )

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """From (N, F) and (N, K) to (N, F): the inverse transform."""
        events: Tensor = self.transforms(c).inv(z)
        return events

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """The density, ln p_g(x | c), shape (N,)."""
        z, log_jacobian = self.transforms(c).call_and_ladj(x)
        density: Tensor = log_jacobian - 0.5 * (z**2).sum(1) - 0.5 * z.shape[1] * LN_2PI
        return density


def import_zuko() -> Any:
    """Import zuko, and restore the argument validation of torch.distributions that zuko switches off."""
    validates = Distribution._validate_args
    import zuko

    Distribution.set_default_validate_args(validates)
    return zuko
