"""The port that a person chose for the page."""

import os

from m2rec.errors import InputError
from m2rec.text_safety import quoted

VARIABLE = "GRADIO_SERVER_PORT"
LARGEST = 65_535


def check_port() -> None:
    """Raises InputError if the chosen port is none. Gradio reads it on import, where it would be a ValueError."""
    chosen = os.environ.get(VARIABLE)
    if chosen is not None and not (chosen.isascii() and chosen.isdecimal() and 1 <= int(chosen[:9]) <= LARGEST):
        raise InputError(f"{VARIABLE} is {quoted(chosen)}; give a whole number from 1 to {LARGEST}.")
