import pytest

from m2rec.recommend.answer import Answer, RankedItem, Spectrum
from m2rec.ui.render.summary import reading
from m2rec.ui.render.words import Voice

SHOP = Voice("buy", "day")
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


def told(*args: object, **kwargs: object) -> str:
    return "".join(span.text for span in reading(*args, **kwargs))  # type: ignore[arg-type]


def test_a_rhythm_that_is_due_is_told_with_its_period_and_its_share() -> None:
    due = answer([*COFFEE, *(f"filler0{day}" for day in range(6))], 0.12, 0.81, 0.07)
    assert told(due, TITLES, SHOP) == (
        "You buy Coffee every 7th day; the next one is due tomorrow, so 81 % of this answer comes from rhythm. "
        "First: Coffee, 50 %."
    )


def test_the_number_carries_the_evidence_it_comes_from() -> None:
    spans = reading(answer(COFFEE, 0.1, 0.8, 0.1), TITLES, SHOP)
    assert [(span.text, span.kind) for span in spans if span.kind] == [("80 %", "frequency"), ("50 %", "frequency")]


def test_a_rhythm_not_yet_due_is_told_as_the_reason_against() -> None:
    text = told(answer([*COFFEE, "filler00"], 0.7, 0.2, 0.1), TITLES, SHOP)
    assert text.startswith("You buy Coffee every 7th day; the next one is due in 6 days, but you just bought Filler00")
    assert "70 % of this answer comes from recent order" in text


def test_meaning_is_told_when_it_leads() -> None:
    assert told(answer(["coffee"], 0.2, 0.1, 0.7), TITLES, SHOP).startswith(
        "What these items are about speaks loudest: 70 %"
    )


def test_an_empty_history_says_what_will_happen() -> None:
    assert told(answer([], 0.4, 0.3, 0.3), {}, SHOP).startswith("No history yet")


def test_an_override_is_said_to_be_the_visitors() -> None:
    assert told(answer(COFFEE, 0, 1, 0), TITLES, SHOP, overridden=True).startswith("You set the gate by hand: 100 %")


def test_a_repeat_that_chance_could_make_is_not_called_a_rhythm() -> None:
    due = answer([*COFFEE, *(f"filler0{day}" for day in range(6))], 0.2, 0.7, 0.1, NO_PEAK)
    assert told(due, TITLES, SHOP) == (
        "Coffee came back about every 7th day, which chance could do too; still, what came up before speaks loudest: "
        "70 % of this answer comes from the frequency branch. First: Coffee, 50 %."
    )
    assert told(answer(["a", "b"], 0.2, 0.7, 0.1, None), {}, SHOP).startswith(
        "No period stands out from chance here; still, what came up before speaks loudest: 70 %"
    )


def test_a_peak_without_an_item_of_its_own_is_told_by_its_period() -> None:
    text = told(answer(COFFEE, 0.2, 0.7, 0.1, flat(5.0, at=4)), TITLES, SHOP)
    assert text.startswith("Period 4 stands out from chance, so 70 % of this answer comes from rhythm.")


@pytest.mark.parametrize("gates", [(0.7, 0.2, 0.1), (0.2, 0.1, 0.7)])
def test_a_rhythm_to_wait_for_is_no_reason_where_it_may_be_chance(gates: tuple[float, float, float]) -> None:
    assert "every 7th" not in told(answer([*COFFEE, "filler00"], *gates, NO_PEAK), TITLES, SHOP)
