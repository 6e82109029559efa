"""Which figures belong to which sample: the sections of the page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zerosum.data.events import Events, Feature, FloatArray
from zerosum.report import plots
from zerosum.report.closure import Column, closure_panels
from zerosum.report.curves import training_panels
from zerosum.report.embed import Picture, picture
from zerosum.report.histograms import Overlay, overlay
from zerosum.report.images import cloud_image, gallery_figure, image_panels, mean_panels, points
from zerosum.report.joint import correlation_panels
from zerosum.report.panels import Panel, alone
from zerosum.report.showers import shower_panels, showers_figure, single_showers_figure

Observed = tuple[Sequence[Feature], FloatArray, FloatArray]
MOST_FEATURES, MOST_PAIRS, MOST_CLOSURES = 40, 6, 6
MOST_PIXELS = 2_000_000


@dataclass
class Section:
    """Figures under one heading.

    Attributes:
        id: Names the section in links.
        title: The heading.
        note: A sentence below it.
        pictures: The figures.
        overlays: The histograms among them, to take away as numbers.
    """

    id: str
    title: str
    note: str = ""
    pictures: list[Picture] = field(default_factory=list)
    overlays: list[Overlay] = field(default_factory=list)

    def histogram(self, found: Overlay) -> None:
        """Add a feature's histograms."""
        chi2, ndf, p = found.chi2
        r, _, g, _ = found.counts
        outside = [100 * (x[0] + x[-1]) / max(x.sum(), 1e-300) for x in (r, g)]
        alt = (
            f"Histograms of {found.feature.label}: chi-square {chi2:.1f} for {ndf} degrees of freedom, p = {p:.2g}; "
            f"beyond the axis {outside[0]:.2g} % of the reference and {outside[1]:.2g} % of the generated sample"
        )
        self.overlays.append(found)
        self._add(plots.feature_figure(found), found.feature.name, alt)

    def panel(self, panel: Panel) -> None:
        """Add a panel as a figure of its own."""
        self._add(alone(panel), panel.name, panel.alt)

    def wide(self, figure: Figure, name: str, alt: str) -> None:
        """Add a figure that needs the page's whole width."""
        self._add(figure, name, alt, wide=True)

    def _add(self, figure: Figure, name: str, alt: str, *, wide: bool = False) -> None:
        key = f"{self.id}{len(self.pictures)}"
        self.pictures.append(picture(figure, name, alt, key=key, wide=wide))


def sections(
    comparison: dict[str, Any],
    reference: Events,
    generated: Events,
    observables: Observed | None,
    history: Sequence[dict[str, Any]] | None,
) -> list[Section]:
    """All sections that have something to show."""
    kinds = {"table": _table, "grid": _grid, "cloud": _cloud}
    found = [
        *_showers(reference, generated),
        *_observed(observables, reference, generated),
        *kinds[reference.kind](comparison, reference, generated),
        *_closure(reference, generated, observables),
    ]
    if history:
        training = Section("training", "Training")
        for panel in training_panels(history):
            training.panel(panel)
        found.append(training)
    return [section for section in found if section.pictures]


def _showers(reference: Events, generated: Events) -> Iterator[Section]:
    """The cells of a calorimeter as it is built: mean showers, profiles, single showers."""
    section = Section(
        "showers", "Showers", "Layers are seen along the shower axis; all rings are drawn equally wide."
    )
    for panel in shower_panels(reference, generated):
        section.panel(panel)
    if section.pictures:
        alt = "The mean energy of each cell in both samples, layer by layer, and their ratio"
        section.wide(showers_figure(reference, generated), "Mean showers", alt)
        alt = "The first reference showers, each beside the generated one with the nearest conditions"
        section.wide(single_showers_figure(reference, generated), "Single showers", alt)
    yield section


def _observed(observables: Observed | None, reference: Events, generated: Events) -> Iterator[Section]:
    section = Section("observables", "Observables")
    features, first, second = observables or ((), np.empty((0, 0)), np.empty((0, 0)))
    for i, feature in enumerate(features):
        section.histogram(
            overlay(feature, first[:, i], second[:, i], weights=(reference.weights, generated.weights))
        )
    yield section


def _table(comparison: dict[str, Any], reference: Events, generated: Events) -> Iterator[Section]:
    shared = [name for name in reference.names if name in generated.names]
    if not shared:
        return
    shown = _most_different(comparison, shared, MOST_FEATURES)
    left_out = len(shared) - len(shown)
    note = f"The {len(shown)} most different of {len(shared)} features." if left_out else ""
    section = Section("features", "Features", note)
    for name in shown:
        feature = reference.features[reference.names.index(name)]
        values = reference.column(name), generated.column(name)
        section.histogram(overlay(feature, *values, weights=(reference.weights, generated.weights)))
    yield section
    if len(shown) < 2:
        return
    together = Section("together", "Features together")
    first, second = reference.select(shown), generated.select(shown)
    for panel in correlation_panels(first, second):
        together.panel(panel)
    few = _most_different(comparison, shown, MOST_PAIRS)
    alt = f"Pairs of {', '.join(few)}: reference shaded, 68 % and 95 % contours of both samples"
    together.wide(plots.pairs_figure(reference.select(few), generated.select(few)), "Pairs", alt)
    yield together


