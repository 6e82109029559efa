"""Derived observables: numbers that physicists look at, as further inputs of critics and further plots.

`m=mass(1,2)` is the invariant mass of the particles with columns pt1, eta1, phi1 and pt2, eta2, phi2 (a column m1 or
mass1 is used where it is there); any arithmetic of columns works too: `ratio=pt1/pt2`. Expressions are parsed and
evaluated by this module alone: only the functions listed here can be called.
"""

import ast
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from reprlib import repr as brief
from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.data.events import Events, Feature, FloatArray
from zerosum.data.kinematics import FourVector, four_vectors, pairs
from zerosum.errors import InputError
from zerosum.evaluation.shapes import shapes

Numbers = npt.NDArray[np.float64]

OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
FUNCTIONS: dict[str, np.ufunc] = {
    "sqrt": np.sqrt,
    "log": np.log,
    "exp": np.exp,
    "abs": np.abs,
    "sin": np.sin,
    "cos": np.cos,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "arctan2": np.arctan2,
    "minimum": np.minimum,
    "maximum": np.maximum,
}
PARTICLE_FUNCTIONS = ("mass", "pt", "eta", "phi", "energy", "deltaR", "deltaphi", "deltaeta")
WITH_UNIT = ("mass", "pt", "energy")


@dataclass(frozen=True)
class Observable:
    """A named expression.

    Attributes:
        name: What tables and plots call it.
        expression: What it is, in columns and functions.
    """

    name: str
    expression: str

    def __call__(self, events: Events) -> Numbers:
        """Its value for each event of a table, shape (N,)."""
        tree = self._tree()
        try:
            with np.errstate(all="ignore"):
                values = np.asarray(Evaluation(self, events).of(tree), dtype=np.float64)
        except (OverflowError, RecursionError):
            raise InputError(
                f"{brief(str(self))} is too large or nests too deeply; write a simpler expression."
            ) from None
        values = np.broadcast_to(values, (len(events),))
        if bad := int(np.sum(~np.isfinite(values))):
            raise InputError(
                f"{self} is not finite for {bad} of {len(events)} events; change the expression."
            )
        return values

    def unit(self, events: Events) -> str:
        """The unit of a mass, momentum or energy: that of the particles' pt; "" for anything else."""
        tree = self._tree()
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id in WITH_UNIT:
            particles = four_vectors(events.names)
            return events.features[events.names.index(particles[0].pt)].unit if particles else ""
        return ""

    def _tree(self) -> ast.expr:
        try:
            return ast.parse(self.expression, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise InputError(
                f"{self} is not an expression; write for example m=mass(1,2) or r=pt1/pt2."
            ) from None

    def __str__(self) -> str:
        return f"{self.name}={self.expression}"


def parse(text: str) -> Observable:
    """NAME=EXPRESSION as an observable.

    Examples:
        >>> names = ["pt1", "eta1", "phi1", "pt2", "eta2", "phi2"]
        >>> muons = Events.table([[45.0, 0.0, 0.0, 45.0, 0.0, np.pi]], names)
        >>> parse("m=mass(1,2)")(muons).round(6)
        array([90.])
    """
    name, equals, expression = text.partition("=")
    if not equals or not name.strip() or not expression.strip() or len(expression) > 1000:
        raise InputError(f"{text[:100]!r} is no observable; write NAME=EXPRESSION, for example m=mass(1,2).")
    return Observable(name.strip(), expression.strip())


@dataclass(frozen=True)
class Evaluation:
    """One observable evaluated on a table."""

    observable: Observable
    events: Events

    def of(self, node: ast.expr) -> Any:
        """The value of a node of the expression."""
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, int | float)
            and type(node.value) is not bool
        ):
            return np.float64(node.value)  # unlike a float it becomes inf where it is too large
        if isinstance(node, ast.Name):
            return np.asarray(self.events.column(node.id), dtype=np.float64)
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](self.of(node.left), self.of(node.right))
        if isinstance(node, ast.UnaryOp) and type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](self.of(node.operand))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            return self._call(node.func.id, node.args)
        raise self._refusal()

    def _call(self, function: str, arguments: list[ast.expr]) -> Any:
        if function in PARTICLE_FUNCTIONS:
            return self._of_particles(function, [self._particle(argument) for argument in arguments])
        if function not in FUNCTIONS or FUNCTIONS[function].nin != len(arguments):
            raise self._refusal()  # one argument more would be the array that NumPy writes into
        return FUNCTIONS[function](*(self.of(argument) for argument in arguments))

    def _particle(self, node: ast.expr) -> FourVector:
        label = str(node.value) if isinstance(node, ast.Constant) else getattr(node, "id", "")
        found = {particle.label: particle for particle in four_vectors(self.events.names)}
        if label.lower() not in found:
            known = (
                f"the particles are {', '.join(found)}"
                if found
                else "no particle has pt, eta and phi columns"
            )
            raise InputError(
                f"{self.observable} names particle {label!r}, but {known}; change the expression."
            )
        return found[label.lower()]

    def _of_particles(self, function: str, particles: list[FourVector]) -> Any:
        momenta = [self._momentum(particle) for particle in particles]
        if function.startswith("delta"):
            if len(momenta) != 2:
                raise InputError(f"{self.observable}: {function} takes two particles, as in {function}(1,2).")
            return getattr(momenta[0], function)(momenta[1])
        if not momenta:
            raise InputError(
                f"{self.observable}: {function} takes at least one particle, as in {function}(1,2)."
            )
        return getattr(sum(momenta[1:], start=momenta[0]), "E" if function == "energy" else function)

    def _momentum(self, particle: FourVector) -> Any:
        import vector

        columns = {
            "pt": particle.pt,
            "eta": particle.eta,
            "phi": particle.phi,
        } | ({"mass": particle.mass} if particle.mass else {})
        arrays = {key: np.asarray(self.events.column(name), np.float64) for key, name in columns.items()}
        return vector.array({"mass": np.zeros(len(self.events))} | arrays)

    def _refusal(self) -> InputError:
        names = ", ".join((*PARTICLE_FUNCTIONS, *FUNCTIONS))
        return InputError(
            f"{self.observable} cannot be evaluated; use columns, numbers, + - * / ** and {names}."
        )


