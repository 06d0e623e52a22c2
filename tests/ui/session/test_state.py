import pytest

from m2rec.errors import InputError
from m2rec.recommend.validation import checked
from m2rec.ui.session.state import State


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("k", 0, "k"),
        ("k", 51, "k"),
        ("world", "", "world"),
        ("gate_override", {"temporal": float("nan"), "frequency": 1, "semantic": 0}, "finite"),
        ("gate_override", {"temporal": 0, "frequency": 0, "semantic": 0}, "above 0"),
        ("gate_override", {"temporal": 1, "frequency": -1, "semantic": 1}, "of 0 or more"),
        ("band_mask", [(7, 3)], "low and high"),
        ("band_mask", [(1, float("inf"))], "finite"),
        ("history", ["x"] * 4001, "history"),
        ("colour", "red", "colour"),
        ("days", [3], "one date or null"),
    ],
)
def test_a_value_that_is_not_allowed_is_named_in_one_sentence(field: str, value: object, word: str) -> None:
    with pytest.raises(InputError) as caught:
        checked(State, {"world": "w", field: value})
    assert word in str(caught.value)
    assert str(caught.value).endswith(".")


def test_an_override_is_stored_as_shares_of_one() -> None:
    state = State(world="w", gate_override={"temporal": 1, "frequency": 3, "semantic": 0})
    assert state.gate_override == {"temporal": 0.25, "frequency": 0.75, "semantic": 0}


def test_a_changed_copy_is_checked_and_the_original_stays() -> None:
    state = State(world="w", k=5)
    assert state.replace(k=6).k == 6
    assert state.k == 5
    with pytest.raises(InputError):
        state.replace(k=500)
