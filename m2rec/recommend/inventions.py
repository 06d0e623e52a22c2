"""Invented items, known by a text alone: the items that they are most like, and vectors from these.

The text encoder measures the similarity of two texts. The ID vector of an invented item is the mean of those of the
most similar items, weighted by similarity, so that it leads to the same items. Where no item is similar it has none,
and a note says so.

What people type is short, as titles are. In a world whose texts describe the items without naming them, it is compared
with the titles ("a bottle of red wine" is no nail lacquer, deep red as that may be), and read by the texts of the items
with similar titles.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from m2rec.checkpoint import Item
from m2rec.data.text import TextEncoder
from m2rec.inference.engine import InferenceEngine
from m2rec.recommend.catalogue import Catalogue
from m2rec.recommend.parts import Invention
from m2rec.recommend.search import words_of
from m2rec.text_safety import folded

# Cosine from which the encoder holds two texts for alike. Of short texts that mean something in a world, all but one
# were above it in three worlds; letters typed at random, and words about something else, were all below.
ALIKE = 0.42
# The mean is over so many items, and one that is this much less alike has 1/e of the weight. Of a few such pairs these
# came nearest to the answers that catalogue items get whose ID vector is hidden.
NEIGHBOURS, WIDTH = 20, 0.1
TITLE_WIDTH = 0.05  # the same where titles are compared: the answers to 24 typed names came nearest to their items'
NAMED = 3  # of the nearest, for the reader
AS_NEAR = 0.03  # there, only items this much less alike than the nearest one are named beside it

CANDIDATES = 100  # items with the most similar texts, whose titles are compared beside those that share a word
SHORTEST_WORD, SHARING_A_WORD = 3, 25  # letters of a word by which titles are looked up, and titles for each such word
CACHED = 256


@dataclass(frozen=True)
class Invented:
    """An invented item: its text vector (width,), the vector used for its ID vector (d,), and what it is like."""

    text: np.ndarray
    id_vector: np.ndarray
    invention: Invention


@dataclass(frozen=True)
class Titles:
    """How titles are compared: `encode` gives n texts' unit vectors (n, width), `sharing` the places of the items whose
    title shares a word with a text.
    """

    encode: Callable[[Sequence[str]], np.ndarray]
    sharing: Callable[[str], Sequence[int]]


class Likeness:
    """The catalogue with which invented items are compared."""

    def __init__(
        self, texts: np.ndarray, ids: np.ndarray, titles: Sequence[str], by_title: Titles | None = None
    ) -> None:
        """texts (V, width), ids (W, d) of the items that have any, which come first, and the titles of all.

        `by_title` where the texts do not name their items.
        """
        texts = texts.astype(np.float32, copy=False)
        self._unit = texts / np.maximum(np.linalg.norm(texts, axis=1, keepdims=True), 1e-12)
        self._ids, self._titles, self._by_title = ids, titles, by_title
        self._encoded: dict[int, np.ndarray] = {}  # titles' vectors by place, as they are needed

    def of(self, words: str, text: np.ndarray) -> Invented:
        """An invented item by its text and its vector (width,), of unit length."""
        similarity = self._unit @ text
        if self._by_title:
            similarity = self._similar_titles(self._by_title, words, text, similarity)
        nearest = np.argsort(-similarity, kind="stable")[:NAMED]
        best = float(similarity[nearest[0]])
        weights, about = self._weighted(similarity[: len(self._ids)])
        id_vector = np.zeros(self._ids.shape[1], dtype=np.float32)
        if weights.size:
            id_vector = (weights @ self._ids[about]).astype(np.float32)
        if self._by_title and best >= ALIKE:
            weights, about = self._weighted(similarity)
            text = weights @ self._unit[about]
            text = (text / np.linalg.norm(text)).astype(np.float32)
        least = best - AS_NEAR if self._by_title else -1.0
        names = [self._titles[place] for place in nearest if similarity[place] >= least]
        return Invented(text, id_vector, Invention(text=words, alike=best >= ALIKE, similarity=best, nearest=names))

    def _similar_titles(self, titles: Titles, words: str, text: np.ndarray, similarity: np.ndarray) -> np.ndarray:
        """(V,) the similarity of the titles that may be meant; −1 of all others."""
        likely = np.argsort(-similarity, kind="stable")[:CANDIDATES].tolist()
        places = sorted({*likely, *titles.sharing(words)})
        missing = [place for place in places if place not in self._encoded]
        if missing:
            vectors = titles.encode([self._titles[place] for place in missing])
            self._encoded |= dict(zip(missing, vectors, strict=True))
        found = np.full_like(similarity, -1.0)
        found[places] = np.stack([self._encoded[place] for place in places]) @ text
        return found

    def _weighted(self, similarity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights that sum to 1 of the most similar items, and their places; none where nothing is similar."""
        about = np.argsort(-similarity, kind="stable")[:NEIGHBOURS]
        if not about.size or similarity[about[0]] < ALIKE:
            return np.zeros(0, dtype=np.float32), about[:0]
        weights = np.exp((similarity[about] - similarity[about[0]]) / (TITLE_WIDTH if self._by_title else WIDTH))
        return weights / weights.sum(), about


