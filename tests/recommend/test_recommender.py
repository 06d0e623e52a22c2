"""A history in, an answer out: options, errors, and the meaning of every number."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from m2rec.branches import BRANCHES
from m2rec.checkpoint import Checkpoint, Item
from m2rec.errors import CheckpointError, InputError
from m2rec.recommend.answer import Answer, PerBranch
from m2rec.recommend.recommender import Recommender
from tests.tiny_world import COLD, MAX_HISTORY, tiny_checkpoint, tiny_config, tiny_items

HISTORY = ["Ground coffee", "Oat milk", "Bananas", "Ground coffee", "Green tea"]
EVERYTHING = len(tiny_items())

histories = st.lists(st.sampled_from([item.item_id for item in tiny_items()]), min_size=1, max_size=MAX_HISTORY)


def probabilities(answer: Answer) -> dict[str, float]:
    return {item.item_id: item.probability for item in answer.items}


def close(left: float, right: float) -> bool:
    return math.isclose(left, right, rel_tol=1e-4, abs_tol=1e-6)


# ── the answer ──────────────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=20)
@given(history=histories, k=st.integers(1, 50))
def test_every_answer_adds_up(shop: Recommender, history: list[str], k: int) -> None:
    answer = shop.recommend(history, k=k)
    assert answer.world == "tiny-shop"
    assert answer.history == history
    assert [item.rank for item in answer.items] == list(range(1, min(k, EVERYTHING) + 1))
    assert len({item.item_id for item in answer.items}) == len(answer.items)
    for item in answer.items:
        assert close(sum(item.contributions.values()), item.probability)
        assert min(item.contributions.values()) >= 0
    ranked = [item.probability for item in answer.items]
    assert ranked == sorted(ranked, reverse=True)
    assert len(answer.gate_history) == len(history)
    for gates in (answer.gates, *answer.gate_history):
        assert close(sum(gates.values()), 1)
    assert answer.gates == answer.gate_history[-1]
    assert answer.notes == []


def test_over_the_whole_catalogue_probabilities_add_up_to_one_and_shares_to_the_gates(shop: Recommender) -> None:
    answer = shop.recommend(HISTORY, k=50)
    assert len(answer.items) == EVERYTHING
    assert close(sum(item.probability for item in answer.items), 1)
    for name in BRANCHES:
        assert close(sum(item.contributions[name] for item in answer.items), answer.gates[name])


def test_the_answer_is_the_models(shop: Recommender) -> None:
    answer = shop.recommend(HISTORY, k=50)
    items = torch.tensor([[shop.catalogue.index(name) for name in HISTORY]])
    where = torch.tensor([[False] * 4 + [True]])
    expected = shop.model.log_scores(items, where)[0].exp()
    for item_id, probability in probabilities(answer).items():
        assert close(probability, float(expected[shop.catalogue.index(item_id) - 1]))


def test_titles_ids_and_numbers_name_the_same_items(shop: Recommender) -> None:
    by_title = shop.recommend(["Honey", "Ground coffee"])
    assert by_title.history == ["7", "i00"]
    assert shop.recommend([7, "i00"]) == by_title
    assert shop.recommend(("7", "ground coffee")) == by_title


def test_an_answer_survives_json_to_the_last_digit(shop: Recommender) -> None:
    answer = shop.recommend(HISTORY * 3)
    assert answer.spectrum is not None
    assert Answer.model_validate_json(answer.model_dump_json()) == answer


def test_the_same_question_has_the_same_answer(shop: Recommender) -> None:
    first = shop.recommend(HISTORY)
    torch.rand(3)
    shop.recommend(["Popcorn"], gate_override={"semantic": 1}, band_mask=[(2, 9)])
    assert shop.recommend(HISTORY) == first


def test_fewer_items_are_the_first_of_more(shop: Recommender) -> None:
    assert shop.recommend(HISTORY, k=4).items == shop.recommend(HISTORY, k=20).items[:4]


def test_cold_items_are_ranked_with_all_others(shop: Recommender) -> None:
    found = probabilities(shop.recommend(HISTORY, k=50))
    assert all(found[item.item_id] > 0 for item in tiny_items()[-COLD:])


@pytest.mark.parametrize("k", [0, 51, 2.5, True])
def test_a_number_of_items_out_of_range_is_refused(shop: Recommender, k: Any) -> None:
    with pytest.raises(InputError, match="from 1 to 50"):
        shop.recommend(HISTORY, k=k)


# ── histories ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_title_is_refused_with_the_nearest(shop: Recommender) -> None:
    with pytest.raises(InputError, match="“Ground cofee” is not in this world; did you mean “Ground coffee”"):
        shop.recommend(["Oat milk", "Ground cofee"])


def test_of_a_history_that_is_too_long_the_newest_part_is_read_and_that_is_said(shop: Recommender) -> None:
    long = ["Popcorn"] * 10 + (HISTORY * 8)
    answer = shop.recommend(long)
    assert len(answer.history) == len(answer.gate_history) == MAX_HISTORY == shop.max_history
    assert answer.notes == ["The model read the newest 40 of 50 items; the older ones count as already chosen."]
    rest = shop.recommend(long[-MAX_HISTORY:])
    assert (answer.gate_history, answer.spectrum) == (rest.gate_history, rest.spectrum)


def test_a_history_of_just_the_longest_length_is_read_whole(shop: Recommender) -> None:
    assert shop.recommend(HISTORY * 8).notes == []


@pytest.mark.parametrize("history", ["Ground coffee", 7, None, {"a": 1}, {"Ground coffee"}])
def test_what_is_no_list_is_refused_with_what_would_be_right(shop: Recommender, history: Any) -> None:
    with pytest.raises(InputError, match="a list of titles or ids, oldest first"):
        shop.recommend(history)


def test_before_anything_is_chosen_the_most_popular_items_are_given_and_that_is_said(shop: Recommender) -> None:
    answer = shop.recommend([], k=50)
    bias = shop.model.bias
    best = int(bias.argmax())
    assert answer.items[0].item_id == shop.catalogue[best + 1].item_id
    assert close(answer.items[0].probability, float(torch.softmax(bias, 0)[best]))
    assert close(sum(item.probability for item in answer.items), 1)
    assert all(close(sum(item.contributions.values()), item.probability) for item in answer.items)
    assert close(sum(answer.gates.values()), 1)
    assert answer.history == answer.gate_history == []
    assert answer.spectrum is None
    assert len(answer.notes) == 1
    assert "Nothing has been chosen yet" in answer.notes[0]


# ── items of one's own words ────────────────────────────────────────────────────────────────────────────────────


def test_an_item_of_ones_own_words_is_read_by_its_meaning(shop: Recommender, encoder: Any) -> None:
    jam, tea = (shop.recommend([*HISTORY, name], k=50) for name in ("~Jam of wild strawberries", "~Tea of nettles"))
    assert jam.history[-1] == "~Jam of wild strawberries"
    assert close(sum(item.probability for item in jam.items), 1)
    assert probabilities(jam) != probabilities(tea)
    assert encoder.calls == [["Jam of wild strawberries"], ["Tea of nettles"]]


def test_an_invention_with_a_cold_items_text_does_what_that_item_does(
    shop: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for being seen: what is not in the catalogue cannot come again, so who is due is left out here."""

    class Copy:
        def encode(self, texts: Sequence[str]) -> Any:
            return shop.model.text[EVERYTHING][None].numpy()

    checkpoint = tiny_checkpoint(branches=("temporal", "semantic"))
    unbiased = {name: np.zeros((), dtype=np.float32) for name in checkpoint.weights if name.endswith("repeat_bias")}
    world = Recommender(replace(checkpoint, weights=checkpoint.weights | unbiased))
    monkeypatch.setattr(world.inventions, "encoder", Copy())
    guest, item = world.recommend(["i03", "~Honey", "i05"], k=50), world.recommend(["i03", 7, "i05"], k=50)
    assert guest.gates == pytest.approx(item.gates, rel=1e-4)
    assert probabilities(guest) == pytest.approx(probabilities(item), rel=1e-3)


