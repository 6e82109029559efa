"""Where two samples differ: a few regions that a human can read, with the fraction of each sample in them.

On one half of the events a shallow tree is grown that tells reference from generated; its leaves are the regions.
The other half, which the tree has not seen, counts: so the fractions are unbiased, their limits are exact, and the
p-values hold for all leaves together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from zerosum.data.events import BoolArray, Events, FloatArray
from zerosum.evaluation.ranking import weighted_mean
from zerosum.evaluation.summaries import Scale, names, rows
from zerosum.evaluation.trials import clopper_pearson, holm
from zerosum.theory.estimate import Estimate

DEPTH = 3
MOST = 30_000  # events of each sample that grow the tree; all others count
GROW = 19840101  # keeps the halves independent of events that were drawn from the same seed
WORTH = 12.0  # the least chi^2 of a cut, as Gini impurity: with fewer it would describe noise
SYMMETRIC = 0.05  # a median this close to 0, in standard deviations, lets the tree cut on the absolute value
Matrices = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True)
class Cut:
    """One condition low < x <= high on a column, as it is written.

    Attributes:
        name: The column; "|x|" for an absolute value.
        low: Lower edge, -inf where there is none.
        high: Upper edge, inf where there is none.
        unit: The column's unit, or "".
    """

    name: str
    low: float
    high: float
    unit: str = ""

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if np.isinf(self.low):
            return f"{self.name} <= {self.high:.8g}{unit}"
        if np.isinf(self.high):
            return f"{self.name} > {self.low:.8g}{unit}"
        return f"{self.low:.8g} < {self.name} <= {self.high:.8g}{unit}"


@dataclass(frozen=True, slots=True)
class Region:
    """A region in which one sample has significantly more events than the other.

    Attributes:
        rule: The region as a human reads it, such as "pt1 > 61 GeV and |eta1| <= 0.4"; it holds exactly as written.
        reference: Fraction of the reference in it, with its standard error.
        generated: Fraction of the generated sample in it.
        reference_limits: Interval for that fraction which holds for all regions and both samples at once.
        generated_limits: Likewise for the generated sample.
        p_value: Of "both samples have the same fraction in it", corrected for the number of regions (Holm).
    """

    rule: str
    reference: Estimate
    generated: Estimate
    reference_limits: tuple[float, float]
    generated_limits: tuple[float, float]
    p_value: float

    @property
    def excess(self) -> float:
        """The fraction of the reference less that of the generated sample."""
        return self.reference.value - self.generated.value

    @property
    def divergence(self) -> float:
        """What the region adds to the Jensen-Shannon divergence of the leaves, nats: large where one side is empty."""
        p, q = (max(one.value, 1e-300) for one in (self.reference, self.generated))
        return float((p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))) / 2)

    @property
    def kind(self) -> str:
        """Which sample has too few events there."""
        return "too few generated" if self.excess > 0 else "too many generated"

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and strings."""
        sides = {
            name: {"fraction": one.value, "error": one.error, "low": limits[0], "high": limits[1]}
            for name, one, limits in (
                ("reference", self.reference, self.reference_limits),
                ("generated", self.generated, self.generated_limits),
            )
        }
        return {"rule": self.rule, "kind": self.kind, **sides, "p_value": self.p_value}


def regions(
    reference: Events, generated: Events, *, seed: int, confidence: float = 0.95, depth: int = DEPTH
) -> tuple[Region, ...]:
    """The regions in which the fractions differ significantly, the most different first (`Region.divergence`).

    Args:
        reference: The real events.
        generated: The generated events, with the same columns.
        seed: Seed of the halves and the tree.
        confidence: Level of limits and p-values, for all regions together.
        depth: The most cuts in a row; there are at most 2^depth regions.
    """
    columns = Columns.of(reference, generated)
    rng = np.random.default_rng((GROW, seed))
    halves = [np.array_split(rng.permutation(len(one)), 2) for one in (reference, generated)]
    grow, count = (
        tuple(one.take(half[i]) for one, half in zip((reference, generated), halves, strict=True))
        for i in (0, 1)
    )
    leaves = columns.leaves(grow[0].take(slice(MOST)), grow[1].take(slice(MOST)), depth, seed)
    matrices = columns(count[0]), columns(count[1])
    weights = tuple(one.weights for one in count)
    alpha = (1 - confidence) / (2 * len(leaves))
    found = [_measured(leaf, columns, matrices, weights, alpha) for leaf in leaves]
    corrected = holm([one.p_value for one in found])
    kept = [
        replace(one, p_value=float(p)) for one, p in zip(found, corrected, strict=True) if p < 1 - confidence
    ]
    return tuple(sorted(kept, key=lambda one: -one.divergence))


