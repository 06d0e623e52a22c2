"""Text from outside, made safe to show and comparable with text from elsewhere.

`printable` is for showing: nothing in it can hide, reorder or flood the text around it. `normalised` is
what ids are compared by and `folded` what titles are compared by, the same wherever text comes in: tables, search,
pasted lists, the command line, Python and HTTP.
"""

import json
import math
import re
import unicodedata

LONGEST_QUOTE = 60
LONGEST_SENTENCE = 600

# Code points that shape their neighbours: joiners of Persian, Hindi or emoji, and variation selectors. They are
# shown where there is something to shape, and never compared.
JOINERS = "\u200c\u200d"
SELECTORS = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
# The other default ignorable code points of Unicode (zero-width blanks, byte order marks, soft hyphens, fillers, what
# turns the direction of the text that follows: "Trojan Source"), annotation marks, control characters and lone
# surrogates. Text in tag characters is hidden too, but for a flag's own, such as Scotland's.
INVISIBLE = re.compile(
    "(\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f)"
    "|[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
SHAPING = re.compile(f"[{JOINERS}{SELECTORS}]")
SHAPING_NOTHING = re.compile(
    f"(?<![^\\s{JOINERS}{SELECTORS}])[{SELECTORS}]"
    f"|(?<![^\x00-\x7f{JOINERS}])[{JOINERS}]"
    f"|[{JOINERS}](?![^\x00-\x7f{JOINERS}{SELECTORS}])"
)


def printable(text: str, longest: int | None = None) -> str:
    """`text` on one line in NFC, with blanks run together and without invisible characters; cut to `longest`."""
    begun = text if longest is None else text[: 4 * longest]  # a label needs no search through a megabyte
    clean = _visible(begun)
    if longest is None or (len(clean) <= longest and len(begun) == len(text)):
        return clean
    return f"{clean[: longest - 1].rstrip()}…"


def normalised(text: str) -> str:
    """The form in which ids are compared: `printable` without the characters that only shape others.

    Two texts that look alike because one is decomposed (e and an accent) or holds a zero-width blank are one.
    """
    clean = printable(text)
    return clean if clean.isascii() else _one_line(unicodedata.normalize("NFC", SHAPING.sub("", clean)))


def folded(text: str) -> str:
    """The form in which titles are compared: `normalised`, with case folded."""
    return unicodedata.normalize("NFC", normalised(text).casefold())


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():  # nearly all ids and most titles
        return _one_line(text)
    # blanks first: a tab or a line end is a control character too
    clean = unicodedata.normalize("NFC", INVISIBLE.sub(r"\1", _one_line(text)))
    while (again := unicodedata.normalize("NFC", SHAPING_NOTHING.sub("", clean))) != clean:
        clean = again  # a removed character may have separated two others
    return _one_line(clean)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def sentence(text: str) -> str:
    """An error as it is shown: printable, its middle left out where it is too long."""
    clean = printable(text)
    if len(clean) <= LONGEST_SENTENCE:
        return clean
    return f"{clean[: LONGEST_SENTENCE * 2 // 3].rstrip()} … {clean[-LONGEST_SENTENCE // 4 :].lstrip()}"


def quoted(value: object) -> str:
    """A value as an error may repeat it: short, on one line, and never an error itself."""
    if isinstance(value, str):
        return f"“{printable(value, LONGEST_QUOTE)}”"
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**LONGEST_QUOTE else "a number of more than 60 digits"
    if isinstance(value, float):
        return (
            f"{value:g}" if math.isfinite(value) else {math.inf: "infinity", -math.inf: "-infinity"}.get(value, "nan")
        )
    if isinstance(value, dict):
        return "an object" if value else "an empty object"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    return f"a {type(value).__name__}"
