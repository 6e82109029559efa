"""A model as one ONNX graph: condition transforms, generator, lens and inverse transforms, from latents to physics.

The graph is traced from the torch operations of the model itself, so that it holds whatever the model does. It is
traced in the precision of the model (the networks in single, the transforms in double precision); `in_single` makes
all of it single precision, which is what ROOT's SOFIE compiles and most experiments' frameworks feed.
"""

import io
import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zerosum.errors import InputError, RunError, reason
from zerosum.model import Model

OPSET = 18
TRACED = 3  # events in the batch that is traced, where its size stays free
SMALLEST = float(np.finfo(np.float32).tiny)

ONLY_SINGLE = ("Atan", "Erf")  # onnxruntime has them in single precision alone


class Whole(nn.Module):
    """All of a model as one module.

    Args:
        model: Whose latents and conditions become events in physical units.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.generator, self.lens = model.generator, model.lens
        self.preprocessor = model.preprocessor

    def forward(self, latent: Tensor, conditions: Tensor | None = None) -> Tensor:
        """From latents (N, L), float32, and conditions (N, K) in their units to events (N, *event), float64."""
        return self.physical(self.standard(latent, conditions))

    def standard(self, latent: Tensor, conditions: Tensor | None = None) -> Tensor:
        """Standardised events."""
        given = None if conditions is None else self.preprocessor.forward_conditions(conditions)
        decoded: Tensor = self.lens.decode(self.lens.project(self.generator(latent, given)))
        return decoded

    def physical(self, standard: Tensor) -> Tensor:
        """Events in physical units; in front of each point of a cloud, 1 where it exists and 0 where not."""
        values, mask = self.preprocessor.physical(standard)
        return values if mask is None else torch.cat([mask.unsqueeze(2).to(values.dtype), values], dim=2)


def traced(model: Model, events: int | None = None) -> Any:
    """The model as an ONNX model.

    Args:
        model: A model on the CPU.
        events: The size of the batch; None leaves it free.

    Raises:
        InputError: Where the export libraries are not installed.
        RunError: Where an operation of the model has no ONNX operator.
    """
    names = inputs_of(model)
    n = events or TRACED
    arguments = (torch.zeros(n, model.blueprint.latent), *some_conditions(model, n))
    free = torch.export.Dim("N", min=1)
    try:
        with _silence(), torch.no_grad():  # what is for gradients only is no part of the graph
            program = torch.onnx.export(
                Whole(model).eval(),
                arguments,
                dynamo=True,
                opset_version=OPSET,
                input_names=names,
                output_names=["events"],
                dynamic_shapes=None if events else tuple({0: free} for _ in names),
                custom_translation_table=_translations(),
                verbose=False,
            )
    except ImportError:
        raise InputError(
            "the libraries for ONNX are not installed; install them with: pip install 'zerosum[export]'."
        ) from None
    except (torch.onnx.OnnxExporterError, RuntimeError) as error:
        raise RunError(
            f"the {model.blueprint.model} of this run cannot be written as an ONNX graph ({reason(error)}); draw "
            "events from it with zerosum sample."
        ) from error
    if program is None:
        raise RunError("torch.onnx.export gave no graph.")
    return _plain(program.model_proto)


def inputs_of(model: Model) -> list[str]:
    """The names of the graph's inputs."""
    return ["latent", "conditions"] if model.condition_features else ["latent"]


def some_conditions(model: Model, n: int) -> tuple[Tensor, ...]:
    """Conditions of real events, (n, K), as the one element of a tuple; an empty tuple where there are none."""
    known = model.known_conditions
    if known is None:
        return ()
    return (torch.from_numpy(np.resize(known, (n, known.shape[1])).astype(np.float64)),)


