import pytest
from pydantic import ValidationError

from m2rec.model.config import ModelConfig, ModelSettings


def test_settings_survive_json() -> None:
    config = ModelConfig(items=9, warm_items=7, periods=(2, 9), branches=("semantic",), gate="equal")
    assert ModelConfig.model_validate_json(config.model_dump_json()) == config


def test_settings_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        ModelSettings().width = 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"warm_items": 11}, r"warm_items \(11\) cannot exceed items \(10\)"),
        ({"items": 0, "warm_items": 0}, "greater than 0"),
        ({"branches": ()}, "at least one branch"),
        ({"branches": ("temporal", "temporal")}, "at most once"),
        ({"branches": ("visual",)}, "'temporal', 'frequency' or 'semantic'"),
        ({"filter_length": 20, "periods": (7, 28)}, r"filter_length \(20\) must reach the longest period \(28\)"),
        ({"periods": (1,)}, "greater than or equal to 2"),
        ({"filter_length": 1, "periods": ()}, "greater than or equal to 2"),
        ({"periods": (), "trend_scales": ()}, "at least one band"),
        ({"time_scales": ()}, "at least 1 item"),
        ({"taste_scales": ()}, "at least 1 item"),
        ({"time_scales": (2.0, 0.0)}, "greater than 0"),
        ({"time_scales": (float("nan"),)}, "finite number"),
        ({"agreement_scale": float("inf")}, "finite number"),
        ({"conv_width": 1}, "greater than or equal to 2"),
        ({"dropout": 1.0}, "less than 1"),
        ({"id_dropout": -0.1}, "greater than or equal to 0"),
        ({"gate": "largest"}, "'distributions', 'features' or 'equal'"),
        ({"widht": 64}, "Extra inputs are not permitted"),
    ],
)
def test_settings_that_make_no_network_are_refused(change: dict, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        ModelConfig.model_validate({"items": 10, "warm_items": 5} | change)


def test_every_catalogue_may_be_warm() -> None:
    assert ModelConfig(items=10, warm_items=10).warm_items == 10
