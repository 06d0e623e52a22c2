import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.branches import BRANCHES
from m2rec.errors import InputError
from m2rec.ui.session import actions
from m2rec.ui.session.link import from_link, to_link
from m2rec.ui.session.state import HISTORY_LIMIT, LONGEST_LINK, UNDO_LIMIT, Session, State
from m2rec.ui.web.validation import LARGEST_BODY

ABC = State(world="w", history=("a", "b", "c"))
histories = st.lists(st.sampled_from("abcdef"), min_size=2, max_size=40).map(tuple)


def test_an_added_item_is_the_newest_unless_a_place_is_named() -> None:
    assert actions.add(ABC, "d").history == ("a", "b", "c", "d")
    assert actions.add(ABC, "d", at=1).history == ("a", "d", "b", "c")


def test_removing_and_moving_concern_one_position_only() -> None:
    assert actions.remove(ABC, 1).history == ("a", "c")
    assert actions.move(ABC, 0, 2).history == ("b", "c", "a")
    assert actions.move(ABC, 2, 0).history == ("c", "a", "b")


def test_dates_belong_to_places_and_a_new_place_has_none() -> None:
    dated = State(world="w", history=("a", "b", "c"), days=(10, 11, 18))
    assert actions.add(dated, "d", at=1).days == (10, None, 11, 18)
    assert actions.remove(dated, 0).days == (11, 18)
    assert actions.move(dated, 0, 2).days == actions.shuffle(dated).days == dated.days
    assert actions.keep(dated, 2).days == (11, 18)
    assert actions.append(dated, ("d",)).days == (10, 11, 18, None)
    assert actions.append(ABC, ("d",), (4,)).days == (None, None, None, 4)
    assert actions.append(ABC, ("d",)).days == actions.replace(dated, ("x",)).days == actions.clear(dated).days == ()


@pytest.mark.parametrize("at", [-1, 3])
def test_a_position_outside_the_history_is_refused(at: int) -> None:
    for act in (actions.remove, lambda state, place: actions.move(state, place, 0)):
        with pytest.raises(InputError, match="position"):
            act(ABC, at)


def test_a_repeated_item_is_due_next() -> None:
    state = actions.repeat(State(world="w", history=tuple("abcdefgh")), "x", every=3)
    assert state.history == ("a", "b", "x", "d", "e", "x", "g", "h")  # places 2 and 5; the next would be 8


@pytest.mark.parametrize("every", [1, 4])
def test_a_repeat_that_does_not_fit_is_refused(every: int) -> None:
    with pytest.raises(InputError):
        actions.repeat(ABC, "x", every)


@given(histories)
def test_shuffling_keeps_the_items_and_is_the_same_every_time(history: tuple[str, ...]) -> None:
    state = State(world="w", history=history)
    once = actions.shuffle(state)
    assert sorted(once.history) == sorted(history)
    assert once == actions.shuffle(state)


def test_overriding_one_weight_keeps_the_proportion_of_the_others() -> None:
    state = actions.override(ABC, {"temporal": 0.6, "frequency": 0.1, "semantic": 0.3}, "frequency", 0.7)
    assert state.gate_override == pytest.approx({"temporal": 0.2, "frequency": 0.7, "semantic": 0.1})
    alone = actions.override(ABC, {"temporal": 0.0, "frequency": 1.0, "semantic": 0.0}, "frequency", 0.5)
    assert alone.gate_override == pytest.approx({"temporal": 0.25, "frequency": 0.5, "semantic": 0.25})


