"""Text that came from outside, made fit to be shown: nothing in it can hide, reorder or flood what stands around it."""

import json
import math

LONGEST_QUOTE = 60
LONGEST_SENTENCE = 600
# line and paragraph separators, and what turns the direction of the text that follows (“Trojan Source”)
UNFIT = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C, 0x2028, 0x2029], None)


def printable(text: str, longest: int | None = None) -> str:
    """Without control characters, direction overrides and lone surrogates; blanks run together; cut to `longest`."""
    begun = text if longest is None else text[: 4 * longest]  # a megabyte need not be looked through for a label
    kept = "".join(" " if character.isspace() else character for character in begun.translate(UNFIT) if _fit(character))
    clean = " ".join(kept.split())
    if longest is None or (len(clean) <= longest and len(begun) == len(text)):
        return clean
    return f"{clean[: longest - 1].rstrip()}…"


def sentence(text: str) -> str:
    """An error as people are shown it: printable, and without the middle where it repeats more than anybody reads."""
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


def _fit(character: str) -> bool:
    return character.isspace() or not (
        character < " " or "\x7f" <= character < "\xa0" or "\ud800" <= character < "\ue000"
    )
