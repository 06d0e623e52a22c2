import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.errors import InputError
from m2rec.text_safety import LONGEST_SENTENCE, printable, quoted, sentence

anything = st.text(st.characters())  # lone surrogates, controls and direction marks included
unfit = "\x00\x07\x1b\x7f\x85\u200e\u202a\u202e\u2066\u2069\u2028\ud800"


@given(anything)
def test_what_is_shown_is_one_line_of_text_that_utf_8_can_hold(text: str) -> None:
    shown = printable(text)
    shown.encode()
    assert not set(shown) & set(unfit)
    assert shown == " ".join(shown.split())
    assert printable(shown) == shown


@given(anything, st.integers(1, 40))
def test_what_is_cut_is_no_longer_than_asked_and_says_that_it_was_cut(text: str, longest: int) -> None:
    shown = printable(text, longest)
    assert len(shown) <= longest
    if shown != printable(text):
        assert shown.endswith("…")


@pytest.mark.parametrize("text", ["Crème fraîche", "مرحبا بالعالم", "👩‍👩‍👧‍👦", "日本語 100 %", "a “b” – c"])
def test_honest_text_of_any_script_stays_as_it_is(text: str) -> None:
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
def test_a_quote_says_what_was_given(value: Any, shown: str) -> None:
    assert quoted(value) == shown


@given(anything.map(lambda text: text * 50))
def test_an_error_repeats_no_more_than_anybody_reads(text: str) -> None:
    told = str(InputError(f"“{text}” is not in this world: search for it."))
    assert len(told) <= LONGEST_SENTENCE
    assert told.startswith("“")
    assert told.endswith("search for it.")
    assert sentence(told) == told
    json.dumps(told, ensure_ascii=False).encode()
