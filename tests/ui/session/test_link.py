import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.errors import InputError
from m2rec.ui.session.link import from_link, to_link
from m2rec.ui.session.state import State

ids = st.text(min_size=1, max_size=12)
states = st.builds(
    State,
    world=ids,
    history=st.lists(ids, max_size=30).map(tuple),
    k=st.integers(1, 50),
    exclude_seen=st.booleans(),
    gate_override=st.none() | st.just({"temporal": 0.2, "frequency": 0.5, "semantic": 0.3}),
    band_mask=st.sampled_from([(), ((2.0, 3.5),), ((6.0, 8.0), (13.0, 15.0))]),
    lesson=st.none() | st.just("two-cycles"),
    theme=st.sampled_from(["auto", "light", "dark"]),
)


@given(states)
def test_a_link_restores_exactly_the_state_it_was_made_from(state: State) -> None:
    text = to_link(state)
    assert from_link(text) == state
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@given(st.text(max_size=60))
def test_any_text_that_is_not_a_link_is_refused_in_words(text: str) -> None:
    with pytest.raises(InputError):
        from_link(text)


@given(states, st.data())
def test_a_link_cut_short_is_refused(state: State, data: st.DataObject) -> None:
    text = to_link(state)
    with pytest.raises(InputError):
        from_link(text[: data.draw(st.integers(0, len(text) - 2))])


def test_a_link_of_another_version_says_so() -> None:
    with pytest.raises(InputError, match="version 9"):
        from_link("9." + to_link(State(world="w")).partition(".")[2])


def test_a_small_link_that_unpacks_without_end_is_refused() -> None:
    bomb = base64.urlsafe_b64encode(zlib.compress(b'{"world":"' + b"a" * 5_000_000 + b'"}', 9)).decode().rstrip("=")
    with pytest.raises(InputError):
        from_link("1." + bomb)
