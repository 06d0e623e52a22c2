"""Mamba-2 alone, compared with M2Rec that has only its temporal branch."""

import torch

from m2rec.baselines.mamba2 import Mamba2, Mamba2Settings
from m2rec.baselines.sequential import SequentialBaseline
from m2rec.baselines.vectors import ItemVectors
from m2rec.model.config import ModelConfig
from m2rec.model.m2rec import M2Rec
from tests.baselines.conftest import ITEMS, histories

SHAPE = {"width": 16, "heads_per_scale": 1, "head_width": 8, "state_width": 4, "temporal_layers": 2, "max_length": 40}


def test_it_equals_m2rec_with_only_the_temporal_branch_and_no_texts() -> None:
    config = ModelConfig.model_validate(
        SHAPE
        | {"items": ITEMS, "warm_items": ITEMS, "text_width": 3}
        | {"branches": ("temporal",), "temporal_input": "ids"}
    )
    whole = M2Rec(config)
    alone = SequentialBaseline(Mamba2(Mamba2Settings.model_validate(SHAPE)), ItemVectors(ITEMS, ITEMS, 16), 0.0)
    with torch.no_grad():
        for parameter in whole.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
        head = whole.temporal.softmax
        head.popularity.fill_(1.0)
        alone.items.ids.copy_(whole.ids)
        alone.items.bias.copy_(whole.bias)
        alone.repeat_bias.copy_(head.repeat_bias)
        order = {name: part for name, part in whole.temporal.state_dict().items() if "softmax" not in name}
        alone.encoder.branch.load_state_dict(order)
        alone.encoder.norm.load_state_dict(head.norm.state_dict())
        alone.encoder.log_temperature.copy_(head.log_temperature)
    items = histories()
    for where in (items > 0, torch.arange(items.shape[1]) == (items > 0).sum(-1, keepdim=True) - 1):
        ours, theirs = alone.eval().log_scores(items, where), whole.eval().log_scores(items, where)
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
