"""Renders the page's templates, with every value escaped."""

from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from m2rec.branches import EVIDENCE, ORDERED
from m2rec.ui.render.numbers import decimal
from m2rec.ui.render.words import ordinal, percent, plain_period


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("m2rec.ui", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # else each panel of each answer asks the file system whether its template has changed
    )
    environment.filters.update(decimal=decimal, percent=percent, ordinal=ordinal, period=plain_period)
    environment.globals.update(evidence=EVIDENCE, ordered=ORDERED)
    return environment


def render(template: str, **values: Any) -> str:
    """The template with its values; a value that is missing is an error, never a silent gap."""
    return _environment().get_template(template).render(**values)
