from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from m2rec.errors import InputError
from m2rec.recommend.validation import checked, must

Count = Annotated[int, Field(ge=1, le=5), must("be a whole number from 1 to 5")]


class Tea(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: Literal["tea"]
    cups: Count


class Milk(BaseModel):
    type: Literal["milk"]


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")
    counts: Annotated[list[Count], Field(max_length=3), must("be a list of at most 3 numbers")] = []
    drink: Annotated[Tea | Milk, Field(discriminator="type")] | None = None
    note: str = ""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"counts": [1, 9]}, "counts.1 must be a whole number from 1 to 5, not 9."),
        ({"counts": [1, 2, 3, 4]}, "counts must be a list of at most 3 numbers, not a list."),
        ({"counts": "many"}, "counts must be a list of at most 3 numbers, not “many”."),
        ({"drink": {"type": "tea"}}, "drink.tea.cups is missing: it must be given."),
        ({"drink": {}}, "drink.type is missing: it must be given."),
        ({"drink": {"type": "soup"}}, "drink.type must be one of 'tea', 'milk', not “soup”."),
        ({"drink": 3}, "drink must be an object with named fields, not 3."),
        ({"colour": 1}, "colour is not a field of this request: leave it out."),
        ({"x" * 100: 1}, "x" * 39 + "… is not a field of this request: leave it out."),
        ({"note": 3}, "note cannot be 3: input should be a valid string."),
        ([], "the request must be an object with named fields, not an empty list."),
        (None, "the request must be an object with named fields, not null."),
    ],
)
def test_an_error_names_its_field_and_what_would_be_right(data: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        checked(Order, data)
    assert str(caught.value) == message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
near = st.fixed_dictionaries({}, optional={"counts": json_values, "drink": json_values, "note": json_values})


@given(near | json_values)
def test_whatever_comes_is_taken_or_refused_in_one_sentence(data: Any) -> None:
    try:
        checked(Order, data)
    except InputError as refusal:
        message = str(refusal)
        assert message.endswith(".")
        assert "\n" not in message
        assert len(message) < 300