@dataclass(frozen=True)
class Columns:
    """What the tree may cut on: each column, and the absolute value of those that are symmetric about 0.

    Attributes:
        names: How each is written.
        units: Their units.
        absolute: Which columns of `rows` are repeated as absolute values at the end.
        steps: To which decimal edges are rounded: three digits of the column's spread.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    absolute: BoolArray
    steps: tuple[int, ...]

    @classmethod
    def of(cls, reference: Events, generated: Events) -> "Columns":
        """The columns of both samples."""
        titles, matrix = names(reference), np.concatenate([rows(reference), rows(generated)])
        scale = Scale.fit(matrix)
        absolute = (np.abs(scale.centre) < SYMMETRIC * scale.width) & (matrix.min(0) < 0)
        known = {one.name: one.unit for one in reference.features + reference.condition_features}
        units = [known.get(title, "") for title in titles]
        folded = np.flatnonzero(absolute)
        decimals = 2 - np.floor(np.log10(scale.width)).astype(int)
        return cls(
            (*titles, *(f"|{titles[i]}|" for i in folded)),
            (*units, *(units[i] for i in folded)),
            absolute,
            (*map(int, decimals), *(int(decimals[i]) for i in folded)),
        )

    def __call__(self, events: Events) -> FloatArray:
        """The events as a matrix (N, K)."""
        matrix = rows(events)
        return np.concatenate([matrix, np.abs(matrix[:, self.absolute])], axis=1)

    def leaves(
        self, reference: Events, generated: Events, depth: int, seed: int
    ) -> list[dict[int, tuple[float, float]]]:
        """The leaves of a tree that tells these samples apart: for each column (low, high], edges rounded."""
        from sklearn.tree import DecisionTreeClassifier

        x, y = self(reference), self(generated)
        label = np.repeat([1, 0], [len(x), len(y)])
        each = [
            np.ones(len(one)) if one.weights is None else np.abs(one.weights)
            for one in (reference, generated)
        ]
        weight = np.concatenate([w / w.sum() for w in each])
        model = DecisionTreeClassifier(
            max_depth=depth,
            min_samples_leaf=max(20, len(label) // 500),
            min_impurity_decrease=WORTH / (2 * len(label)),
            random_state=seed,
        )
        tree = model.fit(np.concatenate([x, y]), label, weight).tree_
        return list(self._below(tree, 0, {}))

    def _below(
        self, tree: Any, node: int, box: dict[int, tuple[float, float]]
    ) -> list[dict[int, tuple[float, float]]]:
        if tree.children_left[node] < 0:
            return [box]
        i = int(tree.feature[node])
        edge = float(np.round(tree.threshold[node], self.steps[i]))
        low, high = box.get(i, (-np.inf, np.inf))
        left, right = box | {i: (low, min(high, edge))}, box | {i: (max(low, edge), high)}
        children = (tree.children_left[node], left), (tree.children_right[node], right)
        return [leaf for child, part in children for leaf in self._below(tree, int(child), part)]

    def rule(self, box: dict[int, tuple[float, float]]) -> str:
        """A leaf as it is written."""
        cuts = [Cut(self.names[i], *edges, self.units[i]) for i, edges in sorted(box.items())]
        return " and ".join(map(str, cuts)) or "everywhere"


def _measured(
    box: dict[int, tuple[float, float]],
    columns: Columns,
    matrices: Matrices,
    weights: Sequence[FloatArray | None],
    alpha: float,
) -> Region:
    """The fractions of both samples in a box, the p-value not corrected yet."""
    inside = [
        np.all(
            [(x[:, i] > low) & (x[:, i] <= high) for i, (low, high) in box.items()] or [x[:, 0] == x[:, 0]], 0
        )
        for x in matrices
    ]
    fractions = [_fraction(one, w) for one, w in zip(inside, weights, strict=True)]
    if weights[0] is None and weights[1] is None:
        counts = [(int(one.sum()), len(one)) for one in inside]
        limits = [clopper_pearson(k, n, alpha) for k, n in counts]
        p = stats.fisher_exact([[k, n - k] for k, n in counts]).pvalue
    else:
        z = stats.norm.isf(alpha / 2)
        limits = [(float(one.value - z * one.error), float(one.value + z * one.error)) for one in fractions]
        difference = fractions[0].value - fractions[1].value
        p = 2 * stats.norm.sf(abs(difference) / np.hypot(fractions[0].error, fractions[1].error))
    return Region(columns.rule(box), fractions[0], fractions[1], limits[0], limits[1], float(p))


def _fraction(inside: BoolArray, weights: FloatArray | None) -> Estimate:
    """The fraction of events inside, with its standard error, at least that of one event."""
    n = len(inside)
    value, error = weighted_mean(inside * 1.0, np.ones(n) if weights is None else weights)
    return Estimate(value, max(error, 1 / n), n, "held-out fraction")