def test_the_same_invention_twice_is_one_item_and_is_encoded_once(shop: Recommender, encoder: Any) -> None:
    answer = shop.recommend(["~red  jam", "i01", "~red jam"] * 5)
    assert answer.history[:3] == ["~red jam", "i01", "~red jam"]
    assert encoder.calls == [["red jam"]]
    assert answer.spectrum is not None
    assert 3.0 in answer.spectrum.significant


def test_an_invention_is_never_recommended_nor_left_out(shop: Recommender, encoder: Any) -> None:
    answer = shop.recommend(["~jam", "i01"], k=50, exclude_seen=True)
    assert {item.item_id for item in answer.items} == {item.item_id for item in tiny_items()} - {"i01"}


@pytest.mark.parametrize("text", ["~", "~   ", "~" + "x" * 201])
def test_an_invention_without_words_or_with_too_many_is_refused(shop: Recommender, encoder: Any, text: str) -> None:
    with pytest.raises(InputError, match="An invented item is “~” and 1 to 200 characters"):
        shop.recommend([text])
    assert encoder.calls == []


def test_without_inventions_no_encoder_is_asked(shop: Recommender, encoder: Any) -> None:
    shop.recommend(HISTORY)
    assert encoder.calls == []


# ── what was seen ───────────────────────────────────────────────────────────────────────────────────────────────


