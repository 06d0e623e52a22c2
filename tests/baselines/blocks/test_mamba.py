"""Mamba in plain PyTorch, compared with `mamba_ssm`'s block, and its initial time constants."""

import pytest
import torch
import torch.nn.functional as F

from m2rec.baselines.blocks.mamba import Mamba
from m2rec.baselines.mamba4rec import Mamba4Rec, Mamba4RecSettings
from tests.model.conftest import MambaSsm


def test_the_block_equals_that_of_mamba_ssm(mamba_ssm: MambaSsm, monkeypatch: pytest.MonkeyPatch) -> None:
    simple = pytest.importorskip("mamba_ssm.modules.mamba_simple", reason="needs mamba-ssm (see requirements-gpu.txt)")
    monkeypatch.setattr(simple, "selective_scan_fn", mamba_ssm.scan.selective_scan_ref)
    theirs = simple.Mamba(d_model=32, d_state=8, d_conv=4, expand=2, use_fast_path=False)
    ours = Mamba(32, state=8, conv=4, expand=2)
    names = {"A_log": "A_log", "conv1d.weight": "conv.weight", "conv1d.bias": "conv.bias"}
    weights = {names.get(name, name): tensor for name, tensor in theirs.state_dict().items()}
    ours.load_state_dict(weights | {"A_log": weights["A_log"].flatten()})
    u = torch.randn(2, 17, 32)
    torch.testing.assert_close(ours(u), theirs(u), atol=1e-5, rtol=1e-4)


def test_steps_start_between_a_thousandth_and_a_tenth_also_inside_the_whole_model() -> None:
    for layer in Mamba4Rec(Mamba4RecSettings(layers=2)).layers:
        resting = F.softplus(layer.mamba.dt_proj.bias)
        assert 0.00099 <= resting.min() < 0.005 < 0.05 < resting.max() <= 0.101
        assert layer.mamba.decay_rates()[0].tolist() == pytest.approx([-n for n in range(1, 33)], rel=1e-5)


def test_one_layer_has_no_residual_and_two_have_as_published() -> None:
    """With the block's output at zero, one layer loses its input and two layers keep it."""
    x = torch.randn(1, 5, 64)
    for layers, carried in ((1, False), (2, True)):
        model = Mamba4Rec(Mamba4RecSettings(layers=layers)).eval()
        for layer in model.layers:
            torch.nn.init.zeros_(layer.mamba.out_proj.weight)
        assert bool((model(x).std(1) > 0.01).any()) == carried
