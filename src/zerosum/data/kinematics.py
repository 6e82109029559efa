"""Four-vectors among the columns of a table, found by their names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

_ROLES = {"pt": "pt", "eta": "eta", "phi": "phi", "m": "mass", "mass": "mass"}
_LEADING = re.compile(r"^(pt|eta|phi|mass|m)_?(\w+?)$", re.IGNORECASE)
_TRAILING = re.compile(r"^(\w+?)_(pt|eta|phi|mass|m)$", re.IGNORECASE)


@dataclass(frozen=True)
class FourVector:
    """The columns of one particle; a particle without a mass column is massless.

    Attributes:
        label: What names the particle, "1" in pt1.
        pt: Name of the transverse momentum's column.
        eta: Name of the pseudorapidity's column.
        phi: Name of the azimuth's column.
        mass: Name of the mass's column, or None.
    """

    label: str
    pt: str
    eta: str
    phi: str
    mass: str | None = None


def four_vectors(names: Sequence[str]) -> list[FourVector]:
    """The particles that have pt, eta and phi among these names, such as pt1, mu1_pt or pt_lead."""
    found: dict[str, dict[str, str]] = {}
    for name in names:
        if match := _TRAILING.match(name):
            label, role = match.group(1), match.group(2)
        elif match := _LEADING.match(name):
            role, label = match.group(1), match.group(2)
        else:
            continue
        found.setdefault(label.lower(), {})[_ROLES[role.lower()]] = name
    return [
        FourVector(label, roles["pt"], roles["eta"], roles["phi"], roles.get("mass"))
        for label, roles in found.items()
        if {"pt", "eta", "phi"} <= roles.keys()
    ]


def pairs(names: Sequence[str]) -> list[tuple[FourVector, FourVector]]:
    """All pairs of particles among these names."""
    return list(combinations(four_vectors(names), 2))