def test_seen_items_are_left_out_on_request_and_the_others_keep_their_probability(shop: Recommender) -> None:
    everything = probabilities(shop.recommend(HISTORY, k=50))
    rest = probabilities(shop.recommend(HISTORY, k=50, exclude_seen=True))
    assert set(everything) - set(rest) == {"i00", "i01", "i12", "i02"}
    assert rest == {item_id: everything[item_id] for item_id in rest}


def test_a_user_who_has_seen_everything_gets_no_recommendations(shop: Recommender) -> None:
    everything = [item.item_id for item in tiny_items()]
    assert shop.recommend(everything, exclude_seen=True).items == []


# ── the gate by hand ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", BRANCHES)
def test_a_branch_alone_is_its_own_distribution(shop: Recommender, name: Any) -> None:
    natural = shop.recommend(HISTORY, k=50)
    alone = shop.recommend(HISTORY, k=50, gate_override={name: 5})
    assert alone.gates == {other: float(other == name) for other in BRANCHES}
    expected = {item.item_id: item.contributions[name] / natural.gates[name] for item in natural.items}
    assert probabilities(alone) == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_overriding_with_the_gates_own_weights_changes_nothing(shop: Recommender) -> None:
    natural = shop.recommend(HISTORY, k=50)
    twice: PerBranch = {name: 2 * weight for name, weight in natural.gates.items()}
    same = shop.recommend(HISTORY, k=50, gate_override=twice)
    assert same.gates == pytest.approx(natural.gates, rel=1e-5)
    assert probabilities(same) == pytest.approx(probabilities(natural), rel=1e-4)


def test_the_gates_history_is_what_the_gate_said_whatever_replaces_it_now(shop: Recommender) -> None:
    assert shop.recommend(HISTORY, gate_override={"semantic": 1}).gate_history == shop.recommend(HISTORY).gate_history


def test_what_was_asked_before_changes_no_answer(shop: Recommender) -> None:
    asked: list[dict[str, Any]] = [
        {},
        {"gate_override": {"frequency": 1}, "spectrum": False},
        {"band_mask": [(2, 9)]},
        {"band_mask": [(2, 9)], "gate_override": {"semantic": 1}},
        {"k": 3, "exclude_seen": True},
    ]
    histories = [HISTORY, HISTORY[::-1], [*HISTORY, "~Jam of wild strawberries"], [*HISTORY, "~Nails"]]
    used = Recommender(shop.checkpoint)
    for _ in range(2):
        for history in histories:
            for options in asked:
                anew = Recommender(shop.checkpoint).recommend(history, **options)
                assert used.recommend(history, **options) == anew


