import pytest

from m2rec.recommend.answer import Answer, RankedItem, Spectrum
from m2rec.ui.words import Voice, gate_summary, kept_runs, ordinal, percent, plain_period, reading, spectrum_summary

SHOP = Voice("buy", "day")
COFFEE = [name for week in range(3) for name in [*(f"filler{week}{day}" for day in range(6)), "coffee"]]
TITLES = {item_id: item_id.capitalize() for item_id in COFFEE}


def answer(history: list[str], temporal: float, frequency: float, semantic: float) -> Answer:
    gates = {"temporal": temporal, "frequency": frequency, "semantic": semantic}
    shares = {name: 0.5 * weight for name, weight in gates.items()}
    first = RankedItem(rank=1, item_id="coffee", title="Coffee", group="", probability=0.5, contributions=shares)
    return Answer(
        world="w", history=history, items=[first], gates=gates, gate_history=[gates] * len(history), spectrum=None
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


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.81, "81 %"),
        (0.042, "4.2 %"),
        (0.0001, "< 0.1 %"),
        (0, "0 %"),
        (1, "100 %"),
        (0.997, "> 99 %"),
        (0.0996, "10 %"),
    ],
)
def test_shares_are_written_as_a_person_would(share: float, text: str) -> None:
    assert percent(share) == text


def test_ordinals_and_periods() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "101st", "111th",
    ]  # fmt: skip
    assert [plain_period(p) for p in (7.0, 3.46, 10.0)] == ["7", "3.5", "10"]


def spectrum(power: list[float], gain: list[float]) -> Spectrum:
    count = len(power)
    return Spectrum(period=[float(2 + i) for i in range(count)], power=power, threshold=[2.0] * count, filter_gain=gain)


def test_the_spectrum_is_told_by_its_peaks_and_what_the_filter_keeps() -> None:
    text = spectrum_summary(
        spectrum([1, 1, 5, 1, 1, 3, 1, 1, 1], [0.1, 0.1, 0.9, 0.8, 0.1, 1, 0.1, 0.1, 0.1]), 40, SHOP
    )
    assert text.startswith("Stands out against shuffled copies at periods 4, 7 (days).")
    assert "keeps 4–5, 7." in text


def test_a_flat_spectrum_and_a_missing_one_are_said_to_be_so() -> None:
    assert "Nothing stands out" in spectrum_summary(spectrum([1, 1, 1], [0, 0, 0]), 6, SHOP)
    assert "Only 3 periods" in spectrum_summary(spectrum([1, 1, 1], [0, 0, 0]), 6, SHOP)
    assert spectrum_summary(None, 1, SHOP).startswith("A rhythm needs a history: with 1 day ")


def test_kept_runs_join_neighbours_only() -> None:
    assert kept_runs(spectrum([1] * 5, [0.9, 0.9, 0.1, 0.5, 0.49])) == [(2, 3), (5, 5)]


def test_the_gate_is_told_with_the_weight_that_moved_most() -> None:
    moved = answer(["a", "b"], 0.2, 0.7, 0.1)
    first = {"temporal": 0.3, "frequency": 0.5, "semantic": 0.2}
    text = gate_summary(moved.model_copy(update={"gate_history": [first, moved.gates]}))
    assert text == (
        "Gate now: temporal 20 %, frequency 70 %, semantic 10 %. "
        "Since the first item, frequency went from 50 % to 70 %."
    )