def in_single(graph: Any) -> Any:
    """The same graph with single precision in place of double."""
    import onnx
    from onnx import TensorProto, numpy_helper

    single = onnx.ModelProto()
    single.CopyFrom(graph)
    for tensor in _constants(single.graph):
        if tensor.data_type == TensorProto.DOUBLE:
            numbers = numpy_helper.to_array(tensor)
            least = np.where(
                (numbers != 0) & (np.abs(numbers) < SMALLEST), np.copysign(SMALLEST, numbers), numbers
            )
            tensor.CopyFrom(numpy_helper.from_array(least.astype(np.float32), tensor.name))
    for node in single.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.i == TensorProto.DOUBLE:
                attribute.i = TensorProto.FLOAT
    for value in (*single.graph.input, *single.graph.output):
        if value.type.tensor_type.elem_type == TensorProto.DOUBLE:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    del single.graph.value_info[:]
    return _without_idle_casts(single)


def in_double(graph: Any) -> Any:
    """The same graph with what onnxruntime has in single precision alone between two casts."""
    import onnx
    from onnx import TensorProto, helper

    types = _types(graph)
    double = onnx.ModelProto()
    double.CopyFrom(graph)
    nodes = list(double.graph.node)
    del double.graph.node[:]
    for node in nodes:
        if node.op_type in ONLY_SINGLE and types[node.input[0]] == TensorProto.DOUBLE:
            given, found = node.input[0], node.output[0]
            before, after = f"{found}_single", f"{found}_of_single"
            double.graph.node.append(helper.make_node("Cast", [given], [before], to=TensorProto.FLOAT))
            double.graph.node.append(helper.make_node(node.op_type, [before], [after]))
            double.graph.node.append(helper.make_node("Cast", [after], [found], to=TensorProto.DOUBLE))
        else:
            double.graph.node.append(node)
    return double


def operators(graph: Any) -> list[str]:
    """The names of the graph's operators."""
    return sorted({node.op_type for node in graph.graph.node})


def _types(graph: Any) -> dict[str, int]:
    """The element type of each tensor by name."""
    from onnx import shape_inference

    inferred = shape_inference.infer_shapes(graph).graph
    found = {
        value.name: value.type.tensor_type.elem_type for value in (*inferred.value_info, *inferred.input)
    }
    return found | {tensor.name: tensor.data_type for tensor in inferred.initializer}


def _without_idle_casts(graph: Any) -> Any:
    types, kept = _types(graph), []
    renamed: dict[str, str] = {}
    outputs = {value.name for value in graph.graph.output}
    for node in graph.graph.node:
        for i, name in enumerate(node.input):
            node.input[i] = renamed.get(name, name)
        idle = node.op_type == "Cast" and types.get(node.input[0]) == node.attribute[0].i
        if idle and node.output[0] not in outputs:
            renamed[node.output[0]] = node.input[0]
        else:
            kept.append(node)
    del graph.graph.node[:]
    graph.graph.node.extend(kept)
    return graph


def _constants(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t


def _plain(graph: Any) -> Any:
    """The graph without the tracer's notes, which name files of this machine."""
    graph.doc_string = ""
    del graph.metadata_props[:]
    for value in (*graph.graph.input, *graph.graph.output, *graph.graph.value_info):
        del value.metadata_props[:]
    for node in graph.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for tensor in graph.graph.initializer:
        del tensor.metadata_props[:]
    del graph.graph.metadata_props[:]
    return graph


def _translations() -> dict[Any, Any]:
    """Operators for what torch.onnx would write with ones that few programs have."""
    from onnxscript import opset18

    op: Any = opset18

    def atan2(y: Any, x: Any) -> Any:
        """The angle of (x, y), by one arc tangent."""
        angle = op.Atan(op.Div(y, x))
        zero = op.CastLike(0.0, x)
        turn = op.Where(op.Less(y, zero), op.CastLike(-math.pi, x), op.CastLike(math.pi, x))
        return op.Where(op.Less(x, zero), op.Add(angle, turn), angle)

    def sign(x: Any) -> Any:
        """-1, 0 or 1, by two comparisons."""
        zero = op.CastLike(0.0, x)
        return op.Sub(op.CastLike(op.Greater(x, zero), x), op.CastLike(op.Less(x, zero), x))

    return {torch.ops.aten.atan2.default: atan2, torch.ops.aten.sign.default: sign}


@contextmanager
def _silence() -> Iterator[None]:
    """Nothing on the screen from the tracer."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