@pytest.mark.parametrize("override", [{"temporal": math.nan}, {"temporal": -1}, {"rhythm": 1}, {"semantic": 0}, [1, 2]])
def test_weights_that_are_none_are_refused(shop: Recommender, override: Any) -> None:
    with pytest.raises(InputError, match="gate_override must give temporal, frequency, semantic"):
        shop.recommend(HISTORY, gate_override=override)


def test_very_large_weights_are_weights_too(shop: Recommender) -> None:
    large = shop.recommend(HISTORY, gate_override={"temporal": 1e308, "frequency": 1e308, "semantic": 1e308})
    assert large.gates == pytest.approx(dict.fromkeys(BRANCHES, 1 / 3))


# ── muted bands ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_muting_a_band_changes_the_frequency_branch_alone(shop: Recommender) -> None:
    natural, muted = (shop.recommend(HISTORY * 4, k=50, band_mask=mask) for mask in (None, [(2, 14)]))
    for name in BRANCHES:
        before, after = (
            {item.item_id: item.contributions[name] / answer.gates[name] for item in answer.items}
            for answer in (natural, muted)
        )
        if name == "frequency":
            assert before != pytest.approx(after, rel=1e-2, abs=1e-5)
        else:
            assert before == pytest.approx(after, rel=1e-3, abs=1e-6)


def test_a_muted_band_has_no_gain_at_its_period(shop: Recommender) -> None:
    natural, muted = (shop.recommend(HISTORY * 8, band_mask=mask).spectrum for mask in (None, [(2, 14)]))
    assert natural is not None
    assert muted is not None
    assert muted.power == natural.power
    assert muted.filter_gain != natural.filter_gain


def test_with_every_band_muted_the_filter_passes_nothing(shop: Recommender) -> None:
    muted = shop.recommend(HISTORY * 8, band_mask=[(1, math.inf)]).spectrum
    assert muted is not None
    assert set(muted.filter_gain) == {0.0}


def test_a_band_without_a_filter_in_it_mutes_nothing(shop: Recommender) -> None:
    assert shop.recommend(HISTORY, band_mask=[(8, 13)]) == shop.recommend(HISTORY)
    assert shop.recommend(HISTORY, band_mask=[]) == shop.recommend(HISTORY)


def test_two_bands_are_muted_as_one_that_covers_both(shop: Recommender) -> None:
    assert shop.recommend(HISTORY * 4, band_mask=[(2, 2), (3, 4)]) == shop.recommend(HISTORY * 4, band_mask=[(2, 6)])


@pytest.mark.parametrize("mask", [[(5, 2)], [(0, 3)], [(math.nan, 2)], (2, 3), 7, "23"])
def test_a_mask_that_is_none_is_refused(shop: Recommender, mask: Any) -> None:
    with pytest.raises(InputError, match=r"pairs? of periods in interactions"):
        shop.recommend(HISTORY, band_mask=mask)


# ── the spectrum ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_spectrum_shows_the_rhythm_of_the_history(shop: Recommender) -> None:
    spectrum = shop.recommend(["i00", "i08", "i16", "i21", "i25"] * 8).spectrum
    assert spectrum is not None
    assert spectrum.significant[0] == 5.0
    assert spectrum.period == [float(period) for period in range(2, 21)]
    assert {len(part) for part in (spectrum.power, spectrum.threshold, spectrum.filter_gain)} == {19}
    assert max(spectrum.filter_gain) == pytest.approx(1.0)


def test_a_short_history_has_an_empty_spectrum_and_on_request_there_is_none(shop: Recommender) -> None:
    short = shop.recommend(HISTORY[:3]).spectrum
    assert short is not None
    assert short.period == short.power == short.threshold == short.filter_gain == []
    assert shop.recommend(HISTORY, spectrum=False).spectrum is None


