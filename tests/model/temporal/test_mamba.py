import functools

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from m2rec.model.m2rec import M2Rec
from m2rec.model.temporal import mamba as temporal
from m2rec.model.temporal.mamba import MultiScaleMamba, TemporalBranch
from tests.model.conftest import MambaSsm
from tests.model.histories import WARM, random_histories
from tests.tiny_world import random_model, tiny_config

SCALES = (2.0, 16.0, 128.0)


def layer(**changes: object) -> MultiScaleMamba:
    return random_model(tiny_config(**changes)).temporal.layers[0]


# ── time constants ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_model_has_the_time_constants_of_its_settings() -> None:
    config = tiny_config(time_scales=SCALES, heads_per_scale=2, temporal_layers=2)
    for mamba in M2Rec(config).temporal.layers:
        expected = torch.tensor(SCALES).repeat_interleave(2)
        torch.testing.assert_close(mamba.time_constants(), expected, rtol=1e-3, atol=0)


@pytest.mark.parametrize("scale", [0.005, 0.5, 1e4])
def test_extreme_time_scales_can_be_laid_too(scale: float) -> None:
    constants = MultiScaleMamba(tiny_config(time_scales=(scale,))).time_constants()
    torch.testing.assert_close(constants, torch.tensor([scale]), rtol=1e-3, atol=0)


def test_content_starts_with_little_say_over_how_long_is_remembered() -> None:
    model = M2Rec(tiny_config(time_scales=SCALES), F.normalize(torch.randn(31, 384), dim=-1)).eval()
    mamba = model.temporal.layers[0]
    u = F.embedding(random_histories(4, 20), model.item_table().inputs)
    dt = mamba._project(model.temporal.norms[0](u))[2]
    in_force = 1 / (dt * mamba.A_log.exp())  # (B, L, H)
    ratio = in_force / torch.tensor(SCALES)
    assert ratio.min() > 0.6
    assert ratio.max() < 1.6


