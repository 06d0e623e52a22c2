import pytest

from m2rec.recommend.answer import Answer, RankedItem, Spectrum
from m2rec.ui.render.summary import reading
from m2rec.ui.render.words import Wording

SHOP = Wording("buy", "day", "customer")
COFFEE = [name for week in range(3) for name in [*(f"filler{week}{day}" for day in range(6)), "coffee"]]
TITLES = {item_id: item_id.capitalize() for item_id in COFFEE}


def flat(power: float = 1.0, at: int = 7) -> Spectrum:
    """Periods 2 to 10, power 1 but for one of them, and chance below 2."""
    periods = list(range(2, 11))
    return Spectrum(
        period=[float(period) for period in periods],
        power=[power if period == at else 1.0 for period in periods],
        threshold=[2.0] * len(periods),
        filter_gain=[1.0] * len(periods),
    )


PEAK, NO_PEAK = flat(5.0), flat()


def answer(
    history: list[str], temporal: float, frequency: float, semantic: float, spectrum: Spectrum | None = PEAK
) -> Answer:
    gates = {"temporal": temporal, "frequency": frequency, "semantic": semantic}
    shares = {name: 0.5 * weight for name, weight in gates.items()}
    first = RankedItem(rank=1, item_id="coffee", title="Coffee", group="", probability=0.5, contributions=shares)
    return Answer(
        world="w", history=history, items=[first], gates=gates, gate_history=[gates] * len(history), spectrum=spectrum
    )


def summary_text(*args: object, **kwargs: object) -> str:
    return "".join(span.text for span in reading(*args, **kwargs))  # type: ignore[arg-type]


WEEK = [f"filler0{day}" for day in range(6)]


def test_a_rhythm_that_is_due_is_described_with_its_period_and_its_share() -> None:
    assert summary_text(answer([*COFFEE, *WEEK], 0.12, 0.81, 0.07), TITLES, SHOP) == (
        "Coffee comes next with 50 %. This customer buys it every 7th day and it is due tomorrow: "
        "81 % of that comes from rhythm."
    )


def test_the_number_carries_the_evidence_it_comes_from() -> None:
    spans = reading(answer(COFFEE, 0.1, 0.8, 0.1), TITLES, SHOP)
    assert [(span.text, span.kind) for span in spans if span.kind] == [("50 %", "frequency"), ("80 %", "frequency")]


def test_a_rhythm_says_when_it_is_due() -> None:
    for after, when in ((0, "due in 7 days"), (5, "due in 2 days"), (6, "due tomorrow"), (8, "overdue by 2 days")):
        history = [*COFFEE, *WEEK, "filler10", "filler11"][: len(COFFEE) + after]
        assert f"every 7th day and it is {when}:" in summary_text(answer(history, 0.1, 0.8, 0.1), TITLES, SHOP)


@pytest.mark.parametrize(
    ("gates", "why", "source"),
    [
        ((0.7, 0.2, 0.1), "It follows from the order of what this customer bought, up to Filler00", "recent order"),
        ((0.2, 0.1, 0.7), "It fits what the things that this customer buys are about", "meaning"),
    ],
)
def test_the_sentence_explains_the_first_card_and_nothing_else(
    gates: tuple[float, float, float], why: str, source: str
) -> None:
    assert summary_text(answer([*COFFEE, "filler00"], *gates), TITLES, SHOP) == (
        f"Coffee comes next with 50 %. {why}: 70 % of that comes from {source}."
    )


def test_another_items_rhythm_is_no_reason_for_the_first_card() -> None:
    found = answer([*COFFEE, *WEEK], 0.1, 0.8, 0.1)
    other = found.items[0].model_copy(update={"item_id": "tea", "title": "Tea"})
    text = summary_text(found.model_copy(update={"items": [other]}), TITLES, SHOP)
    assert "7th" not in text
    assert "It is like what keeps coming up" in text


