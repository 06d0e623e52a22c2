"""The learning rate over a run, against values computed by hand."""

import pytest

from m2rec.training.schedule import FINAL_FACTOR, lr_factor
from m2rec.training.settings import TrainingSettings

COSINE = TrainingSettings(warmup_steps=10, schedule="cosine")


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
def test_it_rises_evenly_to_the_full_rate(schedule: str) -> None:
    settings = COSINE.model_copy(update={"schedule": schedule})
    assert [lr_factor(step, 110, settings) for step in (0, 4, 9, 10)] == pytest.approx([0.1, 0.5, 1.0, 1.0])


def test_a_cosine_is_flat_at_both_ends_and_half_way_down_in_the_middle() -> None:
    at = {step: lr_factor(step, 110, COSINE) for step in (20, 60, 100, 110, 500)}
    assert at[60] == pytest.approx((1 + FINAL_FACTOR) / 2)
    assert at[20] == pytest.approx(1 - (1 - FINAL_FACTOR) * 0.024472, abs=1e-5)  # a tenth of the way: (1 - cos 18°) / 2
    assert at[100] - FINAL_FACTOR == pytest.approx(1 - at[20])
    assert at[110] == at[500] == pytest.approx(FINAL_FACTOR)


def test_a_constant_rate_stays() -> None:
    settings = COSINE.model_copy(update={"schedule": "constant"})
    assert {lr_factor(step, 110, settings) for step in (10, 60, 109)} == {1.0}
