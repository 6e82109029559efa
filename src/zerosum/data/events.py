"""Events: what is in a file, in memory, with names and units.

One *event* is one draw x of the distribution. Three shapes share one interface:

| kind  | values                | features                      |
|-------|-----------------------|-------------------------------|
| table | (N, F)                | the F columns                 |
| grid  | (N, C, *sides), 2 or 3 sides | the C channels         |
| cloud | (N, M, F) and a mask (N, M)  | the F entries of a point |

*Conditions* (N, K) are what is given, such as the incident energy; *weights* (N,) count events and may be negative.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from zerosum.data.notebook import table
from zerosum.errors import InputError

Kind = Literal["table", "grid", "cloud"]
FloatArray = npt.NDArray[np.floating[Any]]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.integer[Any]]


SHOWN = 10_000  # events that the table of a notebook describes
SPLIT = 19480701  # keeps a split independent of events that were drawn from the same seed


@dataclass(frozen=True, slots=True)
class Feature:
    """One entry of an event.

    Attributes:
        name: The name, as in the file.
        unit: The physical unit ("GeV"), or "" where there is none or it is not known.

    Examples:
        >>> Feature("pt", "GeV").label
        'pt [GeV]'
    """

    name: str
    unit: str = ""

    @property
    def label(self) -> str:
        """The name with its unit in brackets, for axes and tables."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name


