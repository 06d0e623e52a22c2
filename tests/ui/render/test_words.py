import pytest

from m2rec.recommend.answer import Answer, PerBranch, Spectrum, Theme
from m2rec.ui.render.words import (
    Wording,
    fold_summary,
    gate_summary,
    kept_runs,
    ordinal,
    percent,
    plain_period,
    spectrum_summary,
    themes_summary,
)

SHOP = Wording("buy", "day")


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


@pytest.mark.parametrize(
    ("verb", "past", "present"),
    [("buy", "bought", "buys"), ("watch", "watched", "watches"), ("choose", "chose", "chooses")],
)
def test_the_verb_of_a_world_in_the_past_and_of_one_person(verb: str, past: str, present: str) -> None:
    assert (Wording(verb).past, Wording(verb).present) == (past, present)


def test_ordinals_and_periods() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "101st", "111th",
    ]  # fmt: skip
    assert [plain_period(p) for p in (7.0, 3.46, 10.0)] == ["7", "3.5", "10"]


def spectrum(power: list[float], gain: list[float]) -> Spectrum:
    count = len(power)
    return Spectrum(period=[float(2 + i) for i in range(count)], power=power, threshold=[2.0] * count, filter_gain=gain)


def test_the_spectrum_is_described_by_its_peaks_and_the_periods_that_the_filter_passes() -> None:
    text = spectrum_summary(
        spectrum([1, 1, 5, 1, 1, 3, 1, 1, 1], [0.1, 0.1, 0.9, 0.8, 0.1, 1, 0.1, 0.1, 0.1]), 40, SHOP
    )
    assert text.startswith("Stands out against shuffled copies at periods 4, 7 (days).")
    assert "keeps 4–5, 7." in text


def test_multiples_of_a_period_do_not_crowd_out_another_rhythm() -> None:
    period = [3.0, 5.0, 7.0, 10.0, 14.0, 15.0]
    found = Spectrum(period=period, power=[1, 9, 6, 8, 5, 7], threshold=[2.0] * 6, filter_gain=[0, 1, 0, 0, 0, 0])
    assert spectrum_summary(found, 60, SHOP).startswith(
        "Stands out against shuffled copies at periods 5, 7 and multiples of these (days)."
    )
    alone = Spectrum(period=[7.0, 14.0], power=[9, 8], threshold=[2.0] * 2, filter_gain=[1, 0])
    assert "at period 7 and multiples of it (days)." in spectrum_summary(alone, 60, SHOP)


def test_a_muted_period_is_not_said_to_be_kept() -> None:
    found = spectrum([1] * 9, [0.1, 0.9, 0.1, 0.1, 0.1, 1, 0.1, 0.1, 0.1])
    text = spectrum_summary(found, 40, SHOP, muted=[(6.5, 7.5)])
    assert "keeps 3." in text
    assert "Muted by you: 6.5–7.5." in text


def test_a_flat_spectrum_and_a_missing_one_are_said_to_be_so() -> None:
    assert "Nothing stands out" in spectrum_summary(spectrum([1, 1, 1], [0, 0, 0]), 6, SHOP)
    assert "Only 3 periods" in spectrum_summary(spectrum([1, 1, 1], [0, 0, 0]), 6, SHOP)
    assert spectrum_summary(None, 1, SHOP).startswith("A rhythm needs a history: with 1 day ")


def test_kept_runs_join_neighbours_only() -> None:
    assert kept_runs(spectrum([1] * 5, [0.9, 0.9, 0.1, 0.5, 0.49])) == [(2, 3), (5, 5)]


def test_the_gate_is_described_with_the_weight_that_moved_most() -> None:
    now: PerBranch = {"temporal": 0.2, "frequency": 0.7, "semantic": 0.1}
    first: PerBranch = {"temporal": 0.3, "frequency": 0.5, "semantic": 0.2}
    moved = Answer(world="w", history=["a", "b"], items=[], gates=now, gate_history=[first, now], spectrum=None)
    text = gate_summary(moved)
    assert text == (
        "Gate now: temporal 20 %, frequency 70 %, semantic 10 %. "
        "Since the first item, frequency went from 50 % to 70 %."
    )


def test_themes_are_described_by_typical_items_and_without_themes_there_is_no_text() -> None:
    answer = Answer(
        world="toy-shop",
        history=["a"],
        items=[],
        gates={"temporal": 0.2, "frequency": 0.2, "semantic": 0.6},
        gate_history=[],
        spectrum=None,
        themes=[Theme(share=0.54, items=["Oat milk", "Tofu"]), Theme(share=0.2, items=["Tent", "Torch"])],
    )
    text = themes_summary(answer, lambda titles: f"things like {', '.join(titles)}")
    assert text.endswith("54 % things like Oat milk, Tofu; 20 % things like Tent, Torch.")
    assert themes_summary(answer.model_copy(update={"themes": []}), str) == ""


@pytest.mark.parametrize(
    ("history", "said"),
    [
        ("abacad", "2 of 6 stand right below the same item, all of them A;"),
        ("abacbdbe", "2 of 8 stand right below the same item;"),
        ("aaabab", "3 of 6 stand right below the same item, most of them A;"),
        ("abac", "1 of 4 stand right below the same item, A;"),
        ("abcd", "0 of 4 stand right below the same item;"),
    ],
)
def test_a_fold_says_what_stands_in_one_column_where_it_is_one_thing(history: str, said: str) -> None:
    assert f"In rows of 2, {said}" in fold_summary(tuple(history), 2, None, str.upper)
