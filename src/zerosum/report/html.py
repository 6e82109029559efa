"""The report: one self-contained page that opens anywhere, with every figure and every number to take away."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zerosum.data.events import Events
from zerosum.data.files import write_text
from zerosum.report import takeaway, words
from zerosum.report.bibliography import bibtex
from zerosum.report.curves import certificate_figure
from zerosum.report.embed import data_uri, picture
from zerosum.report.page import environment
from zerosum.report.sections import Observed, Section, sections
from zerosum.report.statements import statements
from zerosum.report.style import Style, using


@dataclass(frozen=True)
class Download:
    """A file within the page."""

    label: str
    file: str
    uri: str


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
    style: Style = "plain",
) -> None:
    """Write the page, at once or not at all.

    Args:
        path: The HTML file.
        comparison: What `Comparison.to_json` gives; keys that are absent or null are shown as not measured.
        reference: The real events.
        generated: The generated events.
        observables: Features (K,), then the values of both samples, shapes (N, K) and (M, K).
        history: The records of a training, where there was one.
        provenance: Where everything came from.
        title: The heading.
        style: "plain", "ATLAS", "CMS" or "LHCb": ticks and letters of the figures.

    Raises:
        InputError: There is no such style, or the file cannot be written.
    """
    with using(style):
        found = sections(comparison, reference, generated, observables, history)
        certificate = picture(certificate_figure(comparison), "certificate", "", key="certificate")
    templates = environment()
    page = templates.get_template("report.html.j2").render(
        title=title,
        style=style,
        verdict=words.verdict(comparison),
        meaning=words.meaning(comparison),
        confidence=f"{comparison.get('confidence', 0.95):.0%}".replace("%", " %"),
        sizes=[
            (side, _size(comparison, side, events))
            for side, events in (("reference", reference), ("generated", generated))
        ],
        weighted=reference.weights is not None or generated.weights is not None,
        effective=[f"{n:,.0f}" for n in comparison.get("effective_size") or ()],
        scale=words.scale(comparison),
        certificate=certificate,
        statements=list(statements(comparison)),
        notes=comparison.get("notes") or (),
        regions=words.regions(comparison),
        ladder=words.ladder(comparison),
        growing=comparison.get("growing"),
        metrics=words.metrics(comparison),
        memorised=words.memorised(comparison),
        caught=words.caught(comparison),
        marginals=[
            {"name": record["name"]} | {key: words.cell(record, key) for key in MARGINAL}
            for record in comparison.get("features") or ()
        ],
        sections=found,
        warnings=_warned(history or ()),
        provenance=list(words.rows(_origins(comparison, provenance))),
        bibtex=bibtex(comparison, history),
        downloads=_downloads(comparison, found, history),
        version=version("zerosum"),
    )
    write_text(Path(path), page)


MARGINAL = ("jensen_shannon", "wasserstein", "ks", "p_value")


def _size(comparison: dict[str, Any], side: str, events: Events) -> str:
    return f"{(comparison.get(side) or {}).get('n', len(events)):,}".replace(",", "\u202f")


def _warned(history: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Each sentence of the training's warnings once, with the first and the last step at which it was said."""
    found: dict[str, tuple[Any, Any]] = {}
    for record in history:
        step = record.get("step", "?")
        for sentence in record.get("warnings") or ():
            found[sentence] = (found.get(sentence, (step,))[0], step)
    return [
        (f"step {first}" if first == last else f"steps {first} to {last}", sentence)
        for sentence, (first, last) in found.items()
    ]


def _origins(comparison: dict[str, Any], provenance: dict[str, Any] | None) -> dict[str, Any]:
    """Both samples, the choices of the comparison, and all that the caller knows."""
    own = {
        key: comparison[key]
        for key in ("reference", "generated", "seed", "confidence", "columns")
        if key in comparison
    }
    return {"zerosum": version("zerosum")} | own | (provenance or {})


def _downloads(
    comparison: dict[str, Any], found: Sequence[Section], history: Sequence[dict[str, Any]] | None
) -> list[Download]:
    overlays = [overlay for section in found for overlay in section.overlays]
    everything = takeaway.as_json(comparison, overlays, history).encode()
    files = [Download("all numbers, JSON", "comparison.json", data_uri("application/json", everything))]
    if overlays:
        root, table = takeaway.as_root(overlays), takeaway.as_hepdata(overlays).encode()
        files += [
            Download("histograms, ROOT", "histograms.root", data_uri("application/octet-stream", root)),
            Download("histograms, HEPData YAML", "histograms.yaml", data_uri("application/yaml", table)),
        ]
    return files
