"""Items of one's own words: what they are like, and so what is known of them beside their own text.

The text encoder says how much alike two texts are. In place of the ID vector that such an item lacks stands the mean of
those of the items that it is most like, weighted by likeness: it leads to what they lead to. Where nothing in the world
is like it, it keeps none, and the answer says so.
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
    """What is known of one item of one's own words: its text vector (width,), what stands for its ID vector (d,), and
    what the reader is told.
    """

    text: np.ndarray
    id_vector: np.ndarray
    told: Invention


class Likeness:
    """A catalogue that items of one's own words are compared with."""

    def __init__(self, texts: np.ndarray, ids: np.ndarray, titles: Sequence[str]) -> None:
        """texts (V, width), ids (W, d) of the items that have any, which come first, and the titles of all."""
        texts = texts.astype(np.float32, copy=False)
        self._unit = texts / np.maximum(np.linalg.norm(texts, axis=1, keepdims=True), 1e-12)
        self._ids, self._titles = ids, titles

    def of(self, words: str, text: np.ndarray) -> Known:
        """What is known of an item by its words and their vector (width,), of unit length."""
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
    """What the reader should know of an item of one's own."""
    if invention.alike:
        *others, last = invention.nearest
        listed = f"{', '.join(others)} and {last}" if others else last
        return f"“{invention.text}” is no item of this world; it is read as something like {listed}."
    return (
        f"“{invention.text}” is like nothing here: the nearest, {invention.nearest[0]}, has a similarity of "
        f"{invention.similarity:.2f}, and from {ALIKE} on two texts count as alike. It is read as an unknown item."
    )