def defaults(events: Events) -> tuple[Observable, ...]:
    """What physicists look at first in events like these: masses and distances of all pairs."""
    if events.kind != "table":
        return ()
    labels = [(a.label, b.label) for a, b in pairs(events.names)]
    written = [f"({a},{b})" for a, b in labels if all(x.isidentifier() or x.isdigit() for x in (a, b))]
    names = [(f"{function}{pair}",) * 2 for function in ("mass", "deltaR") for pair in written]
    opening = [(f"|deltaphi{pair}|", f"abs(deltaphi{pair})") for pair in written]
    return tuple(Observable(*one) for one in names + opening)


def observe(events: Events, observables: Sequence[Observable]) -> tuple[FloatArray, tuple[Feature, ...]]:
    """The values of observables, shape (N, K), with names and units."""
    if observables and events.kind != "table":
        raise InputError(
            f"observables are made from columns, but the events are a {events.kind}; leave them out."
        )
    values = [observable(events) for observable in observables]
    matrix = np.stack(values, axis=1) if values else np.empty((len(events), 0))
    return matrix, tuple(Feature(one.name, one.unit(events)) for one in observables)


def with_observables(events: Events, texts: Sequence[str] = (), *, like: Events | None = None) -> Events:
    """The events with observables as further inputs: those that were asked for, then the defaults of their kind.

    They stand among the conditions, which every critic sees beside the event itself.

    Args:
        events: The events.
        texts: Observables of a table's columns, as NAME=EXPRESSION.
        like: The reference, which decides which `shapes` there are; none where None.
    """
    asked = [parse(text) for text in texts]
    taken = {one.expression for one in asked}
    chosen = [*asked, *(one for one in defaults(events) if one.expression not in taken)]
    names = events.names + events.condition_names
    if twice := [one.name for one in chosen if one.name in names]:
        raise InputError(f"{twice[0]} is a column already; name the observable otherwise.")
    values, features = observe(events, chosen)
    if like is not None:
        more, titles = shapes(events, like)
        known = {*names, *(one.name for one in chosen)}
        new = [i for i, feature in enumerate(titles) if feature.name not in known]
        values, features = (
            np.concatenate([values, more[:, new]], axis=1),
            (*features, *(titles[i] for i in new)),
        )
    if not features:
        return events
    old = [] if events.conditions is None else [events.conditions]
    return replace(
        events,
        conditions=np.concatenate([*old, values], axis=1),
        condition_features=events.condition_features + features,
    )


def observed_pair(
    reference: Events, generated: Events, texts: Sequence[str] = ()
) -> tuple[tuple[Feature, ...], FloatArray, FloatArray] | None:
    """Names and units of the observables, with their values in both samples; None where there are none."""
    pair = [with_observables(events, texts, like=reference) for events in (reference, generated)]
    features = pair[0].condition_features[len(reference.condition_features) :]
    if not features:
        return None
    first, second = (np.asarray(events.conditions)[:, -len(features) :] for events in pair)
    return features, first, second
