"""A state as a short, url-safe text and back: version, dot, base64 of deflated JSON of what is not the default."""

import base64
import binascii
import json
import zlib

from m2rec.errors import InputError
from m2rec.recommend.validation import checked
from m2rec.ui.session.state import LONGEST_LINK, STATE_VERSION, State

LONGEST_STATE = 2_000_000  # bytes of JSON; limits what a short link unpacks to
MALFORMED = "This link is damaged: copy it again from the page that made it; the page shows its default instead."


def to_link(state: State) -> str:
    """The state as text for a link's `s` parameter."""
    data = state.model_dump(mode="json", exclude_defaults=True, exclude={"version"})
    packed = zlib.compress(json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode(), 9)
    return f"{STATE_VERSION}.{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def from_link(text: str) -> State:
    """The state that `to_link` wrote; InputError when the text is not one, is cut short or is of another version."""
    version, dot, body = text.partition(".")
    if not dot or not version.isdecimal() or len(text) > LONGEST_LINK:
        raise InputError(MALFORMED)
    if version != str(STATE_VERSION):
        raise InputError(
            f"This link is of version {version[:6]}, but this page reads version {STATE_VERSION}: make a new link here."
        )
    try:
        packed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        unpacking = zlib.decompressobj()
        raw = unpacking.decompress(packed, LONGEST_STATE)
        data = json.loads(raw) if unpacking.eof else None
    except (binascii.Error, zlib.error, ValueError, RecursionError) as error:
        raise InputError(MALFORMED) from error
    if not isinstance(data, dict):
        raise InputError(MALFORMED)
    return checked(State, data)
