"""The report: one self-contained page that opens anywhere, with every figure and every number to take away."""

import base64
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import log, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zerosum.data.events import Events, Feature, FloatArray
from zerosum.data.files import write_text
from zerosum.report import plots
from zerosum.report.bibliography import bibtex

LN2 = log(2)
Observed = tuple[tuple[Feature, ...], FloatArray, FloatArray]
KINDS = {
    "jensen_shannon": "certified from below at any sample size; the estimate is a lower bound in expectation",
    "kl_forward": "certified from below, at most ln n; large where modes are missing",
    "kl_reverse": "certified from below, at most ln n; large where events are invented",
    "total_variation": "certified from below; the estimate is a lower bound in expectation",
    "auc": "estimate with an asymptotic error; ½ where the critics see nothing",
    "value": "V = −ln 4 + 2 D_JS at the estimate; −ln 4 = −1.386 at equilibrium",
    "missing": "estimate: fraction of the reference that the generated sample lacks",
    "invented": "estimate: fraction of the generated sample where there is no reference",
}
NAMES = {
    "jensen_shannon": "Jensen-Shannon [nats]",
    "kl_forward": "KL(reference‖generated) [nats]",
    "kl_reverse": "KL(generated‖reference) [nats]",
    "total_variation": "total variation",
    "auc": "AUC",
    "value": "value of the game V",
    "missing": "missing",
    "invented": "invented",
}


@dataclass(frozen=True)
class Picture:
    """A figure as data URIs, with the text for those who cannot see it."""

    name: str
    alt: str
    png: str
    pdf: str


@dataclass(frozen=True)
class Group:
    """Figures under one heading."""

    id: str
    title: str
    wide: bool
    items: tuple[Picture, ...]


def write_report(
    path: str | Path,
    *,
    comparison: dict[str, Any],
    reference: Events,
    generated: Events,
    observables: Observed | None = None,
    history: Sequence[dict[str, Any]] | None = None,
    provenance: dict[str, Any] | None = None,
    title: str = "Comparison",
) -> None:
    """Write the page, at once or not at all.

    Args:
        path: The HTML file.
        comparison: What `Comparison.to_json` gives.
        reference: The real events.
        generated: The generated events.
        observables: Names and units, then the values of both samples, shape (N, K).
        history: The records of a training, where there was one.
        provenance: Where everything came from.
        title: The heading.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("zerosum.report"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    page = environment.get_template("report.html.j2").render(
        title=title,
        verdict=comparison["verdict"],
        meaning=meaning(comparison),
        scale=scale(comparison),
        level=f"{comparison['confidence']:.0%}",
        quantities=list(_quantities(comparison)),
        n_reference=comparison["reference"]["n"],
        n_generated=comparison["generated"]["n"],
        notes=comparison.get("notes", ()),
        regions=_regions(comparison),
        critics=[_formatted(critic, "estimate", "error") for critic in comparison.get("critics", ())],
        features=[
            _formatted(one, "jensen_shannon", "wasserstein", "ks", "p_value")
            for one in comparison["features"]
        ],
        figures=[group for group in _figures(reference, generated, observables, history) if group.items],
        provenance=json.dumps(provenance or {}, indent=1),
        bibtex=bibtex(trained=bool(history)),
        json_uri=_uri("application/json", json.dumps(comparison, indent=1).encode()),
        version=version("zerosum"),
    )
    write_text(Path(path), page)


def meaning(comparison: dict[str, Any]) -> str:
    """What the verdict says in everyday terms, and how much the test could see."""
    js = comparison["jensen_shannon"]
    right = f"{_accuracy(comparison):.1%}"
    judge = f"A judge that sees one event, real or generated with equal odds, is right {right} of the time"
    floor = js.get("null_floor")
    null = (
        ""
        if floor is None
        else f" Two halves of the reference itself would seem up to {floor:.2g} nats apart."
    )
    return f"{judge} at the estimated total variation; 50 % would be guessing.{null}"


def _accuracy(comparison: dict[str, Any]) -> float:
    variation = comparison.get("total_variation", {}).get("estimate") or 0.0
    return 0.5 + min(max(variation, 0.0), 1.0) / 2


def scale(comparison: dict[str, Any]) -> dict[str, Any]:
    """Where the certificate's numbers lie on a drawing of [0, ln 2]: a square root, because small values matter."""
    js = comparison["jensen_shannon"]

    def x(value: float) -> float:
        share = min(max(value, 0.0), LN2) / LN2
        return round(40.0 + 920.0 * sqrt(share), 1)

    lower, estimate, error, floor = (js.get(key) for key in ("lower", "estimate", "error", "null_floor"))
    certified = lower is not None and lower > 0
    marks = {f"{t:g}": t for t in (0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.45)} | {"ln 2": LN2}
    return {
        "ticks": [(label, x(value)) for label, value in marks.items()],
        "lower": x(lower) if certified else None,
        "lower_text": f"at least {lower:.3g}" if certified else "nothing certified",
        "floor": x(floor) if floor else None,
        "estimate": (x(estimate - error), x(estimate), x(estimate + error)),
        "estimate_text": f"estimate {estimate:.3g} ± {error:.1g}",
    }


