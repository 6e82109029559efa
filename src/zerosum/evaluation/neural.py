"""Critics that are neural networks: for rows, for grids and for clouds, trained alike.

The logistic loss -E_p ln D(x) - E_q ln(1 - D(x)) with both classes of equal total weight has its minimum at
logit D = ln p/q (Goodfellow et al. 2014, proposition 1). Training stops when the loss on the tuning events
has not improved for `PATIENCE` passes; what is kept is the running average of the weights at its best pass.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.data.events import Events, FloatArray
from zerosum.evaluation.logistic import balanced
from zerosum.evaluation.summaries import Scale, rows

PASSES, PATIENCE, RATE = 40, 5, 2e-3
CHUNK = 8192


@dataclass(frozen=True, slots=True)
class View:
    """What a network sees of N events.

    Attributes:
        values: Rows (N, K), grids (N, sides..., C) or points (N, M, F); the features stand last.
        mask: Which points exist, shape (N, M); of width 0 where there are no points.
        extra: Conditions, shape (N, K); of width 0 where there are none.
    """

    values: FloatArray
    mask: FloatArray
    extra: FloatArray

    @classmethod
    def of_rows(cls, events: Events) -> "View":
        """Features or summaries, with the conditions behind them."""
        return cls(rows(events), _nothing(events), _nothing(events))

    @classmethod
    def of_grid(cls, events: Events) -> "View":
        """The grids themselves."""
        return cls(np.moveaxis(events.values, 1, -1), _nothing(events), _conditions(events))

    @classmethod
    def of_cloud(cls, events: Events) -> "View":
        """The points themselves."""
        mask = np.asarray(events.mask)
        return cls(np.where(mask[..., None], events.values, 0), mask.astype(np.float32), _conditions(events))


def _nothing(events: Events) -> FloatArray:
    return np.empty((len(events), 0), np.float32)


def _conditions(events: Events) -> FloatArray:
    return _nothing(events) if events.conditions is None else events.conditions


def perceptron(inputs: int, width: int, layers: int) -> nn.Sequential:
    """A plain network from `inputs` numbers to one logit."""
    sizes = [inputs] + [width] * layers
    hidden = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.SiLU())]
    return nn.Sequential(*hidden, nn.Linear(sizes[-1], 1))


class Rows(nn.Module):
    """A perceptron on rows."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self.body = perceptron(view.values.shape[1], 96, 3)

    def forward(self, values: Tensor, mask: Tensor, extra: Tensor) -> Tensor:  # noqa: ARG002
        """Logits (N,) of rows (N, K)."""
        return self.body(values).squeeze(1)  # type: ignore[no-any-return]


class Lattice(nn.Module):
    """Convolutions with periodic padding, then the mean over the sites: local terms, as in an energy."""

    def __init__(self, view: View) -> None:
        super().__init__()
        layer = nn.Conv2d if view.values.ndim == 4 else nn.Conv3d
        self.body = nn.Sequential(
            layer(view.values.shape[-1], 16, 3, padding=1, padding_mode="circular"),
            nn.SiLU(),
            layer(16, 32, 3, padding=1, padding_mode="circular"),
            nn.SiLU(),
        )
        self.head = perceptron(32 + view.extra.shape[1], 64, 1)

    def forward(self, values: Tensor, mask: Tensor, extra: Tensor) -> Tensor:  # noqa: ARG002
        """Logits (N,) of grids (N, sides..., C) with conditions (N, K)."""
        pooled = self.body(values.movedim(-1, 1)).flatten(2).mean(2)
        return self.head(torch.cat([pooled, extra], 1)).squeeze(1)  # type: ignore[no-any-return]