# ── titles that live on the user's machine ──


def test_titles_that_may_not_be_shipped_are_those_of_the_data_on_this_machine(
    shop: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop.with_titles() is shop  # they are shipped
    own = replace(shop.checkpoint, config=shop.config.model_copy(update={"titles": "local"}))
    local = Recommender(own)
    monkeypatch.setattr("m2rec.data.sources.registry.titles_for", lambda source, ids: None)
    assert local.with_titles() is local
    table = pd.DataFrame({"item": [item.item_id for item in shop.items], "text": "", "group": "films"})
    table["title"] = "Film " + table["item"]
    monkeypatch.setattr("m2rec.data.sources.registry.titles_for", lambda source, ids: table)
    titled = local.with_titles()
    assert titled.items[0].title == f"Film {shop.items[0].item_id}"
    assert titled.recommend([titled.items[0].title]).items[0].group == "films"


# ── ties ────────────────────────────────────────────────────────────────────────────────────────────────────────


def world_of_equals(ids: Sequence[str]) -> Recommender:
    """A shop in which every item is as probable as every other, and nothing is due."""
    checkpoint = tiny_checkpoint(branches=("temporal", "semantic"))
    weights = {
        name: np.zeros_like(tensor)
        if name in {"ids", "bias", "text"} or name.endswith(("repeat_bias", "newest_bias"))
        else tensor
        for name, tensor in checkpoint.weights.items()
    }
    return Recommender(replace(checkpoint, weights=weights, items=[Item(item_id) for item_id in ids]))


@pytest.mark.parametrize("history", [[], ["7"]])
def test_equally_probable_items_stand_in_the_order_of_their_popularity(history: list[str]) -> None:
    ids = ["10", "9", "b", "a", "100", "²", *(str(number) for number in range(200, 222)), "7", "12"]
    answer = world_of_equals(ids).recommend(history, k=6)
    assert [item.item_id for item in answer.items] == ids[:6]


# ── influence ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_influence_is_what_an_unknown_item_in_its_place_takes_from_the_log_probability(
    shop: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Middling:
        def encode(self, texts: Sequence[str]) -> Any:
            return shop.model.text[1:].mean(0, keepdim=True).numpy()

    def log_probability(history: list[str]) -> float:
        return math.log(probabilities(shop.recommend(history, k=50))["i06"])

    monkeypatch.setattr(shop.inventions, "encoder", Middling())
    whole = log_probability(HISTORY)
    expected = [
        whole - log_probability(["~unknown" if other == entry else other for other in HISTORY]) for entry in HISTORY
    ]
    assert shop.influence(HISTORY, "Sourdough loaf") == pytest.approx(expected, abs=1e-4)


def test_of_an_only_item_there_is_nothing_to_compare(shop: Recommender) -> None:
    assert shop.influence(["Oat milk"], "Cocoa") == [0.0]
    assert shop.influence([], "Cocoa") == []


def test_influence_reads_as_much_of_a_history_as_an_answer_does(shop: Recommender) -> None:
    long = ["Ground coffee"] * 5 + HISTORY * 7 + ["Popcorn"] * 5
    assert len(shop.influence(long, "Cocoa")) == MAX_HISTORY
    # what is too old to be read was chosen again later, so it makes no difference
    assert shop.influence(long, "Cocoa") == shop.influence(long[-MAX_HISTORY:], "Cocoa")


def test_influence_of_an_invention_is_measured_like_any_other(shop: Recommender, encoder: Any) -> None:
    found = shop.influence(["i00", "~jam", "i05"], "Cocoa")
    assert len(found) == 3
    assert all(math.isfinite(value) and value != 0 for value in found)


def test_influence_stays_finite_where_a_probability_is_too_small_for_a_float(shop: Recommender) -> None:
    checkpoint = tiny_checkpoint(branches=("temporal", "semantic"))
    weights = {name: tensor.copy() for name, tensor in checkpoint.weights.items()}
    for branch in ("temporal", "semantic"):
        weights[f"{branch}.softmax.log_temperature"].fill(5.0)
    sharp = Recommender(replace(checkpoint, weights=weights))
    assert 0.0 in probabilities(sharp.recommend(HISTORY, k=50)).values()  # the case is met
    for item in tiny_items():
        assert all(math.isfinite(value) for value in sharp.influence(HISTORY, item.item_id))


def test_influence_on_an_unknown_item_is_refused(shop: Recommender) -> None:
    with pytest.raises(InputError, match="is not in this world"):
        shop.influence(HISTORY, "zzzz")


# ── the catalogue ───────────────────────────────────────────────────────────────────────────────────────────────


def test_items_and_search_are_the_catalogues(shop: Recommender) -> None:
    assert [item.item_id for item in shop.items] == [item.item_id for item in tiny_items()]
    assert shop.search("coffee") == shop.catalogue.search("coffee")
    assert len(shop.search("", limit=3)) == 3


# ── loading and saving ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_saved_world_answers_as_before(shop: Recommender, tmp_path: Path) -> None:
    shop.save_pretrained(tmp_path / "again")
    # the world in use may go on from the beginning of a history that it has read before, which rounds differently
    again, before = (world.recommend(HISTORY) for world in (Recommender.from_pretrained(str(tmp_path / "again")), shop))
    assert [item.item_id for item in again.items] == [item.item_id for item in before.items]
    assert probabilities(again) == pytest.approx(probabilities(before), rel=1e-5)


def test_saving_onto_a_full_disk_leaves_the_old_world_whole(
    shop: Recommender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.save_pretrained(tmp_path / "world")
    before = {path.name: path.read_bytes() for path in (tmp_path / "world").iterdir()}

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CheckpointError, match="No space left on device"):
        shop.save_pretrained(tmp_path / "world")
    assert {path.name: path.read_bytes() for path in (tmp_path / "world").iterdir()} == before


def test_a_folder_that_is_not_there_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"There is no checkpoint folder \S*nowhere; give a folder"):
        Recommender.from_pretrained(tmp_path / "nowhere")