@given(weight=st.integers(0, 1000), others=st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_a_weight_set_by_hand_is_kept_to_the_last_digit_and_the_sum_is_one(weight: int, others: list[float]) -> None:
    current = dict(zip(BRANCHES, others, strict=True))
    found = actions.override(ABC, current, "frequency", weight / 1000).gate_override
    assert found is not None
    assert found["frequency"] == weight / 1000
    assert sum(round(share * 1e6) for share in found.values()) == 1_000_000


@given(st.lists(st.sampled_from(["add", "shuffle", "remove", "clear"]), max_size=12))
def test_undoing_everything_leads_back_and_redoing_everything_leads_forth(names: list[str]) -> None:
    session = Session(state=ABC)
    for name in names:
        state = session.state
        if name == "add":
            state = actions.add(state, "x")
        elif name == "remove" and state.history:
            state = actions.remove(state, 0)
        elif name in ("shuffle", "clear"):
            state = getattr(actions, name)(state)
        session = actions.step(session, state)
    last, steps = session.state, len(session.undo)
    for _ in range(steps):
        session = actions.undo(session)
    assert session.state == ABC
    assert actions.undo(session) == session
    for _ in range(steps):
        session = actions.redo(session)
    assert session.state == last


def test_undo_leaves_the_theme_alone_and_a_new_step_ends_the_redo() -> None:
    session = actions.step(Session(state=ABC), actions.clear(ABC))
    session = session.model_copy(update={"state": session.state.replace(theme="dark")})
    back = actions.undo(session)
    assert back.state.history == ABC.history
    assert back.state.theme == "dark"
    assert back.redo
    assert not actions.step(back, actions.add(back.state, "z")).redo


def test_the_past_is_kept_up_to_its_limit() -> None:
    session = Session(state=ABC)
    for _ in range(UNDO_LIMIT + 5):
        session = actions.step(session, actions.add(session.state, "x"))
    assert len(session.undo) == UNDO_LIMIT


def _ids(count: int, length: int) -> tuple[str, ...]:
    """Item ids that nothing compresses."""
    dice = random.Random(3)
    return tuple("".join(dice.choices("0123456789abcdef-ghijklmnopqrstuvwxyz", k=length)) for _ in range(count))


def test_the_longest_history_of_a_shop_with_random_ids_can_be_changed_shared_and_undone() -> None:
    state = State(world="w", history=tuple(str(uuid.UUID(int=random.Random(i).getrandbits(128))) for i in range(4000)))
    assert len(state.history) == HISTORY_LIMIT
    session = actions.step(Session(state=state), actions.remove(state, 0))
    assert from_link(to_link(session.state)) == session.state
    assert actions.undo(session).state == state


def test_what_is_too_long_for_a_link_is_refused_and_can_still_be_made_shorter() -> None:
    long = State(world="w", history=_ids(HISTORY_LIMIT, 90))
    assert len(to_link(long)) > LONGEST_LINK
    with pytest.raises(InputError, match="too long for a link"):
        actions.step(Session(state=ABC), long)
    shorter = actions.step(Session(state=long), actions.remove(long, 0))
    assert len(shorter.state.history) == HISTORY_LIMIT - 1
    assert shorter.undo == ()  # no link could bring the longer one back
    assert actions.step(shorter, actions.clear(shorter.state)).state.history == ()


def test_many_steps_of_long_histories_still_fit_into_a_request() -> None:
    session = Session(state=State(world="w", history=_ids(HISTORY_LIMIT, 44)))
    assert len(to_link(session.state)) * UNDO_LIMIT > LARGEST_BODY
    for _ in range(UNDO_LIMIT):
        session = actions.step(session, actions.remove(session.state, 0))
    assert 10 < len(session.undo) < UNDO_LIMIT
    assert len(session.model_dump_json()) < LARGEST_BODY
    assert actions.undo(session).state.history[1:] == session.state.history


def test_a_new_history_resets_muted_bands_and_gate_weights() -> None:
    state = ABC.replace(band_mask=((2, 3),), gate_override={"temporal": 1, "frequency": 0, "semantic": 0}, period=7)
    assert actions.replace(state, ["q"]) == State(world="w", history=("q",))


def test_overlapping_mutes_become_one_band() -> None:
    state = actions.mute(actions.mute(actions.mute(ABC, 2, 4), 10, 14), 3, 6)
    assert state.band_mask == ((10, 14), (2, 6))
    assert actions.mute(state, 5, 11).band_mask == ((2, 14),)


def test_a_list_at_the_end_keeps_the_gate_and_the_muted_bands_and_must_fit() -> None:
    asked = actions.mute(actions.override(ABC, dict.fromkeys(BRANCHES, 1 / 3), "frequency", 0.9), 6, 8)
    longer = actions.append(asked, ["d", "e"], [3, 4])
    assert longer.history == ("a", "b", "c", "d", "e")
    assert longer.days == (None, None, None, 3, 4)
    assert (longer.gate_override, longer.band_mask) == (asked.gate_override, asked.band_mask)
    with pytest.raises(InputError, match="more than 4000 items together"):
        actions.append(longer, ["d"] * HISTORY_LIMIT)


def test_undo_leaves_a_lesson_that_was_opened_in_between() -> None:
    opened = actions.step(Session(state=ABC), State(world="other", history=("x",), lesson="noise"))
    advanced = opened.model_copy(update={"state": opened.state.replace(lesson_step=1)})
    changed = actions.step(advanced, actions.add(advanced.state, "y"))
    assert actions.undo(changed).state == advanced.state  # in the same lesson, which stays as far as it is
    assert actions.undo(actions.undo(changed)).state == ABC
    assert actions.redo(actions.undo(advanced)).state.lesson == "noise"
