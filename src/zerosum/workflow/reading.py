"""Events from files: in memory, or block by block where a file is larger than memory allows."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from zerosum.data.blocks import Blocks, Stream
from zerosum.data.calorimeters import geometry as geometry_named
from zerosum.data.events import Events
from zerosum.data.formats import format_of, load
from zerosum.data.jets import jet_images
from zerosum.data.selection import Selection
from zerosum.data.shards import bytes_of
from zerosum.data.voxels import with_geometry
from zerosum.training.config import Config

LARGE = 2**30  # bytes


def read_events(
    path: str | Path,
    *,
    columns: Sequence[str] | None = None,
    conditions: Sequence[str] = (),
    weight: str | None = None,
    image: int | None = None,
    geometry: str | None = None,
) -> Events:
    """Events from a file, with columns chosen.

    Point clouds become images where `image` is a side; showers get the calorimeter that `geometry` names, a built-in
    one, a CaloChallenge binning (.xml) or a .yaml file.
    """
    return changed(load(path, columns=columns, conditions=conditions, weight=weight), image, geometry)


def changed(events: Events, image: int | None, geometry: str | None) -> Events:
    """Events as images of this side, or with this geometry, where one is given."""
    if geometry:
        events = with_geometry(events, geometry_named(geometry))
    return jet_images(events, side=image) if image else events


def open_events(config: Config) -> Events | Stream:
    """The events of a configuration's file: in memory, or as blocks of a file that is larger than `LARGE` bytes."""
    path = Path(config.data or "")
    large = is_large(path) and format_of(path).random
    if config.stream is False or (config.stream is None and not large):
        return read_events(
            path,
            columns=config.columns,
            conditions=config.condition,
            weight=config.weight,
            image=config.image,
            geometry=config.geometry,
        )
    selection = Selection(config.columns, config.condition, config.weight)
    change = partial(changed, image=config.image, geometry=config.geometry)
    return Stream.open(Blocks.open(path, selection, change), config.seed)


def is_large(path: str | Path) -> bool:
    """Whether a file is too large to be held in memory without need."""
    return Path(path).is_file() and bytes_of(Path(path)) > LARGE
