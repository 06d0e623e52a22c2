"""Mamba in plain PyTorch against `mamba_ssm`'s own block, and the time constants that must survive."""

import pytest
import torch
import torch.nn.functional as F

from m2rec.baselines import mamba as module
from m2rec.baselines.mamba import Mamba, scan_through, selective_scan, selective_scan_last
from m2rec.baselines.mamba4rec import Mamba4Rec, Mamba4RecSettings
from tests.model.conftest import MambaSsm


def inputs(length: int = 21) -> tuple[torch.Tensor, ...]:
    """x, Δ, A, B, C with D = 6 and N = 4."""
    x, dt = torch.randn(2, 3, length, 6)
    B, C = torch.randn(2, 3, length, 4)
    return x, F.softplus(dt), -torch.rand(6, 4) * 4, B, C


def test_a_step_worked_out_by_hand() -> None:
    x, dt = torch.tensor([2.0, 3.0]).view(1, 2, 1), torch.tensor([1.0, 0.5]).view(1, 2, 1)
    A = torch.tensor([[-2.0]])
    B, C = torch.tensor([1.0, 4.0]).view(1, 2, 1), torch.tensor([1.0, 10.0]).view(1, 2, 1)
    # h₁ = 1·1·2 = 2;  h₂ = e^(−0.5·2)·2 + 0.5·4·3 = 2/e + 6
    expected = torch.tensor([2.0, 10 * (2 / torch.e + 6)])
    torch.testing.assert_close(selective_scan(x, dt, A, B, C).flatten(), expected)


def test_the_scan_is_that_of_mamba_ssm(mamba_ssm: MambaSsm) -> None:
    x, dt, A, B, C = inputs()
    by_reference = scan_through(mamba_ssm.scan.selective_scan_ref, x, dt, A, B, C)
    torch.testing.assert_close(selective_scan(x, dt, A, B, C), by_reference, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("at_once", [1, 50, 10**9])
def test_how_much_is_held_at_a_time_changes_nothing(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, dt, A, B, C = inputs()
    whole, last = selective_scan(x, dt, A, B, C), selective_scan_last(x, dt, A, B, C[:, -1])
    monkeypatch.setattr(module, "ELEMENTS_AT_ONCE", {"cpu": at_once})
    torch.testing.assert_close(selective_scan(x, dt, A, B, C), whole)
    torch.testing.assert_close(selective_scan_last(x, dt, A, B, C[:, -1]), last)
    torch.testing.assert_close(last, whole[:, -1], atol=1e-5, rtol=1e-4)


def test_the_block_is_that_of_mamba_ssm(mamba_ssm: MambaSsm, monkeypatch: pytest.MonkeyPatch) -> None:
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
    """With the block's output at nothing, one layer forgets its input and two carry it on."""
    x = torch.randn(1, 5, 64)
    for layers, carried in ((1, False), (2, True)):
        model = Mamba4Rec(Mamba4RecSettings(layers=layers)).eval()
        for layer in model.layers:
            torch.nn.init.zeros_(layer.mamba.out_proj.weight)
        assert bool((model(x).std(1) > 0.01).any()) == carried
