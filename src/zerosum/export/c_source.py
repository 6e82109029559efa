"""A generator as one C99 file that needs nothing but the C library.

The ONNX graph of one event is run once with names in place of numbers: what only moves entries about (slices,
concatenations) is settled in the translation, each entry that is computed becomes a line, each dense layer a loop. The
file holds Philox4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405), a random generator without state, so that
event i of a seed is the same in every thread.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from zerosum.errors import InputError
from zerosum.export.c_template import FILE
from zerosum.export.graph import traced
from zerosum.export.onnx_file import ranges
from zerosum.model import Model

Names = npt.NDArray[Any]  # of C expressions
FLOAT, INT64, BOOL, DOUBLE = 1, 7, 9, 11  # ONNX's numbers of types
TYPES = {FLOAT: "float", INT64: "int64_t", BOOL: "int", DOUBLE: "double"}
LETTERS = {FLOAT: "f", INT64: "n", BOOL: "b", DOUBLE: "d"}  # of the arrays of variables

# What becomes of each entry; {0}, {1}, ... are the arguments, {f} is f where they are single.
ENTRY = {
    "Abs": "fabs{f}({0})", "Add": "{0} + {1}", "And": "{0} && {1}", "Atan": "atan{f}({0})", "Ceil": "ceil{f}({0})",
    "Cos": "cos{f}({0})", "Div": "{0} / {1}", "Equal": "{0} == {1}", "Erf": "erf{f}({0})", "Exp": "exp{f}({0})",
    "Floor": "floor{f}({0})", "Greater": "{0} > {1}", "GreaterOrEqual": "{0} >= {1}", "Identity": "{0}",
    "Less": "{0} < {1}", "LessOrEqual": "{0} <= {1}", "Log": "log{f}({0})", "Max": "fmax{f}({0}, {1})",
    "Min": "fmin{f}({0}, {1})", "Mul": "{0} * {1}", "Neg": "-{0}", "Not": "!{0}", "Or": "{0} || {1}",
    "Pow": "pow{f}({0}, {1})", "Reciprocal": "1 / {0}", "Sigmoid": "1 / (1 + exp{f}(-{0}))",
    "Sign": "({0} > 0) - ({0} < 0)", "Sin": "sin{f}({0})",
    "Sqrt": "sqrt{f}({0})", "Sub": "{0} - {1}", "Tanh": "tanh{f}({0})", "Where": "{0} ? {1} : {2}",
}  # fmt: skip
TRUTH = {"And", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "Or"}


@dataclass
class Value:
    """A tensor of which each entry is a C expression.

    Attributes:
        names: The expressions, in the tensor's shape.
        kind: ONNX's number of its type.
        numbers: The numbers themselves, where it is constant.
    """

    names: Names
    kind: int
    numbers: npt.NDArray[Any] | None = None


@dataclass
class Translation:
    """The lines so far, the tables of weights, and how many entries of each type there are."""

    lines: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    used: dict[int, int] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)

    def place(self, kind: int, shape: Sequence[int]) -> Names:
        """Names of new variables."""
        first = self.used.get(kind, 0)
        size = int(np.prod(shape))
        self.used[kind] = first + size
        letter = LETTERS[kind]
        return np.array([f"{letter}[{first + i}]" for i in range(size)], dtype=object).reshape(shape)

    def each(self, text: str, arguments: Sequence[Value], kind: int) -> Value:
        """One line for each entry."""
        broadcast = np.broadcast_arrays(*(argument.names for argument in arguments))
        suffix = "f" if arguments[-1].kind == FLOAT else ""
        names = self.place(kind, broadcast[0].shape)
        for name, *given in zip(names.flat, *(part.flat for part in broadcast), strict=True):
            self.lines.append(f"{name} = {text.format(*given, f=suffix)};")
        return Value(names, kind)

    def table(self, numbers: npt.NDArray[Any], kind: int) -> str:
        """The name of a static array."""
        name = f"w{len(self.tables)}"
        text = ", ".join(literal(number, kind) for number in numbers.flat)
        self.tables.append(f"static const {TYPES[kind]} {name}[{numbers.size}] = {{{text}}};")
        return name


def translated(model: Model, name: str) -> str:
    """A model as C source.

    Args:
        model: A model of tables whose networks are dense layers.
        name: The prefix of the functions, a C identifier.

    Raises:
        InputError: Where it is no such model.
    """
    if model.kind != "table":
        raise InputError(
            f"the generator is one of {model.kind}s; C source is for tables: export it to a file named .onnx."
        )
    graph = traced(model, 1).graph
    work = Translation()
    for tensor in graph.initializer:
        work.values[tensor.name] = constant(tensor)
    for given, kind in zip(graph.input, (FLOAT, DOUBLE), strict=False):
        size = [side.dim_value for side in given.type.tensor_type.shape.dim]
        names = [f"{given.name}[{i}]" for i in range(int(np.prod(size)))]
        work.values[given.name] = Value(np.array(names, dtype=object).reshape(size), kind)
    for node in graph.node:
        work.values[node.output[0]] = _translate(work, node, model)
    events = work.values[graph.output[0].name]
    work.lines += [f"out[{i}] = {entry};" for i, entry in enumerate(events.names.flat)]
    return _file(model, name, work)


def constant(tensor: Any) -> Value:
    """A constant tensor of the graph."""
    from onnx import numpy_helper

    numbers = numpy_helper.to_array(tensor)
    names = np.empty(numbers.shape, dtype=object)
    if numbers.size <= 4096:  # larger ones are weights, which become tables
        text = [literal(number, tensor.data_type) for number in numbers.flat]
        names = np.array(text, dtype=object).reshape(numbers.shape)
    return Value(names, tensor.data_type, numbers)


def literal(number: Any, kind: int) -> str:
    """A number in C, exactly."""
    if kind in (INT64, BOOL):
        return str(int(number))
    if not np.isfinite(number):
        return "NAN" if np.isnan(number) else ("INFINITY" if number > 0 else "(-INFINITY)")
    text = f"{float(number):.9g}" if kind == FLOAT else f"{float(number):.17g}"
    text += "" if "." in text or "e" in text else ".0"
    text += "f" if kind == FLOAT else ""
    return f"({text})" if text.startswith("-") else text


def _translate(work: Translation, node: Any, model: Model) -> Value:
    import onnx

    given = [work.values.get(name) for name in node.input]
    attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    arguments = [one for one in given if one is not None]
    if node.op_type in ENTRY:
        kind = BOOL if node.op_type in TRUTH else arguments[-1].kind
        return work.each(ENTRY[node.op_type], arguments, kind)
    if node.op_type in NODES:
        return NODES[node.op_type](work, given, attributes)
    raise InputError(
        f"the {model.blueprint.model} of this run has the operation {node.op_type}, which is none of an MLP's; C "
        "source is for generators that are MLPs: export it to a file named .onnx."
    )


def _gemm(work: Translation, given: Sequence[Any], attributes: dict[str, Any]) -> Value:
    """X W^T + b: (1, A), (B, A), (B,) to (1, B)."""
    x, weights, bias = given
    matrix = weights.numbers if attributes.get("transB", 0) else weights.numbers.T
    rows, columns = matrix.shape
    w, b = work.table(matrix, x.kind), work.table(np.broadcast_to(bias.numbers, (rows,)), x.kind)
    inputs, out = work.place(x.kind, (columns,)), work.place(x.kind, (1, rows))
    work.lines += [f"{place} = {name};" for place, name in zip(inputs, x.names.flat, strict=True)]
    letter, first, start = LETTERS[x.kind], int(inputs[0][2:-1]), int(out.flat[0][2:-1])
    work.lines += [
        f"for (i = 0; i < {rows}; ++i) {{",
        f"    {TYPES[x.kind]} sum = {b}[i];",
        f"    for (k = 0; k < {columns}; ++k)",
        f"        sum += {w}[i * {columns} + k] * {letter}[{first} + k];",
        f"    {letter}[{start} + i] = sum;",
        "}",
    ]
    return Value(out, x.kind)


def _leaky(work: Translation, given: Sequence[Any], attributes: dict[str, Any]) -> Value:
    slope = literal(attributes.get("alpha", 0.01), given[0].kind)
    return work.each(f"{{0}} < 0 ? {slope} * {{0}} : {{0}}", given, given[0].kind)


def _clip(work: Translation, given: Sequence[Any], _: dict[str, Any]) -> Value:
    value, low, high = (*given, None, None)[:3]
    value = value if low is None else work.each(ENTRY["Max"], [value, low], value.kind)
    return value if high is None else work.each(ENTRY["Min"], [value, high], value.kind)


def _cast(work: Translation, given: Sequence[Any], attributes: dict[str, Any]) -> Value:
    kind = attributes["to"]
    text = "{0} != 0" if kind == BOOL else f"({TYPES[kind]}){{0}}"
    return work.each(text, given, kind)


def _sum(work: Translation, given: Sequence[Any], attributes: dict[str, Any]) -> Value:
    x, keep = given[0], attributes.get("keepdims", 1)
    axes = tuple(range(x.names.ndim)) if len(given) < 2 else tuple(a % x.names.ndim for a in given[1].numbers)
    moved = np.moveaxis(x.names, axes, range(-len(axes), 0))
    rows = moved.reshape(*moved.shape[: moved.ndim - len(axes)], -1)
    kept = [1 if a in axes else side for a, side in enumerate(x.names.shape) if keep or a not in axes]
    out = work.place(x.kind, kept)
    for name, row in zip(out.flat, rows.reshape(out.size, -1), strict=True):
        work.lines.append(f"{name} = {' + '.join(row)};")
    return Value(out, x.kind)


def _gather(work: Translation, given: Sequence[Any], _: dict[str, Any]) -> Value:
    """Entries of a tensor by their places, or of a table by a place that is computed (a level)."""
    data, places = given
    if places.numbers is not None:
        return Value(data.names[tuple(np.moveaxis(places.numbers, -1, 0))], data.kind)
    if data.numbers is None or data.names.ndim != 1 or places.names.shape[-1] != 1:
        raise InputError(
            "the generator looks up values that are no constants; export it to a file named .onnx."
        )
    name = work.table(data.numbers, data.kind)
    return work.each(f"{name}[{{0}}]", [Value(places.names[..., 0], places.kind)], data.kind)


def _moves(what: Callable[..., Any]) -> Callable[[Translation, Sequence[Any], dict[str, Any]], Value]:
    """A node that only moves entries about."""

    def node(_: Translation, given: Sequence[Any], attributes: dict[str, Any]) -> Value:
        numbers = [None if one is None else one.numbers for one in given]
        return Value(
            what([one.names for one in given if one is not None], numbers, attributes), given[0].kind
        )

    return node


def _slice(names: list[Names], numbers: list[Any], _: dict[str, Any]) -> Names:
    starts, ends = numbers[1], numbers[2]
    axes = numbers[3] if len(numbers) > 3 and numbers[3] is not None else range(len(starts))
    steps = numbers[4] if len(numbers) > 4 and numbers[4] is not None else [1] * len(starts)
    cut = [slice(None)] * names[0].ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        cut[int(axis)] = slice(int(start), int(end), int(step))
    return names[0][tuple(cut)]


def _axes(names: list[Names], numbers: list[Any]) -> tuple[int, ...]:
    if len(numbers) > 1:
        return tuple(int(a) for a in numbers[1])
    return tuple(a for a, side in enumerate(names[0].shape) if side == 1)


NODES: dict[str, Callable[[Translation, Sequence[Any], dict[str, Any]], Value]] = {
    "Gemm": _gemm, "LeakyRelu": _leaky, "Clip": _clip, "Cast": _cast, "ReduceSum": _sum,
    "Concat": _moves(lambda names, _, at: np.concatenate(names, at["axis"])),
    "Squeeze": _moves(lambda names, numbers, _: np.squeeze(names[0], _axes(names, numbers))),
    "Unsqueeze": _moves(lambda names, numbers, _: np.expand_dims(names[0], _axes(names, numbers))),
    "Slice": _moves(_slice),
    "Transpose": _moves(lambda names, _, at: np.transpose(names[0], at.get("perm"))),
    "Reshape": _moves(lambda names, numbers, _: names[0].reshape([int(side) for side in numbers[1]])),
    "Expand": _moves(
        lambda names, numbers, _: np.broadcast_to(
            names[0], np.broadcast_shapes(names[0].shape, tuple(int(side) for side in numbers[1]))
        )
    ),
    "Gather": _moves(lambda names, numbers, at: np.take(names[0], numbers[1].astype(int), at.get("axis", 0))),
    "GatherND": _gather,
}  # fmt: skip


def identifier(stem: str) -> str:
    """A file's name as a C identifier."""
    name = re.sub(r"\W", "_", stem, flags=re.ASCII)
    return name if name[:1].isalpha() else f"model_{name}"


def _file(model: Model, name: str, work: Translation) -> str:
    columns = [f"out[{i}]: {_plain(f.name)} {_plain(f.unit)}" for i, f in enumerate(model.features)]
    columns += [
        f"conditions[{i}]: {_plain(one['name'])} {_plain(one['unit'])}, trained on {one['low']:g} to {one['high']:g}"
        for i, one in enumerate(ranges(model))
    ]
    variables = [f"{TYPES[kind]} {LETTERS[kind]}[{n}];" for kind, n in work.used.items() if n]
    return FILE.format(
        name=name,
        upper=name.upper(),
        columns="\n".join(f" *   {line.rstrip()}" for line in columns),
        latents=model.latents,
        features=len(model.features),
        conditions=len(model.condition_features),
        blocks=-(-model.latents // 4),
        padded=4 * -(-model.latents // 4),
        tables="\n".join(work.tables),
        body="\n".join(f"    {line}" for line in [*variables, "int i, k;", "(void)conditions;", *work.lines]),
    )


def _plain(text: str) -> str:
    """A name that may stand in a comment."""
    return re.sub(r"[^ -~]|[*/\\?]", "_", text)
