"""What all pages need: their templates, and numbers as JSON allows them."""

from collections.abc import Mapping
from typing import Any


def environment() -> Any:
    """The templates; what is put into them is shown as text, and a name that is not given is an error."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("zerosum.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def finite(value: Any) -> Any:
    """A nested record as JSON allows it: numbers that are not finite become None."""
    if isinstance(value, Mapping):
        return {str(key): finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return value.item() if hasattr(value, "item") else value
