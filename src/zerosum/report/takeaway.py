"""Numbers to take away: all results as JSON, the histograms as ROOT and as HEPData YAML."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from zerosum.report.histograms import Overlay
from zerosum.report.page import finite


def as_json(
    comparison: Mapping[str, Any], overlays: Sequence[Overlay], history: Sequence[Mapping[str, Any]] | None
) -> str:
    """The comparison, the histograms and the training's records; numbers that are not finite become null."""
    everything = dict(comparison) | {
        "histograms": list(map(_histogram, overlays)),
        "history": list(history or ()),
    }
    return json.dumps(finite(everything), indent=1, ensure_ascii=False, allow_nan=False)


def _histogram(found: Overlay) -> dict[str, Any]:
    view = {side: getattr(found, side).view(flow=True) for side in ("reference", "generated")}
    chi2, ndf, p = found.chi2
    return {
        "name": found.feature.name,
        "unit": found.feature.unit,
        "edges": found.edges.tolist(),
        "flow": "the first and last entries are under- and overflow",
        **{
            side: {key: filled[key].tolist() for key in ("value", "variance")}
            for side, filled in view.items()
        },
        "chi2": chi2,
        "ndf": ndf,
        "p_value": p,
    }


def as_hepdata(overlays: Sequence[Overlay]) -> str:
    """HEPData's data format: one YAML document for each histogram, an independent and two dependent variables."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the former is written in C, where PyYAML has it
    return str(yaml.dump_all(map(_table, overlays), Dumper=dumper, sort_keys=False, allow_unicode=True))


def _table(found: Overlay) -> dict[str, Any]:
    edges = found.edges.tolist()
    return {
        "independent_variables": [
            {
                "header": {"name": found.feature.name, "units": found.feature.unit},
                "values": [{"low": low, "high": high} for low, high in pairwise(edges)],
            }
        ],
        "dependent_variables": [
            {
                "header": {"name": f"{side} events"},
                "values": [
                    {
                        "value": float(bin["value"]),
                        "errors": [{"symerror": float(bin["variance"]) ** 0.5, "label": "stat"}],
                    }
                    for bin in getattr(found, side).view()
                ],
            }
            for side in ("reference", "generated")
        ],
    }


def as_root(overlays: Sequence[Overlay]) -> bytes:
    """A ROOT file with two TH1D for each histogram: h0_reference, h0_generated and so on, titled by the feature."""
    import uproot

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "histograms.root")
        with uproot.recreate(path) as file:
            for i, found in enumerate(overlays):
                for side in ("reference", "generated"):
                    filled = getattr(found, side).copy()
                    filled.axes[0].label = filled.label = found.feature.label
                    file[f"h{i}_{side}"] = filled
        return path.read_bytes()
