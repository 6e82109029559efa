"""The two-dimensional Ising model on an L x L torus, with its exact partition function.

    p(s) = exp(-K E(s)) / Z,    E = -sum over bonds of s_i s_j (J = 1),    K = J / kT

ln Z at any L is Kaufman's (Phys. Rev. 76 (1949) 1232, eq. 51). Up to L = 8 the density of states g(E) is counted,
exactly, by adding one spin after the other. An event is its L^2 spins, +1 or -1, row by row.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import torch

from zerosum.data.simulators.lattice import CRITICAL, energy, simulate_ising
from zerosum.errors import InputError

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]

COUNTABLE = 8  # the largest L whose 2^(L^2) states fit in 64-bit counts
SEQUENTIAL = 8  # the largest L that is sampled row by row, with the matrices between rows


@dataclass(frozen=True)
class Ising:
    """The Ising model on a torus.

    Attributes:
        side: L, at least 3.
        coupling: K = J / kT, above 0; by default the critical ln(1 + sqrt 2) / 2.
    """

    side: int
    coupling: float = CRITICAL

    def __post_init__(self) -> None:
        if self.side < 3 or not 0 < self.coupling < math.inf:
            raise InputError(
                f"Ising was given L = {self.side} and K = {self.coupling}; L must be at least 3 and K positive."
            )

    @property
    def dim(self) -> int:
        """The number of spins, L^2."""
        return self.side**2

    @property
    def discrete(self) -> bool:
        """Spins are +1 or -1."""
        return True

    @property
    def countable(self) -> bool:
        """Whether the density of states is available, L <= 8."""
        return self.side <= COUNTABLE

    @property
    def support(self) -> tuple[Array, Array]:
        """The box that holds the spins."""
        return -np.ones(self.dim), np.ones(self.dim)

    @property
    def landmarks(self) -> Array:
        """The two ground states, shape (2, L^2)."""
        return np.stack(self.support)

    @cached_property
    def log_partition(self) -> float:
        """Ln Z."""
        return _kaufman(self.side, self.coupling)[0]

    @cached_property
    def mean_energy(self) -> float:
        """<E> = -d ln Z / dK."""
        return -_kaufman(self.side, self.coupling)[1]

    @property
    def entropy(self) -> float:
        """S = ln Z + K <E>, in nats."""
        return self.log_partition + self.coupling * self.mean_energy

    def energy(self, x: Array) -> Array:
        """E(s) of spins, shape (N,), for x of shape (N, L^2) or (N, ..., L, L)."""
        return energy(np.asarray(x, np.float64).reshape(-1, self.side, self.side))

    def log_prob(self, x: Array) -> Array:
        """Ln p(s), shape (N,); the spins must be +1 or -1."""
        if not (np.abs(x) == 1).all():
            raise InputError(
                "the Ising model has spins +1 and -1, and x has other values; round them to spins first."
            )
        return -self.coupling * self.energy(x) - self.log_partition

    def energy_levels(self) -> "EnergyLevels":
        """The distribution of the number of broken bonds, b = (E + 2 L^2) / 2."""
        return EnergyLevels(self)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """N independent lattices, shape (N, L^2).

        Up to L = 8 exactly, row by row. Beyond, each is the end of its own Swendsen-Wang chain, long enough that
        what is left of its start is below exp(-15).
        """
        if self.side <= SEQUENTIAL:
            return _sample_rows(self.side, self.coupling, n, rng)
        events = simulate_ising(n, side=self.side, coupling=self.coupling, seed=int(rng.integers(2**31)))
        return events.values.reshape(n, -1).astype(np.float64)


@dataclass(frozen=True)
class EnergyLevels:
    """P(b) = g(b) exp(-K E_b) / Z of the number b of broken bonds, E_b = 2 b - 2 L^2: sufficient for K."""

    model: Ising
    dim: int = 1
    discrete: bool = True

    @property
    def support(self) -> tuple[Array, Array]:
        """From no broken bond to all."""
        return np.zeros(1), np.full(1, 2.0 * self.model.dim)

    @property
    def landmarks(self) -> Array:
        """The mean."""
        return np.array([[(self.model.mean_energy + 2 * self.model.dim) / 2]])

    def log_prob(self, x: Array) -> Array:
        """Ln P(b), shape (N,), for whole b of shape (N, 1)."""
        states, b = density_of_states(self.model.side), x[:, 0].astype(int)
        with np.errstate(divide="ignore"):
            log_states = np.log(states[b].astype(np.float64))
        log_prob: Array = (
            log_states - self.model.coupling * (2.0 * b - 2 * self.model.dim) - self.model.log_partition
        )
        return log_prob

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """N draws of b, shape (N, 1)."""
        levels = np.arange(2 * self.model.dim + 1.0)[:, None]
        probability = np.exp(self.log_prob(levels))
        return rng.choice(levels, n, p=probability / probability.sum())


def _kaufman(side: int, coupling: float) -> tuple[float, float]:
    """Ln Z and its derivative by K.

    With g_0 = 2K + ln tanh K and cosh g_r = cosh^2(2K)/sinh(2K) - cos(pi r/L), Z is half of (2 sinh 2K)^(L^2/2) times
    the sum of four products, of 2 cosh(L g/2) and of 2 sinh(L g/2), over the odd r and over the even r.
    """
    k = torch.tensor(coupling, dtype=torch.float64, requires_grad=True)
    r = torch.arange(1, 2 * side, dtype=torch.float64)
    ratio = torch.cosh(2 * k) ** 2 / torch.sinh(2 * k)
    half = torch.acosh(ratio - torch.cos(math.pi * r / side)) * side / 2
    first = (2 * k + torch.log(torch.tanh(k))) * side / 2
    sign = (
        1.0 if float(first.detach()) >= 0 else -1.0
    )  # of sinh(L g_0 / 2): negative above the critical temperature
    odd, even = half[0::2], torch.cat([half[1::2], (sign * first)[None]])
    logs = torch.stack(
        [odd.sum() + _log1p(odd, 1), odd.sum() + _log1p(odd, -1), even.sum() + _log1p(even, 1)]
    )
    others = even.sum() + _log1p(even[:-1], -1)
    top = torch.maximum(logs.max(), others).detach()
    last = sign * -torch.expm1(-2 * sign * first) * torch.exp(others - top)
    total = torch.exp(logs - top).sum() + last
    value = side**2 / 2 * torch.log(2 * torch.sinh(2 * k)) - math.log(2) + top + torch.log(total)
    (slope,) = torch.autograd.grad(value, k)
    return float(value.detach()), float(slope)


def _log1p(half: torch.Tensor, sign: int) -> torch.Tensor:
    """The sum of ln(1 +- e^(-2h)): ln 2 cosh h or ln 2 sinh h, less h."""
    return (sign * (-2 * half).exp()).log1p().sum()


@lru_cache(maxsize=8)
def density_of_states(side: int) -> Counts:
    """g(b), how many of the 2^(L^2) states have b broken bonds (E = 2b - 2L^2), shape (2 L^2 + 1,), for L <= 8.

    Row by row: from each first row (up to symmetry) the numbers of ways to reach each last row, and back to the first.

    Examples:
        >>> counts = density_of_states(3)
        >>> counts.shape, int(counts.sum()) == 2**9
        ((19,), True)
    """
    if not 3 <= side <= COUNTABLE:
        raise InputError(
            f"states are counted for L from 3 to {COUNTABLE}, not {side}; use ln Z and Monte Carlo beyond."
        )
    first, multiplicity = _rows_up_to_symmetry(side)
    rows = np.arange(2**side)
    broken = _broken(rows, side)
    ways = np.zeros((len(first), 2**side, 2 * side**2 + 1), np.uint64)
    ways[np.arange(len(first)), first, broken[first]] = 1
    for row in range(side):
        for site in range(side):
            down = ways[:, rows ^ (1 << site)]
            ways[:, :, 1:] += down[:, :, :-1]
        if row < side - 1:
            for count in range(1, side + 1):
                chosen = broken == count
                ways[:, chosen] = np.pad(ways[:, chosen, :-count], ((0, 0), (0, 0), (count, 0)))
    closed = ways[np.arange(len(first)), first]
    total: Counts = (closed * multiplicity[:, None]).sum(axis=0, dtype=np.uint64)
    return total


def _broken(rows: Integers, side: int) -> Integers:
    """Bonds between unequal neighbours along a periodic row, given as the bits of a number."""
    broken: Integers = np.bitwise_count(rows ^ _rotated(rows, side)).astype(np.int64)
    return broken


def _rotated(rows: Integers, side: int) -> Integers:
    return (rows >> 1) | ((rows & 1) << (side - 1))


def _rows_up_to_symmetry(side: int) -> tuple[Integers, Counts]:
    """One row of each class under rotation and flip, and the size of its class."""
    rows = np.arange(2**side)
    least, turned = rows.copy(), rows
    for _ in range(side):
        turned = _rotated(turned, side)
        least = np.minimum(least, np.minimum(turned, turned ^ (2**side - 1)))
    first, size = np.unique(least, return_counts=True)
    return first, size.astype(np.uint64)


def _sample_rows(side: int, coupling: float, n: int, rng: np.random.Generator) -> Array:
    """Exact lattices: P(row 1) from the trace of T^L, each next row given the one above and the first."""
    rows = np.arange(2**side)
    broken = _broken(rows, side)
    between = np.bitwise_count(rows[:, None] ^ rows[None, :])
    step = np.exp(-2 * coupling * (between + broken[None, :]))
    powers: list[Array] = [np.eye(2**side)]
    for _ in range(side):
        powers.append(powers[-1] @ step)
    weight = np.diag(powers[side])
    chosen = [rng.choice(rows, n, p=weight / weight.sum())]
    for left in range(side - 1, 0, -1):
        chosen.append(_pick(step[chosen[-1]] * powers[left].T[chosen[0]], rng))
    bits = (np.stack(chosen, axis=1)[:, :, None] >> np.arange(side)) & 1
    return np.asarray(2 * bits - 1, np.float64).reshape(n, -1)


def _pick(weight: Array, rng: np.random.Generator) -> Integers:
    """One column for each row, with probability in proportion to the weight."""
    total = np.cumsum(weight, axis=1)
    drawn = rng.random((len(weight), 1)) * total[:, -1:]
    column: Integers = (total < drawn).sum(axis=1)
    return column
