import re

import pytest

from m2rec.branches import BRANCHES, BranchName
from m2rec.data.sources.person import Person
from m2rec.errors import InputError
from m2rec.recommend.search import words_of
from m2rec.ui.panels.history import history
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.render.recurrence import recurrences
from m2rec.ui.render.view import view
from m2rec.ui.session.dispatch import opening
from m2rec.ui.session.presets import make
from m2rec.ui.session.state import Session, State
from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import Worlds
from tests.places import CHECKPOINTS
from tests.ui.fake_recommender import FakeRecommender

RHYTHMS = Worlds.find(CHECKPOINTS).get("rhythm-market")


@pytest.fixture
def toy(worlds: Worlds) -> World:
    return worlds.get("toy-shop")


def test_presets_are_the_same_every_time_and_hold_known_items(toy: World) -> None:
    made = make(toy.recommender, toy.staple)
    assert made == make(FakeRecommender())
    assert len({one.key for one in made}) == len(made) == 9
    for one in made:
        assert set(one.history) <= set(toy.items)
        assert 1 <= len(one.history) <= toy.recommender.max_history


def test_the_first_preset_is_a_weekly_rhythm_that_is_due(toy: World) -> None:
    rhythm = recurrences(toy.presets[0].history)[0]
    assert (rhythm.period, rhythm.due) == (7, 0)


def test_a_world_may_name_what_its_presets_repeat(toy: World) -> None:
    toy.staple = "i33"
    assert recurrences(make(toy.recommender, toy.staple)[0].history)[0].item_id == "i33"


def test_the_longest_history_fills_what_the_model_reads(toy: World) -> None:
    assert len(toy.preset("longest").history) == 200


def test_each_link_of_a_chain_is_what_the_temporal_branch_expects_to_follow(toy: World) -> None:
    chain = toy.preset("chain").history
    assert len(set(chain)) == len(chain)
    answer = toy.recommender.recommend(chain[:-1], k=40, exclude_seen=True)
    assert max(answer.items, key=lambda item: item.contributions["temporal"]).item_id == chain[-1]


def test_only_dates_show_the_rhythm_of_the_calendars_preset(toy: World) -> None:
    chosen = toy.preset("calendar")
    weekly = {day for item_id, day in zip(chosen.history, chosen.days, strict=True) if item_id == chosen.history[0]}
    assert weekly >= set(range(chosen.days[0] or 0, (chosen.days[-1] or 0) + 1, 7))
    assert recurrences(chosen.history) == []


def test_a_real_persons_list_is_offered_where_there_is_one() -> None:
    world = World("toy-shop", FakeRecommender, people=lambda world: (Person(("i00", "i01"), (3, 9)),))
    chosen = world.preset("person")
    assert (chosen.history, chosen.days) == (("i00", "i01"), (3, 9))


def test_without_a_real_person_a_history_is_drawn_from_the_models_own_answers(toy: World) -> None:
    drawn = toy.preset("sampled").history
    for place in range(1, len(drawn)):
        assert drawn[place] in {item.item_id for item in toy.recommender.recommend(drawn[:place], k=50).items}
    assert len({*drawn}) > len(drawn) / 4  # not the likeliest one again and again
    real = World("toy-shop", FakeRecommender, people=lambda world: (Person(("i00", "i01"), (3, 9)),))
    assert "sampled" not in {one.key for one in real.presets}


def test_films_open_with_a_drawn_history_that_is_said_to_be_made_up() -> None:
    films = World("ml-1m", Worlds.find(CHECKPOINTS).get("ml-1m").load)  # as on a machine without the data
    worlds = Worlds({films.name: films})
    opened = view(PageContext(worlds, films, Session(state=opening(films)), ask(worlds, opening(films))))
    assert films.presets[0].key == "sampled"
    assert opened["opening"]["what"] == "A made-up viewer's 40 films."


SHIPPED = {name: Worlds.find(CHECKPOINTS).get(name) for name in ("rhythm-market", "gift-shop", "ml-1m")}
LED: dict[str, BranchName] = {"weekly": "frequency", "two-rhythms": "frequency", "longest": "frequency"}
LED |= {"shopper-rhythm": "frequency", "chain": "temporal", "shopper-chain": "temporal"}
LED |= {"taste": "semantic", "shopper-taste": "semantic", "new-item": "semantic"}