def test_an_empty_folder_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        Recommender.from_pretrained(tmp_path)


def test_titles_from_the_users_machine_take_the_place_of_ids(tiny_world: Path) -> None:
    checkpoint = Checkpoint.load(tiny_world)
    bare = replace(checkpoint, items=[Item(item.item_id) for item in checkpoint.items])
    assert Recommender(bare).items[0].title == "Item i00"
    assert Recommender(bare, tiny_items()).items[0].title == "Ground coffee"


def test_titles_of_other_items_are_refused(tiny_world: Path) -> None:
    with pytest.raises(CheckpointError, match="The titles given for tiny-shop are not those of its items"):
        Recommender(Checkpoint.load(tiny_world), list(reversed(tiny_items())))


def test_the_package_offers_the_recommender_and_nothing_it_does_not_have() -> None:
    import m2rec

    assert m2rec.Recommender is Recommender
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = m2rec.nothing_of_the_kind


# ── other gates ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("changes", [{"gate": "features"}, {"gate": "equal"}, {"branches": ("temporal", "semantic")}])
def test_worlds_with_another_gate_answer_and_add_up_too(changes: dict[str, Any]) -> None:
    world = Recommender(tiny_checkpoint(**changes))
    assert world.config.model == tiny_config(**changes)
    answer = world.recommend(HISTORY, k=50)
    assert close(sum(item.probability for item in answer.items), 1)
    assert all(close(sum(item.contributions.values()), item.probability) for item in answer.items)
    assert close(sum(answer.gates.values()), 1)


def test_the_weights_are_in_memory_once(shop: Recommender) -> None:
    """The mixin takes a checkpoint for a configuration, and would keep a copy of it."""
    assert not shop._hub_mixin_config
