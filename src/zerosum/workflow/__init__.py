"""The whole line: file -> events -> game -> run -> samples -> certificate -> report.

    reading.py    events from files, in memory or as a stream
    playing.py    a run's game: begun or gone on with, judged, its best generator kept
    finishing.py  a run's end: the comparison with its test split, certificate and page
    run.py        train: a run and its folder; start, resume, play, finish
    files.py      simulate, sample, compare and export, from files to files
    story.py      demo

The command line is a thin layer over this stage.
"""

from zerosum.workflow.files import compare_paths, drawer, export, sample, simulate
from zerosum.workflow.reading import open_events, read_events
from zerosum.workflow.run import Run, load_run, train
from zerosum.workflow.story import tell

__all__ = [
    "Run",
    "compare_paths",
    "drawer",
    "export",
    "load_run",
    "open_events",
    "read_events",
    "sample",
    "simulate",
    "tell",
    "train",
]
