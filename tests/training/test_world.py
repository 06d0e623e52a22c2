"""From a world's settings to its model, and from a finished run to its checkpoint."""

import pytest

from m2rec.data.repeats import repeat_log_odds
from m2rec.data.settings import DataSettings
from m2rec.model.config import ModelSettings
from m2rec.training.resume import EpochReport, Progress
from m2rec.training.trained import Trained
from m2rec.training.world import as_checkpoint, new_model
from m2rec.worlds.settings import WorldSettings
from tests.training.small import SHAPE, small_model, small_prepared


def world(**changes: object) -> WorldSettings:
    shape = {name: value for name, value in SHAPE.items() if name in ModelSettings.model_fields}
    model = ModelSettings.model_validate(shape | changes)
    return WorldSettings(name="small", description="Small", data=DataSettings(source="rhythm-market"), model=model)


@pytest.mark.parametrize("learned", [True, False])
def test_the_repeat_bias_starts_from_the_training_part(learned: bool) -> None:
    prepared = small_prepared()
    model = new_model(world(repeat_bias=learned), prepared)
    start = repeat_log_odds(prepared)
    assert start < -1  # these users seldom come round to an item again
    found = [one.item() for name, one in model.named_parameters() if name.endswith("repeat_bias")]
    assert found == pytest.approx([start if learned else 0.0] * len(found))
    assert found


def test_a_checkpoint_records_the_validation_of_its_best_epoch() -> None:
    scores = [0.1, 0.3, 0.2]
    reports = [
        EpochReport(epoch=place, loss=1.0, validation={"NDCG@10": score, "HR@10": score}, seconds=1.0)
        for place, score in enumerate(scores, start=1)
    ]
    trained = Trained(
        small_model(), Progress(key="k", epochs=reports, best_epoch=2, best_score=0.3), "cpu", True, "abc"
    )
    made = as_checkpoint(world(), small_prepared(), trained, "train")
    assert made.config.training.validation == {"NDCG@10": 0.3, "HR@10": 0.3}
    assert (made.config.training.epochs, made.config.training.best_epoch) == (3, 2)
    assert made.config.training.git_revision == "abc"
    assert "3, best after 2; stopped by hand before validation stalled" in made.card
