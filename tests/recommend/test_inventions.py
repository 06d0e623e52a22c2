"""Items of one's own words: what they are like, and that what is like nothing is said to be."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from m2rec.recommend.inventions import ALIKE, Likeness, Titles, note
from m2rec.recommend.recommender import Recommender

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"
TITLES = ["Tea", "Coffee", "Lamp"]
IDS = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)  # the lamp has none


def likeness(*cosines: float) -> Likeness:
    """A catalogue whose items have these similarities to the text (1, 0)."""
    return Likeness(np.array([[one, np.sqrt(1 - one**2)] for one in cosines]), IDS, TITLES)


def text() -> np.ndarray:
    return np.array([1.0, 0.0])


def test_what_is_like_something_stands_near_the_items_that_it_is_most_like() -> None:
    found = likeness(0.8, 0.6, 0.1).of("a brew", text())
    assert found.invention.alike
    assert found.invention.nearest == ["Tea", "Coffee", "Lamp"]
    assert found.invention.similarity == pytest.approx(0.8)
    assert found.id_vector.sum() == pytest.approx(1)
    assert found.id_vector[0] > found.id_vector[1] > 0
    assert "something like Tea, Coffee and Lamp" in note(found.invention)


def test_what_is_like_nothing_is_an_unknown_item_and_is_said_to_be() -> None:
    found = likeness(ALIKE - 0.01, 0.2, 0.1).of("qwertyuiop", text())
    assert not found.invention.alike
    assert not found.id_vector.any()
    assert "“qwertyuiop” is like nothing here: the nearest, Tea, has a similarity of 0.41" in note(found.invention)


def test_what_is_like_an_item_without_an_id_vector_alone_has_none_either() -> None:
    found = likeness(0.1, 0.2, 0.9).of("a lantern", text())
    assert found.invention.alike
    assert not found.id_vector.any()


def test_where_texts_do_not_name_their_items_it_is_the_titles_that_are_compared() -> None:
    asked: list[list[str]] = []

    def encode(titles: Sequence[str]) -> np.ndarray:
        asked.append(list(titles))
        return np.array([{"Tea": [0.1, 0.99], "Coffee": [0.9, 0.44], "Lamp": [0.2, 0.98]}[title] for title in titles])

    texts = np.array([[one, np.sqrt(1 - one**2)] for one in (0.8, 0.1, 0.1)])  # by its text it would be a tea
    compared = Likeness(texts, IDS, TITLES, Titles(encode, lambda words: [2]))
    found = compared.of("a brew", text())
    assert (found.invention.nearest, found.invention.similarity) == (["Coffee"], pytest.approx(0.9))
    assert found.id_vector[1] > 0.99
    assert found.text @ texts[1] == pytest.approx(1)  # read by the coffee's own text
    compared.of("another brew", text())
    assert asked == [["Tea", "Coffee", "Lamp"]]  # encoded once


# what a visitor may type, and the group in which anybody would look for it; nothing where the shop has no such thing
TYPED = {
    "dog food for a puppy": "Pets",
    "strong espresso": "Coffee, tea & drinks",
    "nappies": "Baby & newborn",
    "frozen pizza": "Frozen & ready meals",
    "jam of wild strawberries": "Bakery & breakfast",
    "toothpaste": "Health & beauty",
    "a birthday cake": "Bakery & breakfast",
    "goat cheese": "Dairy & chilled",
    "vegan burger": "Frozen & ready meals",
    "tent for two": "Garden & outdoors",
    "cat litter": "Pets",
    "green tea": "Coffee, tea & drinks",
    "orange juice": "Coffee, tea & drinks",
    "laundry detergent": "Household & cleaning",
    "chocolate biscuits": "Snacks & sweets",
    "sushi rice": "Pantry & spices",
    "baby wipes": "Baby & newborn",
    "lager beer": "Coffee, tea & drinks",
    "a bottle of red wine": "Coffee, tea & drinks",
    "lipstick": "Health & beauty",
    "tax return 2025": "",
    "quantum chromodynamics": "",
    "qwertyuiop": "",
}


@pytest.mark.slow
def test_what_is_typed_in_the_market_stands_beside_what_anybody_would_expect() -> None:
    world = Recommender.from_pretrained(CHECKPOINTS / "rhythm-market")
    groups = {item.title: item.group for item in world.items}
    similar = world.inventions.described(list(TYPED))
    found = {one.text: groups[one.nearest[0]] if one.alike else "" for one in similar}
    wrong = {words: group for words, group in found.items() if group != TYPED[words]}
    assert wrong in ({}, {"chocolate biscuits": "Bakery & breakfast"})  # wheat biscuits, for breakfast
    letters, wine = (
        world.recommend([f"~{words}"], spectrum=False).items for words in ("qwertyuiop", "a bottle of red wine")
    )
    assert {item.item_id for item in wine[:3]}.isdisjoint(item.item_id for item in letters)


@pytest.mark.slow
def test_on_the_shipped_market_meaning_carries_and_random_letters_are_said_to_be_like_nothing() -> None:
    world = Recommender.from_pretrained(CHECKPOINTS / "rhythm-market")
    dog, wine, letters = (
        world.recommend([f"~{words}"], spectrum=False)
        for words in ("dog food for a puppy", "a bottle of red wine", "qwertyuiop")
    )
    rankings = {tuple(item.item_id for item in answer.items) for answer in (dog, wine, letters)}
    assert len(rankings) == 3
    like = next(item for item in world.items if item.title == dog.inventions[0].nearest[0])
    assert sum(item.group == like.group for item in dog.items) >= 3
    assert [answer.inventions[0].alike for answer in (dog, wine, letters)] == [True, True, False]
    assert "is like nothing here" in letters.notes[-1]
    assert "something like" in dog.notes[-1]


# what decided where ALIKE lies; all of it, in every world that is shipped with texts
WORDS = {
    "rhythm-market": ("nappies", "pizza", "Jam of wild strawberries", "toothpaste", "a birthday cake", "cheese"),
    "gift-shop": ("a Christmas card", "red umbrella", "tea cup with roses", "candle", "a wooden toy train", "pizza"),
    "ml-1m": (
        "a comedy about a wedding",
        "war film set in Vietnam",
        "horror in a haunted house",
        "a cartoon for children",
    ),
}
NOISE = ("qwertyuiop", "asdf", "12345", "tax return 2025", "quantum chromodynamics", "!!!", "zzz bbb", "hello")


@pytest.mark.slow
@pytest.mark.parametrize("world", WORDS)
def test_words_with_a_meaning_in_a_world_are_distinguished_from_others(world: str) -> None:
    found = Recommender.from_pretrained(CHECKPOINTS / world)
    known = found.read([f"~{words}" for words in (*WORDS[world], *NOISE)])[0].inventions
    alike = [one.alike for one in found.inventions.described(known)]
    assert alike == [True] * len(WORDS[world]) + [False] * len(NOISE)
