"""The shipped Rhythm Market answers a visitor's questions as the process of its world implies."""

import random

import numpy as np
import pytest
import torch

from m2rec.branches import BRANCHES
from m2rec.data.market.generate import generate
from m2rec.data.market.settings import MarketSettings
from m2rec.data.market.shop.catalogue import load_catalogue
from m2rec.recommend.answer import Answer
from m2rec.recommend.recommender import Recommender
from tests.places import CHECKPOINTS

FOLDER = CHECKPOINTS / "rhythm-market"
COFFEE = "ground-coffee"
PERIODS = (3, 5, 7, 10, 14, 28)
CYCLES = 5
EVERYDAY = 400  # the most popular items, from which the other days are filled


@pytest.fixture(scope="module")
def market() -> Recommender:
    torch.set_num_threads(1)
    return Recommender.from_pretrained(FOLDER)


def weekly(market: Recommender, period: int, seed: int = 0) -> list[str]:
    """Five cycles of coffee every `period` days, other things in between; the next coffee is due on the day after."""
    chance = random.Random(seed)
    pool = [item.item_id for item in market.items[:EVERYDAY] if item.item_id != COFFEE]
    history = chance.sample(pool, CYCLES * period)
    history[::period] = [COFFEE] * CYCLES
    return history


def rank(answer: Answer, item_id: str) -> int:
    """Its place among the items shown; one more than their number where it is not shown."""
    return next((item.rank for item in answer.items if item.item_id == item_id), len(answer.items) + 1)


def highest(answer: Answer) -> str:
    return max(BRANCHES, key=lambda name: answer.gates[name])


@pytest.mark.parametrize("period", PERIODS)
def test_a_period_peaks_in_the_spectrum_above_the_band(market: Recommender, period: int) -> None:
    spectrum = market.recommend(weekly(market, period)).spectrum
    assert spectrum is not None
    assert spectrum.significant[0] == period


@pytest.mark.parametrize("period", PERIODS)
def test_coffee_is_in_the_top_three_on_the_eve_of_its_day(market: Recommender, period: int) -> None:
    assert rank(market.recommend(weekly(market, period)), COFFEE) <= 3


@pytest.mark.parametrize("period", PERIODS[:4])
def test_what_matters_most_for_the_next_coffee_are_coffees(market: Recommender, period: int) -> None:
    history = weekly(market, period)
    influence = market.influence(history, COFFEE)
    coffees, others = (
        [change for entry, change in zip(history, influence, strict=True) if (entry == COFFEE) == wanted]
        for wanted in (True, False)
    )
    assert len(set(coffees)) == 1
    assert coffees[0] > 10 * max(map(abs, others))


@pytest.fixture(scope="module")
def ordinary() -> list[list[str]]:
    """What customers of the market without any rhythm bought, day by day, but for coffee."""
    settings = MarketSettings(customers=12, shortest=180, longest=200, rhythm_counts=(1.0, 0.0, 0.0, 0.0))
    world, names = generate(settings), load_catalogue().table["item"].tolist()
    bought = [[names[item - 1] for item in world.sequences[row]] for row in range(settings.customers)]
    return [[item for item in days if item != COFFEE] for days in bought]


@pytest.mark.parametrize("period", [period for period in PERIODS if period > 3])
def test_coffee_comes_up_on_its_eve_and_is_not_expected_two_days_earlier(
    market: Recommender, ordinary: list[list[str]], period: int
) -> None:
    for days in ordinary:
        history = days[: CYCLES * period]
        history[::period] = [COFFEE] * CYCLES
        assert rank(market.recommend(history), COFFEE) <= 3
        assert rank(market.recommend(history[:-2]), COFFEE) > 10


@pytest.mark.parametrize("period", PERIODS)
def test_the_frequency_gate_is_highest_on_the_eve(market: Recommender, period: int) -> None:
    assert highest(market.recommend(weekly(market, period))) == "frequency"