def test_where_the_gates_favourite_is_not_what_the_first_card_has_most_of_the_sentence_says_so() -> None:
    found = answer([*COFFEE, "filler00"], 0.3, 0.3, 0.4)
    shares = {"temporal": 0.3, "frequency": 0.0, "semantic": 0.1}
    first = found.items[0].model_copy(update={"probability": 0.4, "contributions": shares})
    spans = reading(found.model_copy(update={"items": [first]}), TITLES, SHOP)
    assert "".join(span.text for span in spans) == (
        "Likeliest next: Coffee, with 40 %. It follows from the order of what this customer bought, up to Filler00: "
        "75 % of that comes from recent order. "
        "The gate trusts meaning most (40 %), but most of that is for other items."
    )
    assert [span.kind for span in spans if span.kind] == ["temporal", "temporal", "semantic"]


@pytest.mark.parametrize(
    ("places", "said"),
    [((3,), "It came up once before:"), ((3, 10), "It came up twice, 7 days apart:"),
     ((1, 2, 9, 13), "It came up before, at no steady distance:")],
)  # fmt: skip
def test_an_item_that_came_up_too_seldom_or_unevenly_has_no_rhythm(places: tuple[int, ...], said: str) -> None:
    history = [f"filler{at:02}" for at in range(14)]
    for place in places:
        history[place] = "coffee"
    assert said in summary_text(answer(history, 0.1, 0.8, 0.1), TITLES, SHOP)


def test_a_favourite_that_gives_the_first_card_most_of_its_weight_is_not_said_to_mean_others() -> None:
    found = answer([*COFFEE, "filler00"], 0.3, 0.4, 0.3)
    shares = {"temporal": 0.28, "frequency": 0.27, "semantic": 0.0}
    first = found.items[0].model_copy(update={"probability": 0.55, "contributions": shares})
    found = found.model_copy(update={"items": [first]})
    assert "The gate trusts" not in summary_text(found, TITLES, SHOP)


def test_where_seen_items_are_left_out_the_gates_favourite_may_be_for_one_of_them() -> None:
    found = answer([*COFFEE, "filler00"], 0.1, 0.8, 0.1)
    shares = {"temporal": 0.09, "frequency": 0.0, "semantic": 0.01}
    first = found.items[0].model_copy(update={"probability": 0.1, "contributions": shares})
    text = summary_text(found.model_copy(update={"items": [first]}), TITLES, SHOP, unseen_only=True)
    assert text.endswith("(80 %), but most of that is for other items, those of the history included.")


def test_an_empty_history_says_what_will_happen() -> None:
    assert summary_text(answer([], 0.4, 0.3, 0.3), {}, SHOP).startswith("No history yet")


def test_an_override_is_said_to_be_the_visitors() -> None:
    assert summary_text(answer(COFFEE, 0, 1, 0), TITLES, SHOP, overridden=True) == (
        "You set the gate by hand: Coffee comes first with 50 %, and 100 % of that comes from rhythm."
    )


def test_a_list_without_seen_items_is_said_to_be_one() -> None:
    assert summary_text(answer(COFFEE, 0.8, 0.1, 0.1), TITLES, SHOP, unseen_only=True).startswith(
        "Of what is not in the history yet, Coffee comes first with 50 %."
    )


def test_a_repeat_that_chance_could_make_is_not_called_a_rhythm() -> None:
    assert summary_text(answer([*COFFEE, *WEEK], 0.2, 0.7, 0.1, NO_PEAK), TITLES, SHOP) == (
        "Coffee comes next with 50 %. It came back about every 7th day, which chance could do too: "
        "70 % of that comes from the frequency branch."
    )
    elsewhere = summary_text(answer([*COFFEE, *WEEK], 0.2, 0.7, 0.1, flat(5.0, at=4)), TITLES, SHOP)
    assert "which chance could do too" in elsewhere
    assert "It came up once before" in summary_text(answer(["a", "coffee"], 0.2, 0.7, 0.1, None), {}, SHOP)