class Points(nn.Module):
    """Deep sets (Zaheer et al. 2017): a network for each point, summed over them, then a second network."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self.point = nn.Sequential(
            nn.Linear(view.values.shape[-1], 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU()
        )
        self.head = perceptron(128 + view.extra.shape[1], 64, 2)

    def forward(self, values: Tensor, mask: Tensor, extra: Tensor) -> Tensor:
        """Logits (N,) of points (N, M, F), which exist where the mask (N, M) is 1, with conditions (N, K)."""
        total = (self.point(values) * mask[..., None]).sum(1)
        mean = total / mask.sum(1, keepdim=True).clamp(min=1)
        pooled = torch.cat([total / mask.shape[1], mean, extra], 1)
        return self.head(pooled).squeeze(1)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Scaling:
    """Standardises a view: each feature, and each condition."""

    values: Scale
    extra: Scale

    @classmethod
    def fit(cls, view: View) -> "Scaling":
        """From the points that exist, or from all sites."""
        flat = view.values.reshape(-1, view.values.shape[-1])
        flat = flat[view.mask.reshape(-1) > 0] if view.mask.size else flat
        return cls(Scale.fit(flat[:: max(1, len(flat) // 200_000)]), Scale.fit(view.extra))

    def __call__(self, view: View) -> tuple[Tensor, Tensor, Tensor]:
        """The standardised values, the mask and the standardised conditions, as tensors."""
        values = self.values(view.values)
        return tuple(map(torch.from_numpy, (values, view.mask, self.extra(view.extra))))  # type: ignore[return-value]


@dataclass(frozen=True)
class FittedNetwork:
    """A trained network with its scaling."""

    view: Callable[[Events], View]
    scaling: Scaling
    network: nn.Module

    def logit(self, events: Events) -> FloatArray:
        """The logits of events, shape (N,), in chunks so that memory stays bounded."""
        starts = range(0, len(events), CHUNK)
        parts = [self.scaling(self.view(events.take(slice(start, start + CHUNK)))) for start in starts]
        return evaluate(self.network, parts)


@dataclass(frozen=True)
class Network:
    """A critic that trains `module` on a view of the events.

    Attributes:
        name: What tables call it.
        view: Which arrays of the events it sees.
        module: Builds the network from an example of its inputs.
    """

    name: str
    view: Callable[[Events], View]
    module: Callable[[View], nn.Module]

    def fit(
        self,
        reference: Events,
        generated: Events,
        reference_tune: Events,
        generated_tune: Events,
        *,
        seed: int,
    ) -> FittedNetwork:
        """Train on (reference, generated) and stop on the tuning pair."""
        views = [self.view(events) for events in (reference, generated, reference_tune, generated_tune)]
        scaling = Scaling.fit(views[0])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = self.module(views[0])
        a, b, c, d = (scaling(view) for view in views)
        fit_set = _joined(a, b), *_labels(reference, generated)
        tune_set = _joined(c, d), *_labels(reference_tune, generated_tune)
        best = train(network, fit_set, tune_set, torch.Generator().manual_seed(seed))
        return FittedNetwork(self.view, scaling, best)


Labelled = tuple[tuple[Tensor, ...], Tensor, Tensor]


def train(network: nn.Module, fit: Labelled, tune: Labelled, generator: torch.Generator) -> nn.Module:
    """Minimise the logistic loss on `fit`; return the average of the weights that was best on `tune`."""
    inputs, label, weight = fit
    batch = int(min(max(len(label) // 60, 32), 512))
    average = torch.optim.swa_utils.AveragedModel(
        network,
        multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.98),  # type: ignore[no-untyped-call]
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-2)
    best, kept, since = np.inf, {}, 0
    for _ in range(PASSES):
        for part in torch.split(torch.randperm(len(label), generator=generator), batch):
            optimiser.zero_grad()
            loss(network(*(x[part] for x in inputs)), label[part], weight[part]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            average.update_parameters(network)
        logit = torch.from_numpy(evaluate(average.module, _chunks(tune[0])))
        now, since = float(loss(logit, *tune[1:])), since + 1
        if now < best - 1e-5:
            best, since = now, 0
            kept = {name: value.clone() for name, value in average.module.state_dict().items()}
        if since == PATIENCE:
            break
    if kept:
        average.module.load_state_dict(kept)
    return average.module


def loss(logit: Tensor, label: Tensor, weight: Tensor) -> Tensor:
    """The weighted logistic loss of a batch."""
    return (weight * functional.binary_cross_entropy_with_logits(logit, label, reduction="none")).mean()


@torch.no_grad()
def evaluate(network: nn.Module, parts: Sequence[tuple[Tensor, ...]]) -> FloatArray:
    """The logits of all parts in a row."""
    return np.concatenate([network(*part).numpy() for part in parts])


def _chunks(inputs: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
    return list(zip(*(torch.split(x, CHUNK) for x in inputs), strict=True))


def _joined(a: tuple[Tensor, ...], b: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(torch.cat(pair) for pair in zip(a, b, strict=True))


def _labels(reference: Events, generated: Events) -> tuple[Tensor, Tensor]:
    """Labels (1 = reference) and weights of mean 1 that give both classes the same total."""
    label, weight = balanced(reference, generated)
    return torch.from_numpy(label.astype(np.float32)), torch.from_numpy(weight.astype(np.float32))
