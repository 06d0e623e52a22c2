"""Invented items, known by a text alone: the items that they are most like, and ID vectors from these.

The text encoder measures the similarity of two texts. The ID vector of an invented item is the mean of those of the
most similar items, weighted by similarity, so that it leads to the same items. Where no item is similar it has none,
and a note says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from m2rec.recommend.parts import Invention

# Cosine from which the encoder holds two texts for alike. Of short texts that mean something in a world, all but one
# were above it in three worlds; letters typed at random, and words about something else, were all below.
ALIKE = 0.42
# The mean is over so many items, and one that is this much less alike has 1/e of the weight. Of a few such pairs these
# came nearest to the answers that catalogue items get whose ID vector is hidden.
NEIGHBOURS, WIDTH = 20, 0.1
NAMED = 3  # of the nearest, for the reader


@dataclass(frozen=True)
class Known:
    """An invented item: its text vector (width,), the vector used for its ID vector (d,), and
    what the reader is told.
    """

    text: np.ndarray
    id_vector: np.ndarray
    told: Invention


class Likeness:
    """The catalogue with which invented items are compared."""

    def __init__(self, texts: np.ndarray, ids: np.ndarray, titles: Sequence[str]) -> None:
        """texts (V, width), ids (W, d) of the items that have any, which come first, and the titles of all."""
        texts = texts.astype(np.float32, copy=False)
        self._unit = texts / np.maximum(np.linalg.norm(texts, axis=1, keepdims=True), 1e-12)
        self._ids, self._titles = ids, titles

    def of(self, words: str, text: np.ndarray) -> Known:
        """An invented item by its text and its vector (width,), of unit length."""
        similarity = self._unit @ text
        nearest = np.argsort(-similarity, kind="stable")
        best = float(similarity[nearest[0]])
        warm = similarity[: len(self._ids)]
        about = np.argsort(-warm, kind="stable")[:NEIGHBOURS]
        id_vector = np.zeros(self._ids.shape[1], dtype=np.float32)
        if warm[about[0]] >= ALIKE:
            weights = np.exp((warm[about] - warm[about[0]]) / WIDTH)
            id_vector = ((weights / weights.sum()) @ self._ids[about]).astype(np.float32)
        names = [self._titles[place] for place in nearest[:NAMED]]
        return Known(text, id_vector, Invention(text=words, alike=best >= ALIKE, similarity=best, nearest=names))


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