class Inventions:
    """The invented items that people ask about in one world; the newest are cached."""

    def __init__(
        self, network: InferenceEngine, texts: np.ndarray, items: Sequence[Item], catalogue: Catalogue
    ) -> None:
        """texts (V, width), the text vectors of the catalogue's items."""
        self.encoder = TextEncoder(cached=False)  # loads its weights with the first text
        self.cached = lru_cache(maxsize=CACHED)(self._compared)
        self._network, self._texts, self._catalogue = network, texts, catalogue
        apart = sum(bool(item.title and item.text) and folded(item.title) not in folded(item.text) for item in items)
        self._texts_without_titles = 2 * apart > len(items)

    def described(self, texts: Sequence[str]) -> list[Invention]:
        """What each of these texts is like, for the reader."""
        return [self.cached(text).invention for text in texts]

    def network(self, texts: Sequence[str]) -> InferenceEngine:
        """A network that also reads these n ≥ 0 texts, as items V + 1 … V + n."""
        invented = [self.cached(text) for text in texts]
        return self._extended([one.text for one in invented], [one.id_vector for one in invented])

    def network_with_unknown(self, texts: Sequence[str]) -> tuple[InferenceEngine, int]:
        """The same with one item more, of average meaning and without an ID vector → the network and that item."""
        invented = [self.cached(text) for text in texts]
        nothing = np.zeros(self._network.config.width, dtype=np.float32)
        network = self._extended(
            [*(one.text for one in invented), self._texts.mean(0)], [*(one.id_vector for one in invented), nothing]
        )
        return network, len(self._texts) + len(texts) + 1

    def _extended(self, texts: list[np.ndarray], ids: list[np.ndarray]) -> InferenceEngine:
        return self._network.extended(np.stack(texts), np.stack(ids)) if texts else self._network

    @cached_property
    def _likeness(self) -> Likeness:
        warm = self._network.items.ids[1 : self._network.config.warm_items + 1]
        by_title = Titles(self.encoder.encode, self._sharing_a_word) if self._texts_without_titles else None
        return Likeness(self._texts, warm, [item.title for item in self._catalogue.items], by_title)

    def _sharing_a_word(self, text: str) -> list[int]:
        """Places of the items whose title holds a word of the text, or one that is spelt alike."""
        words = [word for word in words_of(text) if len(word) >= SHORTEST_WORD]
        found = (item for word in words for item in self._catalogue.search(word, SHARING_A_WORD))
        return sorted({self._catalogue.index(item.item_id) - 1 for item in found})

    def _compared(self, text: str) -> Invented:
        return self._likeness.of(text, self.encoder.encode([text])[0])


def note(invention: Invention) -> str:
    """A note for the reader about an invented item."""
    if invention.alike:
        *others, last = invention.nearest
        listed = f"{', '.join(others)} and {last}" if others else last
        return f"“{invention.text}” is no item of this world; it is read as something like {listed}."
    return (
        f"“{invention.text}” is like nothing here: the nearest, {invention.nearest[0]}, has a similarity of "
        f"{invention.similarity:.2f}, and from {ALIKE} on two texts count as alike. It is read as an unknown item."
    )