def _quantities(comparison: dict[str, Any]) -> Iterator[dict[str, str]]:
    for key, kind in KINDS.items():
        if not (found := comparison.get(key)):
            continue
        number = found.get("estimate", found.get("fraction"))
        yield {
            "name": NAMES[key],
            "estimate": _number(number),
            "error": _number(found.get("error")),
            "limit": _limit(found["lower"]) if "lower" in found else "",
            "kind": kind,
        }


def _limit(lower: float | None) -> str:
    if lower is None:
        return "not given"
    return f"≥ {lower:.4g}" if lower > 0 else "nothing"


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4g}"


def _formatted(record: dict[str, Any], *keys: str) -> dict[str, str]:
    return {"name": str(record["name"])} | {key: _number(record.get(key)) for key in keys}


def _regions(comparison: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {"rule": region["rule"]}
        | {
            side: f"{region[side]['fraction']:.2%} ± {region[side]['error']:.2%}"
            for side in ("reference", "generated")
        }
        for region in comparison.get("regions", ())
    ]


def _figures(
    reference: Events,
    generated: Events,
    observables: Observed | None,
    history: Sequence[dict[str, Any]] | None,
) -> Iterator[Group]:
    weights = (reference.weights, generated.weights)
    if observables:
        features, first, second = observables
        items = tuple(
            _feature(feature, first[:, i], second[:, i], weights) for i, feature in enumerate(features)
        )
        yield Group("observables", "Observables", False, items)
    if reference.kind == "table":
        shared = [name for name in reference.names if name in generated.names]
        reference, generated = reference.select(shared), generated.select(shared)
        items = tuple(
            _feature(feature, reference.values[:, i], generated.values[:, i], weights)
            for i, feature in enumerate(reference.features)
        )
        yield Group("histograms", "Features", False, items)
        if len(shared) > 1:
            matrices = _picture(
                "correlations", "linear correlations", plots.correlation_figure(reference, generated)
            )
            pairs = _picture("pairs", "pairs of features", plots.pairs_figure(reference, generated))
            yield Group("together", "Features together", True, (matrices, pairs))
    if reference.kind == "grid":
        means = _picture("means", "mean images and their ratio", plots.means_figure(reference, generated))
        events = _picture("events", "single events", plots.gallery_figure(reference, generated))
        yield Group("images", "Images", True, (means, events))
        yield Group("sums", "Totals and occupancy", False, tuple(_sums(reference, generated, weights)))
    if history:
        curves = _picture(
            "training", "V, divergence and losses against the step", plots.training_figure(history)
        )
        yield Group("training", "Training", True, (curves,))


def _sums(
    reference: Events, generated: Events, weights: tuple[plots.Weights, plots.Weights]
) -> Iterator[Picture]:
    for channel, feature in enumerate(reference.features):
        first, second = (
            events.values[:, channel].reshape(len(events), -1) for events in (reference, generated)
        )
        total = Feature(f"total {feature.name}", feature.unit)
        yield _feature(total, first.sum(1), second.sum(1), weights)
        filled = [np.count_nonzero(side, axis=1).astype(np.float64) for side in (first, second)]
        yield _feature(Feature(f"filled cells, {feature.name}"), filled[0], filled[1], weights)


def _feature(
    feature: Feature, first: FloatArray, second: FloatArray, weights: tuple[plots.Weights, plots.Weights]
) -> Picture:
    alt = (
        f"{feature.label}: reference mean {np.mean(first):.4g}, width {np.std(first):.4g}; "
        f"generated mean {np.mean(second):.4g}, width {np.std(second):.4g}"
    )
    return _picture(feature.name, alt, plots.feature_figure(feature, first, second, weights))


def _picture(name: str, alt: str, figure: Figure) -> Picture:
    uris = []
    for kind, mime in (("png", "image/png"), ("pdf", "application/pdf")):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=130)
        uris.append(_uri(mime, buffer.getvalue()))
    safe = "".join(letter if letter.isalnum() else "_" for letter in name)
    return Picture(safe, alt, *uris)


def _uri(mime: str, content: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"
