import json
from itertools import product
from typing import Any

import pytest

from m2rec.inference.registry import expected_shapes
from m2rec.model.config import ModelConfig
from m2rec.model.m2rec import M2Rec
from tests.places import CHECKPOINTS
from tests.tiny_world import tiny_config

VARIANTS = [
    {"frequency": frequency, "semantic": semantic, "gate": gate}
    for frequency, semantic, gate in product(
        ("periodic", "spectral"), ("means", "themes"), ("distributions", "features", "equal")
    )
]
OTHERS: list[dict[str, Any]] = [
    {"frequency": "spectral", "filter": "low-pass"},
    {"temporal_layers": 3, "heads_per_scale": 2, "head_width": 4, "conv_width": 3},
    {"semantic_by_text": False, "temporal_input": "vectors", "expansion": 2},
    {"branches": ("temporal", "semantic"), "repeat_bias": False, "adaptive_filter": False},
    {"periods": (2, 5), "trend_scales": (3.0,), "taste_scales": (2.0, 4.0, 8.0), "theme_count": 5, "text_width": 7},
]


def shapes_of(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in M2Rec(config).state_dict().items()}


@pytest.mark.parametrize("changes", [*VARIANTS, *OTHERS], ids=str)
def test_names_and_shapes_are_those_of_the_network(changes: dict[str, Any]) -> None:
    config = tiny_config(**changes)
    assert expected_shapes(config) == shapes_of(config)


@pytest.mark.parametrize("name", ["rhythm-market", "ml-1m"])
def test_the_shipped_worlds_have_the_shapes_of_the_network(name: str) -> None:
    content = json.loads((CHECKPOINTS / name / "config.json").read_text("utf-8"))
    config = ModelConfig.model_validate(content["model"])
    assert expected_shapes(config) == shapes_of(config)
