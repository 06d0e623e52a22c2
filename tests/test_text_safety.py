import json
import math
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.errors import InputError
from m2rec.text_safety import LONGEST_SENTENCE, folded, normalised, printable, quoted, sentence

anything = st.text(st.characters())  # lone surrogates, controls and direction marks included
unfit = "\x00\x07\x1b\x7f\x85\u200e\u202a\u202e\u2066\u2069\u2028\ud800"


@given(anything)
def test_printable_text_is_one_line_in_valid_utf_8(text: str) -> None:
    shown = printable(text)
    shown.encode()
    assert not set(shown) & set(unfit)
    assert shown == " ".join(shown.split())
    assert printable(shown) == shown


@given(anything, st.integers(1, 40))
def test_cut_text_is_within_the_limit_and_marked(text: str, longest: int) -> None:
    shown = printable(text, longest)
    assert len(shown) <= longest
    if shown != printable(text):
        assert shown.endswith("…")


@pytest.mark.parametrize(
    "written",
    [
        "Ame\u0301lie",  # decomposed
        "Am\u00e9lie\u200b",
        "\ufeffAm\u00e9lie",
        "Am\u00ad\u00e9lie",
        "Am\u2060\u00e9\u200dlie",
        "Ame\u034f\u0301lie",  # the joiner between accent and letter keeps NFC from composing them
        "\u200eAm\u00e9lie\u200f",
        "Am\u00e9\ufe0flie",
        "Am\u00e9lie\u3164",
        " Am\u00e9lie\u00a0",
        "Am\u00e9lie\U000e0041",
        "Am\u00e9\x07lie",
    ],
    ids=ascii,
)
def test_names_that_look_alike_are_equal(written: str) -> None:
    assert normalised(written) == "Am\u00e9lie"
    assert folded(written.replace("A", "a")) == folded("AM\u00c9LIE") == "am\u00e9lie"


def test_names_that_look_different_stay_different() -> None:
    names = ["1", "1.0", "01", "a", "A", "a b", "ab", "\u00e9", "e", "\uff21", "straße", "strasse"]
    assert len({normalised(name) for name in names}) == len(names)


@given(anything)
def test_normalising_is_idempotent_and_folding_ignores_only_case(text: str) -> None:
    name = normalised(text)
    assert normalised(name) == normalised(printable(text)) == name
    assert folded(name) == folded(text) == folded(folded(text))


@given(anything)
def test_how_a_name_is_composed_makes_no_difference(text: str) -> None:
    assert normalised(unicodedata.normalize("NFD", text)) == normalised(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم",
        "क्\u200dष",
        "1\ufe0f\u20e3",
        "🏳\ufe0f\u200d🌈",
        "葛\U000e0100城",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    ],
    ids=ascii,
)
def test_joiners_are_shown_and_not_compared(text: str) -> None:
    assert printable(text) == text
    assert normalised(text) in (text, text.translate(dict.fromkeys([0x200C, 0x200D, 0xFE0F, 0xE0100])))


@pytest.mark.parametrize("text", ["Crème fraîche", "مرحبا بالعالم", "👩‍👩‍👧‍👦", "日本語 100 %", "a “b” – c"])
def test_ordinary_text_of_any_script_is_unchanged(text: str) -> None:
    assert printable(text) == text


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | anything, st.lists, max_leaves=5))
def test_any_value_can_be_quoted_in_a_few_words(value: Any) -> None:
    shown = quoted(value)
    assert len(shown) <= 70
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (10**5000, "a number of more than 60 digits"),
        (math.nan, "nan"),
        (-math.inf, "-infinity"),
        (True, "true"),
        (None, "null"),
        ({}, "an empty object"),
        ([1], "a list"),
        (b"", "a bytes"),
        ("x" * 10**6, "“" + "x" * 59 + "…”"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_quote_describes_the_value(value: Any, shown: str) -> None:
    assert quoted(value) == shown


@given(anything.map(lambda text: text * 50))
def test_an_error_repeats_only_a_short_part_of_a_value(text: str) -> None:
    message = str(InputError(f"“{text}” is not in this world: search for it."))
    assert len(message) <= LONGEST_SENTENCE
    assert message.startswith("“")
    assert message.endswith("search for it.")
    assert sentence(message) == message
    json.dumps(message, ensure_ascii=False).encode()