@dataclass(frozen=True, eq=False)
class Events:
    """N events with names, units, and optional conditions and weights.

    Attributes:
        values: The events; the shape depends on `kind` (see the module's table).
        features: One `Feature` for each column, channel or point entry.
        kind: "table", "grid" or "cloud".
        conditions: What is given with each event, shape (N, K), or None.
        condition_features: Names and units of the K conditions.
        weights: Event weights, shape (N,), or None where every event counts once.
        mask: For clouds, which of the M points exist, shape (N, M).
        source: Where the events came from, for provenance.
        attributes: Facts about the whole sample that the file carried, such as a geometry's name.

    Examples:
        >>> events = Events.table([[20.0, 0.1], [35.0, -1.2]], names=["pt", "eta"], units=["GeV", ""])
        >>> len(events), events.kind, events.names
        (2, 'table', ['pt', 'eta'])
        >>> events.column("pt")
        array([20., 35.])
    """

    values: FloatArray
    features: tuple[Feature, ...]
    kind: Kind = "table"
    conditions: FloatArray | None = None
    condition_features: tuple[Feature, ...] = ()
    weights: FloatArray | None = None
    mask: BoolArray | None = None
    source: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.values)
        axis = 1 if self.kind == "grid" else self.values.ndim - 1
        allowed = {"table": (2,), "grid": (4, 5), "cloud": (3,)}[self.kind]
        if self.values.ndim not in allowed or self.values.shape[axis] != len(self.features):
            raise InputError(
                f"values of shape {self.values.shape} with {len(self.features)} features do not make a {self.kind}; "
                "a table has shape (N, F), a grid (N, C, sides...), a cloud (N, M, F)."
            )
        names = self.names + self.condition_names
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise InputError(
                f"feature names must differ, but {', '.join(twice)} stands more than once; rename it."
            )
        if (self.kind == "cloud") != (self.mask is not None):
            raise InputError("a cloud needs a mask of shape (N, M), and only a cloud has one.")
        for name, array in (("conditions", self.conditions), ("weights", self.weights), ("mask", self.mask)):
            if array is not None and len(array) != n:
                raise InputError(f"{name} has {len(array)} rows for {n} events; give one row for each event.")
        if (0 if self.conditions is None else self.conditions.shape[1]) != len(self.condition_features):
            raise InputError("each column of the conditions needs one entry in condition_features.")

    @classmethod
    def table(
        cls,
        values: npt.ArrayLike,
        names: Sequence[str] | None = None,
        units: Sequence[str] | None = None,
        **more: Any,
    ) -> Self:
        """Events from a matrix (N, F); columns are named x0, x1, ... where no names are given."""
        matrix = np.asarray(values)
        if matrix.ndim == 1:
            matrix = matrix[:, None]
        if matrix.ndim != 2:
            raise InputError(f"a table is a matrix (N, F), but the values have shape {matrix.shape}.")
        names = [f"x{i}" for i in range(matrix.shape[1])] if names is None else list(names)
        units = [""] * len(names) if units is None else list(units)
        return cls(_floating(matrix), tuple(map(Feature, names, units)), **more)

    @classmethod
    def grid(
        cls, values: npt.ArrayLike, names: Sequence[str] = ("value",), unit: str = "", **more: Any
    ) -> Self:
        """Events from images: (N, H, W) or (N, C, sides...), one name for each channel."""
        array = np.asarray(values)
        if array.ndim == 3:
            array = array[:, None]
        return cls(_floating(array), tuple(Feature(name, unit) for name in names), kind="grid", **more)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def names(self) -> list[str]:
        """The features' names."""
        return [feature.name for feature in self.features]

    @property
    def condition_names(self) -> list[str]:
        """The conditions' names."""
        return [feature.name for feature in self.condition_features]

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one event."""
        return tuple(self.values.shape[1:])

    def _repr_html_(self) -> str:
        """For notebooks: each feature with its unit, and what its values are among the first events."""
        few = self.take(slice(SHOWN))
        axis = 1 if self.kind == "grid" else self.values.ndim - 1
        numbers = [np.take(few.values, i, axis) for i in range(len(self.features))]
        if few.mask is not None:
            numbers = [values[few.mask] for values in numbers]
        given = [] if few.conditions is None else list(few.conditions.T)
        rows = [
            (feature.name + kind, feature.unit, *_spread(values))
            for features, columns, kind in (
                (self.features, numbers, ""),
                (self.condition_features, given, " (given)"),
            )
            for feature, values in zip(features, columns, strict=True)
        ]
        title = f"{len(self):,} events, {self.kind} of shape {self.event_shape}"
        title += ", weighted" if self.weights is not None else ""
        notes = [self.source] if self.source else []
        notes += [f"numbers of the first {SHOWN:,} events"] if len(self) > SHOWN else []
        return table(
            title,
            ("feature", "unit", "least", "mean", "most"),
            rows,
            notes,
        )

    def flat(self) -> FloatArray:
        """The events as a matrix (N, D), one column for each number of an event."""
        return self.values.reshape(len(self), -1)

    def column(self, name: str) -> FloatArray:
        """One column of a table, or one condition, shape (N,)."""
        if self.kind == "table" and name in self.names:
            return self.values[:, self.names.index(name)]
        if self.conditions is not None and name in self.condition_names:
            return self.conditions[:, self.condition_names.index(name)]
        raise InputError(absent([name], self.names + self.condition_names))

    def take(self, index: IndexArray | BoolArray | slice) -> Self:
        """The events at `index`, with their conditions, weights and mask."""
        return replace(
            self,
            values=self.values[index],
            conditions=None if self.conditions is None else self.conditions[index],
            weights=None if self.weights is None else self.weights[index],
            mask=None if self.mask is None else self.mask[index],
        )

    def select(self, names: Sequence[str]) -> Self:
        """The same events with only these features (columns, channels or point entries), in this order."""
        missing = [name for name in names if name not in self.names]
        if missing:
            raise InputError(absent(missing, self.names))
        index = [self.names.index(name) for name in names]
        values = self.values[:, index] if self.kind == "grid" else self.values[..., index]
        return replace(self, values=values, features=tuple(self.features[i] for i in index))

    def given(self, names: Sequence[str]) -> Self:
        """The same events with these columns of a table turned into conditions.

        Examples:
            >>> events = Events.table([[20.0, 0.1], [35.0, -1.2]], names=["energy", "x"]).given(["energy"])
            >>> events.names, events.condition_names
            (['x'], ['energy'])
        """
        names = [name for name in names if name not in self.condition_names]
        if not names:
            return self
        missing = [name for name in names if self.kind != "table" or name not in self.names]
        if missing:
            raise InputError(absent(missing, self.names + self.condition_names))
        given, rest = self.select(names), self.select([name for name in self.names if name not in names])
        old = [] if self.conditions is None else [self.conditions]
        return replace(
            rest,
            conditions=np.concatenate([*old, given.values], axis=1),
            condition_features=self.condition_features + given.features,
        )

    @classmethod
    def joined(cls, parts: Sequence["Events"]) -> "Events":
        """Parts of one sample, one after the other, with all that stands beside the values.

        Examples:
            >>> events = Events.table(range(10))
            >>> Events.joined(events.split((0.8, 0.2), seed=0)).values.sum()
            np.float64(45.0)
        """
        beside: dict[str, Any] = {}
        for name in ("conditions", "weights", "mask"):
            arrays = [array for part in parts if (array := getattr(part, name)) is not None]
            beside[name] = np.concatenate(arrays) if arrays else None
        return replace(parts[0], values=np.concatenate([part.values for part in parts]), **beside)

    def split(self, fractions: Sequence[float], seed: int) -> list[Self]:
        """Disjoint random parts with these fractions of the events; the last takes the remainder.

        Examples:
            >>> train, test = Events.table(range(10)).split((0.8, 0.2), seed=0)
            >>> len(train), len(test)
            (8, 2)
        """
        order = np.random.default_rng((SPLIT, seed)).permutation(len(self))
        edges = [round(len(self) * float(edge)) for edge in np.cumsum(fractions)[:-1]]
        return [self.take(part) for part in np.split(order, edges)]

    def digest(self) -> str:
        """A SHA-256 of values, conditions, weights and names: equal digests mean equal events."""
        sha = hashlib.sha256(
            repr((self.kind, self.features, self.condition_features, self.values.shape)).encode()
        )
        for array in (self.values, self.conditions, self.weights, self.mask):
            if array is not None:
                sha.update(np.ascontiguousarray(array).data)
        return sha.hexdigest()


def _spread(values: FloatArray) -> tuple[str, str, str]:
    """The least, the mean and the largest of the finite values."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return "", "", ""
    return f"{finite.min():.4g}", f"{finite.mean(dtype=np.float64):.4g}", f"{finite.max():.4g}"


def absent(missing: Sequence[str], available: Sequence[str], what: str = "names") -> str:
    """The sentence that says which names are not there, and which are."""
    known = (
        f"the {what} are {', '.join(available)}. Choose among them" if available else f"there are no {what}"
    )
    return f"there is no {' and no '.join(missing)}; {known}."


def _floating(array: npt.NDArray[Any]) -> FloatArray:
    """Keep float32 and float64; anything else that is numeric becomes float64."""
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