def _most_different(comparison: dict[str, Any], names: Sequence[str], most: int) -> list[str]:
    """At most so many names, those that differ most by the comparison, in the sample's order."""
    if len(names) <= most:
        return list(names)
    size = {
        record["name"]: record.get("jensen_shannon") or 0.0 for record in comparison.get("features") or ()
    }
    chosen = sorted(names, key=lambda name: -size.get(name, 0.0))[:most]
    return [name for name in names if name in chosen]


def _grid(_: dict[str, Any], reference: Events, generated: Events) -> Iterator[Section]:
    images = Section("images", "Images")
    for panel in image_panels(reference, generated):
        images.panel(panel)
    alt = f"The first single events of both samples: {reference.features[0].label}"
    images.wide(gallery_figure(reference, generated), "Single events", alt)
    yield images
    sums = Section("sums", "Sums and pixels")
    weights = (reference.weights, generated.weights)
    for channel, feature in enumerate(reference.features):
        pair = [events.values[:, channel].reshape(len(events), -1) for events in (reference, generated)]
        suffix = f", {feature.name}" if len(reference.features) > 1 else ""
        total = Feature(f"sum{suffix}", feature.unit)
        sums.histogram(overlay(total, *(x.sum(axis=1, dtype=np.float64) for x in pair), weights=weights))
        filled = [np.count_nonzero(x, axis=1).astype(np.float64) for x in pair]
        if np.ptp(np.concatenate(filled)):
            sums.histogram(overlay(Feature(f"pixels that are not 0{suffix}"), *filled, weights=weights))
        sums.histogram(
            _spectrum(replace(feature, name=f"pixel value{suffix}"), reference, generated, channel)
        )
    yield sums


def _spectrum(feature: Feature, reference: Events, generated: Events, channel: int) -> Overlay:
    """The pixels that are not 0, with the weights of their events; of large samples, the first events."""
    columns, weights = [], []
    for events in (reference, generated):
        few = events.take(slice(max(MOST_PIXELS // int(np.prod(events.event_shape[1:])), 1)))
        pixels = few.values[:, channel].reshape(len(few), -1)
        seen = pixels != 0
        columns.append(pixels[seen] if seen.any() else np.zeros(1))
        weight = None if few.weights is None else np.repeat(few.weights, seen.sum(axis=1))
        weights.append(weight if seen.any() else None)
    return overlay(feature, *columns, weights=(weights[0], weights[1]), bins=50)


def _cloud(_: dict[str, Any], reference: Events, generated: Events) -> Iterator[Section]:
    section = Section("points", "Points")
    weights = (reference.weights, generated.weights)
    count = [np.asarray(events.mask).sum(axis=1).astype(np.float64) for events in (reference, generated)]
    section.histogram(overlay(Feature("points"), *count, weights=weights))
    (first, w1), (second, w2) = points(reference), points(generated)
    for i, feature in enumerate(reference.features):
        section.histogram(overlay(feature, first[:, i], second[:, i], weights=(w1, w2)))
    for panel in _cloud_images(reference, generated):
        section.panel(panel)
    yield section


def _cloud_images(reference: Events, generated: Events) -> Iterator[Panel]:
    """The mean image in the cloud's two coordinates, where it has two."""
    coordinates = [
        i for i, name in enumerate(reference.names) if name.lower().startswith(("eta", "phi", "deta", "dphi"))
    ]
    coordinates = coordinates if len(coordinates) >= 2 else list(range(len(reference.features)))
    if len(coordinates) < 2:
        return
    sides = (coordinates[0], coordinates[1])
    values, _ = points(reference)
    ends = [tuple(np.quantile(values[:, side], [0.005, 0.995])) for side in sides]
    names = " and ".join(reference.names[side] for side in sides)
    pictures = [cloud_image(events, sides, ends) for events in (reference, generated)]
    yield from mean_panels(pictures[0], pictures[1], f", {names}", signed=False)


def _closure(reference: Events, generated: Events, observables: Observed | None) -> Iterator[Section]:
    """Closure in the conditions that both samples have, of the observables and the first features."""
    given = [
        Column(feature, reference.column(feature.name), generated.column(feature.name))
        for events in (generated, reference)
        for feature in events.condition_features
        if all(_has(sample, feature.name) for sample in (reference, generated))
    ]
    given = list({column.feature.name: column for column in given}.values())
    section = Section("closure", "Closure in bins of the conditions")
    names = {column.feature.name for column in given}
    quantities = [
        column
        for column in _quantities(reference, generated, observables)
        if column.feature.name not in names
    ]
    for panel in closure_panels(given[:2], quantities[:MOST_CLOSURES]):
        section.panel(panel)
    yield section


def _has(events: Events, name: str) -> bool:
    return name in events.condition_names or (events.kind == "table" and name in events.names)


def _quantities(reference: Events, generated: Events, observables: Observed | None) -> Iterator[Column]:
    weights = (reference.weights, generated.weights)
    features, first, second = observables or ((), np.empty((0, 0)), np.empty((0, 0)))
    for i, feature in enumerate(features):
        yield Column(feature, first[:, i], second[:, i], weights)
    if reference.kind == "grid":
        for channel, feature in enumerate(reference.features):
            sums = [
                x.values[:, channel].reshape(len(x), -1).sum(axis=1, dtype=np.float64)
                for x in (reference, generated)
            ]
            yield Column(Feature(f"sum of {feature.name}", feature.unit), sums[0], sums[1], weights)
    if reference.kind == "table":
        for feature in reference.features:
            if feature.name in generated.names:
                yield Column(feature, reference.column(feature.name), generated.column(feature.name), weights)
