"""Titles that match a query: whole words before beginnings of words, and those before similar spellings.

In this order, ties in the order of the catalogue (most popular first):

1. the title itself, with or without its article and its year: "the lantern" is "Lantern, The (1999)"
2. titles that end with the query: "tea" is a "Mint tea" before it is a "Tea towel"
3. titles that begin with it, hold it elsewhere, or hold its words in another order
4. titles with words that begin so: the query may be unfinished
5. where that is not enough for a list, titles that are spelt alike (RapidFuzz)

Accents, case and punctuation do not matter.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz, process, utils

from m2rec.text_safety import folded, normalised

LONGEST_QUERY = 200  # characters
CACHED = 256  # queries
ENOUGH = 8  # number of good matches above which similar spellings are not shown
ALIKE_FLOOR = 55.0  # least RapidFuzz score of a hit
EXACT, ENDS, BEGINS, HOLDS, HOLDS_APART, FIRST_WORD_BEGINS, WORD_BEGINS = range(7)  # the less, the better
ARTICLES = {"the", "a", "an"}
MOVED_ARTICLE = re.compile(r"^(.+), (\w{1,3}'?)$")  # "Lantern, The": how lists of films are sorted
YEAR = re.compile(r"\s*\(\d{4}\)$")


class SearchIndex:
    """Titles, made ready to be compared with queries."""

    def __init__(self, titles: Sequence[str]) -> None:
        self._titles = [_Title(title) for title in titles]
        self._lines = [" ".join(title.words) for title in self._titles]
        self._cached = lru_cache(maxsize=CACHED)(self._found)  # everybody types the same first letters

    def find(self, query: str, limit: int) -> list[int]:
        """Places of the titles that match, best first; of an empty query, the first ones."""
        return list(self._cached(" ".join(words_of(query[:LONGEST_QUERY])), limit))

    def _found(self, words: str, limit: int) -> tuple[int, ...]:
        wanted = _Query.of(words)
        if not wanted.words:
            return tuple(range(min(limit, len(self._titles))))
        ranks = ((title.rank(wanted), place) for place, title in enumerate(self._titles))
        found = [place for _, place in sorted((rank, place) for rank, place in ranks if rank is not None)]
        if len(found) < min(ENOUGH, limit):
            scores = process.cdist([words], self._lines, scorer=fuzz.WRatio, score_cutoff=ALIKE_FLOOR)[0]
            alike = {place: score for place, score in enumerate(scores.tolist()) if score}
            found += sorted(alike.keys() - set(found), key=lambda place: (-alike[place], place))
        return tuple(found[:limit])


class _Query(NamedTuple):
    """What a query is compared with titles by: its words, the same without an article, and what titles end with."""

    words: list[str]
    name: list[str]
    phrase: str
    ends: tuple[str, ...]

    @classmethod
    def of(cls, words: str) -> "_Query":
        phrase = f" {words}"
        return cls(words.split(), _without_article(words.split()), phrase, _plurals(phrase))


class _Title:
    """A title prepared for comparison with queries."""

    def __init__(self, title: str) -> None:
        self.words = words_of(title)
        self._name = _without_article(words_of(MOVED_ARTICLE.sub(r"\2 \1", YEAR.sub("", normalised(title)))))
        self._line = f" {' '.join(self.words)} "  # with blanks at its ends, so that whole words can be looked for

    def rank(self, wanted: _Query) -> int | None:
        """How well the words of a query match; None where only similar spelling can match."""
        if self._name == wanted.name:
            return EXACT
        if self._line.endswith(wanted.ends):
            return ENDS
        phrase = wanted.phrase
        if self._line.startswith(phrase):
            return BEGINS if self._line.startswith(f"{phrase} ") else FIRST_WORD_BEGINS
        if phrase in self._line:
            return HOLDS if f"{phrase} " in self._line else WORD_BEGINS
        if all(word in self.words for word in wanted.words):
            return HOLDS_APART
        if all(any(word.startswith(start) for word in self.words) for start in wanted.words):
            return WORD_BEGINS
        return None


def words_of(text: str) -> list[str]:
    """The words of a text in small letters without accents; they are separated by everything but an apostrophe."""
    letters = unicodedata.normalize("NFKD", folded(text).replace("'", "").replace("’", ""))
    return utils.default_process("".join(one for one in letters if not unicodedata.combining(one))).split()


def _plurals(phrase: str) -> tuple[str, ...]:
    """The phrase as the end of a title, in the singular and the plural of English."""
    one = phrase.removesuffix("s")
    return f"{phrase} ", f"{phrase}s ", f"{phrase}es ", f"{one} " if len(one) > 3 else f"{phrase} "


def _without_article(words: list[str]) -> list[str]:
    return words[1:] if len(words) > 1 and words[0] in ARTICLES else words
