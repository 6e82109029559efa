"""Packing: the discriminator judges m events together (Lin et al. 2018, arXiv:1712.04086, section 3).

A generator that drops modes looks too uniform to one who sees several events at once: the total variation between
p_data^m and p_g^m grows faster with m for a generator that collapses than for one that is merely imprecise (theorem 4
there). All that the discriminator's side knows, objectives, penalties and conditions, then belongs to a pack.
"""

from torch import Tensor

PACKED = ("table", "grid")  # kinds of events that can be joined


def pack(x: Tensor, m: int) -> Tensor:
    """Consecutive events joined along the columns or channels, shape (N, C, ...) to (N / m, m C, ...).

    Args:
        x: Events or conditions; m divides their number.
        m: Events in a pack.
    """
    return x if m == 1 else x.reshape(len(x) // m, m * x.shape[1], *x.shape[2:])
