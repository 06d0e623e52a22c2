"""What every answer to a hostile input must be: a sentence that names what was wrong, or a view that is sound."""

import json
from collections import Counter
from typing import Any

from m2rec.text_safety import LONGEST_SENTENCE, printable


class Tally(Counter[str]):
    """How many inputs were tried, and how they ended."""

    @property
    def tried(self) -> int:
        """All of them."""
        return self.total()


def sentence(text: Any) -> None:
    """Fails unless `text` is one short, clean line that ends like a sentence."""
    assert isinstance(text, str), text
    assert text, "an empty refusal"
    assert text == printable(text), ascii(text)
    assert len(text) <= LONGEST_SENTENCE, text[:200]
    assert text.endswith((".", "?")), text
    assert "Traceback" not in text


def reply(found: Any) -> str:
    """Judges what the page is sent. → "refused" or "answered"."""
    assert isinstance(found, dict), found
    json.dumps(found, allow_nan=False, ensure_ascii=False).encode()  # what is sent to a browser must be JSON in UTF-8
    if "error" in found:
        assert set(found) == {"error"}
        sentence(found["error"])
        return "refused"
    return "answered"
