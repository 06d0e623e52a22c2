"""Checks typed requests; an error is one sentence: which field, what would be right, what was given.

The page, the endpoints, links and the command line describe their input as pydantic models and read it with `checked`,
so that the same mistake gives the same error everywhere.
"""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError, WrapValidator
from pydantic_core import ErrorDetails, PydanticCustomError

from m2rec.errors import InputError
from m2rec.text_safety import printable, quoted

Model = TypeVar("Model", bound=BaseModel)

MUST = "must"  # the type of the errors that `must` raises


def must(what: str) -> WrapValidator:
    """Annotates a field with what it must do: `Annotated[int, Field(ge=1), must("be a whole number from 1 up")]`.

    Any error of the field itself then has these words; an error deeper inside keeps its own.
    """

    def check(value: Any, handler: Any) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            if any(detail["type"] == MUST for detail in error.errors(include_url=False)):
                raise
        except ValueError:
            pass
        raise PydanticCustomError(MUST, "must {what}", {"what": what})

    return WrapValidator(check)


def checked(kind: type[Model], data: object) -> Model:
    """`data` as a validated model; the first thing wrong with it becomes an InputError of one sentence."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise InputError(_sentence(error.errors(include_url=False)[0])) from error


def _sentence(error: ErrorDetails) -> str:
    where = ".".join(printable(str(part), 40) for part in error["loc"]) or "the request"
    given = quoted(error["input"])
    match error["type"]:
        case "missing" | "union_tag_not_found":
            field = f"{where}.type" if error["type"] == "union_tag_not_found" else where
            return f"{field} is missing: it must be given."
        case "extra_forbidden":
            return f"{where} is not a field of this request: leave it out."
        case "union_tag_invalid":
            return f"{where}.type must be one of {error['ctx']['expected_tags']}, not {quoted(error['ctx']['tag'])}."
        case "model_type" | "dict_type" | "model_attributes_type":
            return f"{where} must be an object with named fields, not {given}."
    why = error["msg"].removeprefix("Value error, ")
    if error["type"] == MUST:
        return f"{where} {why}, not {given}."
    return f"{where} cannot be {given}: {why[0].lower()}{why[1:]}."
