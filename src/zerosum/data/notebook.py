"""Records as small tables of HTML, which notebooks show in place of text; everything is escaped, nothing is loaded."""

from collections.abc import Iterable, Sequence
from html import escape

_NUMBER = "padding:.15em .8em;text-align:right;font-variant-numeric:tabular-nums"
_NAME = "padding:.15em .8em .15em 0;text-align:left"


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], notes: Sequence[str] = ()) -> str:
    """A heading, a table whose first column names its rows, and sentences below it.

    Args:
        title: The heading.
        head: Names of the columns; empty where they need none.
        rows: The cells, as text.
        notes: Sentences.
    """
    above = f"<thead>{_row(head, 'col')}</thead>" if head else ""
    inside = "".join(_row(row, "row") for row in rows)
    below = "".join(f"<div style='max-width:60em;opacity:.75'>{escape(note)}</div>" for note in notes)
    return (
        f"<div><div style='max-width:60em'><b>{escape(title)}</b></div>"
        f"<table style='border-collapse:collapse;margin:.3em 0'>{above}<tbody>{inside}</tbody></table>{below}</div>"
    )


def _row(cells: Sequence[str], scope: str) -> str:
    first, *rest = (escape(cell) for cell in cells)
    tag = "th" if scope == "col" else "td"
    others = "".join(f"<{tag} style='{_NUMBER}'>{cell}</{tag}>" for cell in rest)
    return f"<tr><th scope='{scope}' style='{_NAME}'>{first}</th>{others}</tr>"