def test_the_time_constants_stay_far_apart_through_the_first_steps_of_training() -> None:
    model = M2Rec(tiny_config(time_scales=SCALES), F.normalize(torch.randn(31, 384), dim=-1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for seed in range(5):
        items = random_histories(8, 15, seed, highest=WARM)
        loss = model.loss(items[:, :-1], items[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    constants = model.temporal.layers[0].time_constants()
    assert not torch.allclose(constants, torch.tensor(SCALES), rtol=1e-6)  # training did reach them
    torch.testing.assert_close(constants, torch.tensor(SCALES), rtol=0.15, atol=0)


def test_a_head_forgets_an_impulse_at_its_own_time_constant() -> None:
    mamba = MultiScaleMamba(tiny_config(time_scales=SCALES, conv_width=2))
    with torch.no_grad():
        mamba.in_proj.weight[-mamba.heads :] = 0  # Δ by its bias alone
        dt = mamba._project(torch.zeros(1, 40, 16))[2]
        x = torch.zeros(1, 40, mamba.heads, 1)
        x[:, 0] = 1
        ones = torch.ones(1, 40, 1)
        y = temporal.selective_scan(x, dt, -mamba.A_log.exp(), ones, ones)[0, :, :, 0]
    for head, scale in enumerate(SCALES):
        torch.testing.assert_close(y[32, head] / y[0, head], torch.tensor(-32 / scale).exp(), rtol=1e-3, atol=1e-9)


# ── the start of training ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_new_branch_gives_the_newest_item_as_long_as_a_normed_vector(layers: int) -> None:
    config = tiny_config(temporal_layers=layers)
    branch = M2Rec(config).temporal.eval()
    x = F.normalize(torch.randn(2, 9, config.width), dim=-1)
    expected = x * config.width**0.5
    torch.testing.assert_close(branch(x), expected)
    torch.testing.assert_close(branch.last(x, torch.tensor([9, 4])), expected[[0, 1], [8, 3]])
    torch.testing.assert_close(branch.step(x[:, 0], branch.start(2))[0], expected[:, 0])


def test_the_scale_of_the_inputs_is_learned() -> None:
    model = M2Rec(tiny_config(), F.normalize(torch.randn(31, 384), dim=-1))
    items = random_histories(4, 15, highest=WARM)
    model.loss(items[:, :-1], items[:, 1:]).backward()
    assert model.temporal.log_input_scale.grad is not None
    assert model.temporal.log_input_scale.grad != 0


# ── one layer ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_layer_is_mamba_2_as_its_authors_wrote_it(mamba_ssm: MambaSsm, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole block against `mamba_split_conv1d_scan_ref`, whose GPU-only parts are replaced by their references."""
    mamba = layer(heads_per_scale=2)

    def convolve(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, activation: str) -> torch.Tensor:
        assert activation == "silu"
        return F.silu(F.conv1d(F.pad(x, (weight.shape[1] - 1, 0)), weight[:, None], bias, groups=len(weight)))

    gated_norm = functools.partial(mamba_ssm.gated_norm.rms_norm_ref, upcast=True)
    monkeypatch.setattr(mamba_ssm.combined, "causal_conv1d_fn", convolve)
    monkeypatch.setattr(mamba_ssm.combined, "rmsnorm_fn", gated_norm)
    monkeypatch.setattr(mamba_ssm.scan, "selective_scan_fn", mamba_ssm.scan.selective_scan_ref)

    u = torch.randn(2, 70, 16)
    theirs = mamba_ssm.combined.mamba_split_conv1d_scan_ref(
        mamba.in_proj(u),
        mamba.conv.weight[:, 0],
        mamba.conv.bias,
        mamba.dt_bias,
        -mamba.A_log.exp(),
        mamba.D,
        chunk_size=16,
        rmsnorm_weight=mamba.norm.weight,
        rmsnorm_eps=torch.finfo(torch.float32).eps,
        outproj_weight=mamba.out_proj.weight,
        headdim=mamba.head_width,
        norm_before_gate=False,
    )
    torch.testing.assert_close(mamba(u), theirs, atol=1e-4, rtol=1e-4)


def test_the_convolution_is_torchs_own() -> None:
    mamba = layer(conv_width=5)
    padded = torch.randn(3, 20, mamba.conv.in_channels)
    torch.testing.assert_close(
        temporal._depthwise(padded, mamba.conv),
        mamba.conv(padded.transpose(1, 2)).transpose(1, 2),
        atol=1e-5,
        rtol=1e-5,
    )


# ── the branch, three ways ──────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=20)
@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=4), layers=st.integers(1, 2), seed=st.integers(0, 9))
def test_all_positions_the_last_one_and_step_by_step_agree(lengths: list[int], layers: int, seed: int) -> None:
    branch: TemporalBranch = random_model(tiny_config(temporal_layers=layers), seed).temporal
    x = torch.randn(len(lengths), max(lengths), 16, generator=torch.Generator().manual_seed(seed))
    end = torch.tensor(lengths) - 1
    rows = torch.arange(len(lengths))
    whole = branch(x)
    torch.testing.assert_close(branch.last(x, end + 1), whole[rows, end], atol=1e-4, rtol=1e-4)
    state = branch.start(len(lengths))
    for t in range(x.shape[1]):
        y, state = branch.step(x[:, t], state)
        torch.testing.assert_close(y, whole[:, t], atol=1e-4, rtol=1e-4)


def test_the_state_is_as_small_after_many_items_as_after_none(model: M2Rec) -> None:
    state = model.temporal.start(1)
    before = [(part.conv.shape, part.scan.shape) for part in state]
    for _ in range(30):
        _, state = model.temporal.step(torch.randn(1, 16), state)
    assert [(part.conv.shape, part.scan.shape) for part in state] == before


def test_order_matters_to_this_branch(model: M2Rec) -> None:
    items = random_histories(1, 12)
    swapped = items.clone()
    swapped[:, [3, 9]] = items[:, [9, 3]]
    ids = model.item_table().inputs
    change = model.temporal(F.embedding(items, ids))[:, -1] - model.temporal(F.embedding(swapped, ids))[:, -1]
    assert change.abs().max() > 1e-2