@pytest.mark.parametrize("period", PERIODS)
def test_the_same_items_shuffled_show_no_peak_and_the_gate_falls(market: Recommender, period: int) -> None:
    history = weekly(market, period)
    eve = market.recommend(history).gates["frequency"]
    shuffled = history.copy()
    random.Random(1).shuffle(shuffled)
    answer = market.recommend(shuffled)
    assert answer.spectrum is not None
    assert answer.spectrum.significant == []
    assert answer.gates["frequency"] < eve


CHAINS = (
    ("Steel tent pegs", "Firelighter wool", "Trekking noodle cup"),
    ("Gas cartridge", "Rice noodles", "Carbon steel wok"),
    ("Proving basket", "Caster sugar", "Liquid egg whites"),
    ("Disco ball", "Lemon drizzle loaf", "Birthday card assortment"),
)


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: chain[0])
def test_a_chains_next_link_comes_out_on_top_by_order(market: Recommender, chain: tuple[str, ...]) -> None:
    *begun, following = chain
    answer = market.recommend(begun)
    assert answer.items[0].title == following
    assert highest(answer) == "temporal"


# five items and a new arrival of the same theme; the arrivals of the other themes are too rare there for the first ten
THEMES = {
    "camping": ("head-torch-battery-pack", "enamel-mugs", "campfire-card-games", "kitchen-foil", "honey-flapjack"),
    "cosy-winter": (
        "split-pea-and-ham-soup",
        "soy-wax-jar-candle",
        "winter-sleeping-bag-3-5-tog",
        "cinnamon-sticks",
        "hazelnut-praline-box",
    ),
    "italian-night": ("anchovy-fillets", "bitter-orange-aperitivo", "mascarpone", "rocket", "almond-cantucci"),
    "vegan": ("nut-milk-bag", "vegan-down-sleeping-bag", "oat-milk", "cream-deodorant-jar", "coconut-yoghurt"),
    "party": (
        "glass-punch-bowl",
        "tropical-punch-base",
        "paper-cups-and-straws",
        "garden-torches",
        "party-bag-sweet-mix",
    ),
}


@pytest.mark.parametrize("theme", THEMES)
def test_five_items_of_one_theme_bring_up_a_new_arrival_of_it_by_meaning(market: Recommender, theme: str) -> None:
    answer = market.recommend(
        THEMES[theme], k=25
    )  # of 761; the fair oracle finds 11 % of the arrivals among its first ten
    shown = [item for item in answer.items if item.item_id in arrivals(theme)]
    assert shown
    assert all(max(BRANCHES, key=lambda name, item=item: item.contributions[name]) == "semantic" for item in shown)
    assert highest(answer) == "semantic"


def test_some_themes_show_a_new_arrival_among_the_first_three(market: Recommender) -> None:
    first = {theme: market.recommend(THEMES[theme], k=3).items for theme in THEMES}
    assert sum(any(item.item_id in arrivals(theme) for item in shown) for theme, shown in first.items()) >= 3


def arrivals(theme: str) -> set[str]:
    """The items of a theme that no training customer bought."""
    catalogue = load_catalogue()
    return set(catalogue.table["item"][catalogue.in_theme[catalogue.themes.index(theme)] & catalogue.arrival])


@pytest.mark.parametrize("theme", load_catalogue().themes)
def test_every_theme_of_the_market_is_among_those_learned_from_texts(market: Recommender, theme: str) -> None:
    catalogue = load_catalogue()
    of_theme = set(catalogue.table["item"][catalogue.in_theme[catalogue.themes.index(theme)]])
    emissions = market.inference.emissions
    assert emissions is not None
    likely = np.argsort(-emissions, axis=0)[:10].T  # the ten items that each learned theme brings about most
    hits = [sum(market.catalogue[place + 1].item_id in of_theme for place in row) for row in likely.tolist()]
    assert max(hits) >= 8


def test_random_noise_opens_no_gate_and_shows_no_period(market: Recommender) -> None:
    gates, quiet = [], 0
    for seed in range(100):
        chance = random.Random(seed)
        answer = market.recommend([chance.choice(market.items).item_id for _ in range(40)])
        gates.append([answer.gates[name] for name in BRANCHES])
        assert answer.spectrum is not None
        quiet += not answer.spectrum.significant
    assert np.mean(gates, axis=0).max() <= 0.6
    assert quiet >= 90
