import pytest
from pydantic import ValidationError

from m2rec.branches import BRANCHES
from m2rec.recommend.answer import Answer, RankedItem, Spectrum

SPECTRUM = Spectrum(
    period=[2.0, 3.0, 4.0, 5.0],
    power=[2.0, 3.0, 1.0, 9.0],
    threshold=[2.5, 2.0, 2.0, 3.0],
    filter_gain=[0.1, 1, 0, 0.5],
)


def answer() -> Answer:
    gates = dict(zip(BRANCHES, (0.5, 0.25, 0.25), strict=True))
    item = RankedItem(rank=1, item_id="i1", title='Crème & "nuts" <b>', group="", probability=0.5, contributions=gates)
    return Answer(
        world="toy", history=["i1"], items=[item], gates=gates, gate_history=[gates], spectrum=SPECTRUM, notes=["Mind."]
    )


def test_significant_periods_are_those_above_the_threshold_the_clearest_first() -> None:
    assert SPECTRUM.significant == [5.0, 3.0]  # 9/3 before 3/2


def test_no_period_is_significant_in_an_empty_spectrum() -> None:
    assert Spectrum(period=[], power=[], threshold=[], filter_gain=[]).significant == []


def test_an_answer_survives_json_to_the_last_digit() -> None:
    assert Answer.model_validate_json(answer().model_dump_json()) == answer()


def test_an_answer_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        answer().world = "other"


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        Answer.model_validate(answer().model_dump() | {"gate": {}})