def share(world: World, key: str, branch: BranchName) -> float:
    """Of the first card's probability, after a preset."""
    first = world.recommender.recommend(world.preset(key).history, k=1).items[0]
    return first.contributions[branch] / first.probability


@pytest.mark.parametrize(("key", "branch"), LED.items())
def test_the_first_card_of_a_preset_is_led_by_the_evidence_in_its_name(key: str, branch: BranchName) -> None:
    assert share(RHYTHMS, key, branch) > 0.5
    assert "evidence leads" not in RHYTHMS.preset(key).about


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize(("key", "branch"), [("chain", "temporal"), ("taste", "semantic"), ("new-item", "semantic")])
def test_where_other_evidence_leads_in_a_world_the_preset_says_which(name: str, key: str, branch: BranchName) -> None:
    world = SHIPPED[name]
    lead = max(BRANCHES, key=lambda other: share(world, key, other))
    other = lead != branch and share(world, key, lead) > 0.5
    assert world.preset(key).about.endswith(f"Here {lead} evidence leads") == other
    assert ("evidence leads" in world.preset(key).about) == other


def test_a_brand_new_item_is_followed_by_something_else_that_is_like_it() -> None:
    history = RHYTHMS.preset("new-item").history
    assert RHYTHMS.recommender.recommend(history, k=1).items[0].item_id not in history


def test_both_of_two_rhythms_stand_out() -> None:
    spectrum = RHYTHMS.recommender.recommend(RHYTHMS.preset("two-rhythms").history, k=1).spectrum
    assert spectrum is not None
    assert {5, 7} <= {round(period) for period in spectrum.significant}


def test_a_made_up_rhythm_that_the_model_does_not_go_by_is_said_to_be_one() -> None:
    worlds = Worlds.find(CHECKPOINTS)
    assert "Made up" not in worlds.get("rhythm-market").preset("weekly").about
    assert "Made up: this world's model does not go by it" in worlds.get("ml-1m").preset("weekly").about


def test_a_single_taste_of_a_catalogue_without_groups_is_of_titles_that_share_a_word() -> None:
    shop = Worlds.find(CHECKPOINTS).get("gift-shop")
    words = [set(words_of(shop.named(item_id))) for item_id in shop.preset("taste").history]
    assert set.intersection(*words)


def test_an_unknown_preset_names_those_there_are(toy: World) -> None:
    with pytest.raises(InputError, match="there are weekly"):
        toy.preset("yearly")


def test_the_brand_new_item_is_one_that_no_training_history_held_and_its_chip_says_so() -> None:
    last = RHYTHMS.preset("new-item").history[-1]
    assert last in RHYTHMS.recommender.never_seen
    worlds = Worlds({RHYTHMS.name: RHYTHMS})
    state = State(world=RHYTHMS.name, history=RHYTHMS.preset("new-item").history)
    html = history(PageContext(worlds, RHYTHMS, Session(state=state), ask(worlds, state)))
    assert html.count("new: the model has never seen it") == 2  # its label, and what pointing at it shows
    assert len(re.findall(r'class="chip[^"]* new"', html)) == 1


def test_where_every_item_was_seen_the_preset_is_of_a_rare_one() -> None:
    class Seen(FakeRecommender):
        never_seen: frozenset[str] = frozenset()

    assert World("toy-shop", Seen).preset("new-item").title == "A rare item"


@pytest.mark.parametrize(("key", "said"), [("weekly", "Fold by 7"), ("noise", "Fold into rows")])
def test_a_chosen_preset_says_what_it_is_and_only_a_rhythm_names_the_rows_to_fold_into(key: str, said: str) -> None:
    worlds = Worlds({RHYTHMS.name: RHYTHMS})
    preset = RHYTHMS.preset(key)
    state = State(world=RHYTHMS.name, history=preset.history)
    html = history(PageContext(worlds, RHYTHMS, Session(state=state), ask(worlds, state), preset=key))
    assert f" · {preset.about}</p>" in html
    assert said in html
