"""Renders the page's templates, with every value escaped."""

from functools import lru_cache
from secrets import token_hex
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from m2rec.branches import EVIDENCE, ORDERED
from m2rec.ui.render.numbers import decimal
from m2rec.ui.render.words import ordinal, percent, plain_period

PLACE = token_hex()


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


def pieces(template: str, **values: Any) -> tuple[str, ...]:
    """The pieces of a template around each `{{ place }}`, for what is filled in afterwards, as HTML. What was typed
    cannot be taken for a place.
    """
    return tuple(render(template, place=PLACE, **values).split(PLACE))


def render(template: str, **values: Any) -> str:
    """The template with its values; a value that is missing is an error, never a silent gap."""
    return _environment().get_template(template).render(**values)
