"""Calorimeters from files: CaloChallenge's binning (.xml), which has the cells, and .yaml, which has everything."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

from zerosum.data.calorimeters import STACKS
from zerosum.data.geometry import Geometry, Layer, Material, Rings
from zerosum.errors import InputError, reason


def read_binning(path: Path, particle: str | None) -> Geometry:
    """The active layers of a CaloChallenge binning file, with built-in depths and material."""
    bins = _elements(path)
    named = {name: layers for name, layers in bins.items() if particle in (None, name)}
    if len(named) != 1:
        raise InputError(
            f"{path} has bins for {', '.join(bins) or 'nothing'}, and {particle or 'no particle'} was given; "
            "name one of them as the particle."
        )
    ((name, rings),) = named.items()
    for material, depths in STACKS:
        if rings and rings.keys() <= depths.keys():
            layers = tuple(Layer(*depths[i], rings[i]) for i in sorted(rings))
            return Geometry(f"{path.stem} ({name})", material, layers)
    raise InputError(
        f"{path} has the layers {', '.join(map(str, rings)) or 'none'}, whose depths are not built in; "
        "write them with the cells in a .yaml geometry."
    )


def _elements(path: Path) -> dict[str, dict[int, Rings]]:
    """The rings by layer number, by the name of each Bin; layers with a single edge are not read out."""
    bins: dict[str, dict[int, Rings]] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Bin":
            bins[attributes["name"]] = {}
        elif tag == "Layer":
            edges = tuple(float(edge) for edge in attributes["r_edges"].split(","))
            if len(edges) > 1:
                rings = Rings(edges, int(attributes["n_bin_alpha"]))
                bins[list(bins)[-1]][int(attributes["id"])] = rings

    def refuse(*_: object) -> None:
        raise ValueError("it declares a document type, which a binning file does not need")

    parser = ParserCreate()
    parser.StartElementHandler, parser.StartDoctypeDeclHandler = start, refuse
    try:
        parser.Parse(path.read_bytes(), True)
    except (OSError, ExpatError, KeyError, IndexError, ValueError) as error:
        raise InputError(
            f"{path} is not a CaloChallenge binning file ({type(error).__name__}: {reason(error)}); give one with Bin "
            "and Layer elements."
        ) from error
    return bins


def read_yaml(path: Path) -> Geometry:
    """A file with `name`, `material` (the fields of `Material`) and `layers` (start, stop, r_edges, n_alpha)."""
    import yaml

    try:
        return _from_mapping(yaml.safe_load(path.read_text()))
    except (OSError, RecursionError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is not a geometry ({reason(error)}); give name, material (radiation_length, moliere_radius, "
            "critical_energy, atomic_number, ...) and layers (start, stop, r_edges, n_alpha)."
        ) from error


def _from_mapping(entries: dict[str, Any]) -> Geometry:
    unknown = set(entries) - {"name", "material", "layers"}
    if unknown:
        raise ValueError(f"unknown entry {', '.join(sorted(unknown))}")
    if not isinstance(entries["name"], str):
        raise TypeError("the name is not text")
    material = {"name": entries["name"]} | entries["material"]
    layers = tuple(_layer(**layer) for layer in entries["layers"])
    return Geometry(entries["name"], Material(**material), layers)


def _layer(start: float, stop: float, r_edges: Sequence[float], n_alpha: int = 1) -> Layer:
    return Layer(start, stop, Rings(tuple(r_edges), n_alpha))
