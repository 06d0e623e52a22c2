"""The four ways to run one recurrence against each other, by hand, and against mamba_ssm's own references."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from m2rec.model.temporal.kernels import selective_scan
from m2rec.model.temporal.scan import CHUNK, scan_chunked, scan_last, scan_sequential, scan_step
from tests.model.conftest import MambaSsm

Inputs = tuple[Tensor, Tensor, Tensor, Tensor]  # x, log decay, B, C


def inputs(length: int, seed: int = 0, batch: int = 2, dtype: torch.dtype = torch.float32) -> Inputs:
    """Three heads of width 4 and state width 5; one head forgets at once, one almost never."""
    generator = torch.Generator().manual_seed(seed)
    rate = torch.tensor([3.0, 0.3, 0.003], dtype=dtype)
    draw = torch.rand(batch, length, 3, generator=generator, dtype=dtype)
    x = torch.randn(batch, length, 3, 4, generator=generator, dtype=dtype)
    B, C = torch.randn(2, batch, length, 5, generator=generator, dtype=dtype)
    return x, -rate * draw, B, C


def test_a_recurrence_computed_by_hand() -> None:
    half = torch.tensor(0.5).log()
    x = torch.tensor([1.0, 2.0, 4.0]).view(1, 3, 1, 1)
    B, C = torch.tensor([1.0, 1.0, 3.0]).view(1, 3, 1), torch.tensor([1.0, 2.0, 1.0]).view(1, 3, 1)
    # states: 1, then 1/2 + 2 = 2.5, then 2.5/2 + 12 = 13.25
    expected = torch.tensor([1.0, 5.0, 13.25])
    y = scan_sequential(x, half.expand(1, 3, 1), B, C).flatten()
    torch.testing.assert_close(y, expected)


@settings(max_examples=60)
@given(length=st.integers(1, 150), chunk=st.integers(1, 70), seed=st.integers(0, 99))
def test_chunks_of_any_size_give_what_step_after_step_gives(length: int, chunk: int, seed: int) -> None:
    given_inputs = inputs(length, seed)
    torch.testing.assert_close(
        scan_chunked(*given_inputs, chunk=chunk), scan_sequential(*given_inputs), atol=2e-5, rtol=1e-4
    )


@settings(max_examples=12)
@given(length=st.integers(1, 40), chunk=st.integers(1, 12), seed=st.integers(0, 99))
def test_chunks_give_the_gradients_of_step_after_step(length: int, chunk: int, seed: int) -> None:
    leaves = [part.requires_grad_() for part in inputs(length, seed, dtype=torch.float64)]
    upstream = torch.randn(2, length, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    plain = torch.autograd.grad(scan_sequential(*leaves), leaves, upstream)
    chunked = torch.autograd.grad(scan_chunked(*leaves, chunk=chunk), leaves, upstream)
    torch.testing.assert_close(chunked, plain)


def test_the_chunked_scans_gradients_are_its_slopes() -> None:
    leaves = tuple(part.requires_grad_() for part in inputs(5, batch=1, dtype=torch.float64))
    assert torch.autograd.gradcheck(lambda *parts: scan_chunked(*parts, chunk=2), leaves)


@settings(max_examples=30)
@given(length=st.integers(1, 200), seed=st.integers(0, 99))
def test_the_weighted_sum_gives_the_last_row(length: int, seed: int) -> None:
    x, log_decay, B, C = inputs(length, seed)
    whole = scan_sequential(x, log_decay, B, C)
    torch.testing.assert_close(scan_last(x, log_decay, B, C[:, -1]), whole[:, -1], atol=2e-5, rtol=1e-4)


def test_steps_on_a_carried_state_give_every_row() -> None:
    x, log_decay, B, C = inputs(20)
    state = torch.zeros(2, 3, 4, 5)
    rows = []
    for t in range(20):
        y, state = scan_step(state, x[:, t], log_decay[:, t], B[:, t], C[:, t])
        rows.append(y)
    torch.testing.assert_close(torch.stack(rows, 1), scan_chunked(x, log_decay, B, C, chunk=6), atol=2e-5, rtol=1e-4)


def test_a_step_leaves_the_state_it_was_given_alone() -> None:
    x, log_decay, B, C = inputs(1)
    state = torch.ones(2, 3, 4, 5)
    scan_step(state, x[:, 0], log_decay[:, 0], B[:, 0], C[:, 0])
    assert (state == 1).all()


@pytest.mark.parametrize("rate", [0.0, 1e-4, 20.0, 300.0])
def test_no_rate_of_forgetting_is_too_slow_or_too_fast(rate: float) -> None:
    x, _, B, C = inputs(3 * CHUNK + 7)
    log_decay = torch.full((2, x.shape[1], 3), -rate)
    exact = scan_sequential(x.double(), log_decay.double(), B.double(), C.double()).float()
    leaf = log_decay.clone().requires_grad_()
    chunked = scan_chunked(x, leaf, B, C)
    torch.testing.assert_close(chunked.detach(), exact, atol=2e-4, rtol=1e-4)
    torch.testing.assert_close(scan_last(x, log_decay, B, C[:, -1]), exact[:, -1], atol=2e-4, rtol=1e-4)
    chunked.sum().backward()
    assert torch.isfinite(leaf.grad).all()


def test_what_comes_later_changes_nothing_earlier() -> None:
    first, second = inputs(2 * CHUNK), inputs(2 * CHUNK, seed=1)
    cut = CHUNK + 5
    mixed = [torch.cat([a[:, :cut], b[:, cut:]], dim=1) for a, b in zip(first, second, strict=True)]
    torch.testing.assert_close(scan_chunked(*mixed)[:, :cut], scan_chunked(*first)[:, :cut], atol=0, rtol=0)


def test_the_selective_scan_weighs_input_and_decay_by_the_step_size() -> None:
    x, _, B, C = inputs(CHUNK + 9)
    dt, A = torch.rand(2, x.shape[1], 3) + 0.05, torch.tensor([-0.5, -1.0, -2.0])
    plain = scan_sequential(x * dt[..., None], dt * A, B, C)
    torch.testing.assert_close(selective_scan(x, dt, A, B, C), plain, atol=2e-5, rtol=1e-4)


# ── mamba_ssm's references ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("length", [8, 96])
def test_chunks_agree_with_the_minimal_ssd_of_mamba_ssm(mamba_ssm: MambaSsm, length: int) -> None:
    x, log_decay, B, C = inputs(length)
    per_head = [part[:, :, None].expand(-1, -1, 3, -1) for part in (B, C)]
    theirs, their_state = mamba_ssm.ssd.ssd_minimal_discrete(x, log_decay, *per_head, block_len=8)
    torch.testing.assert_close(scan_chunked(x, log_decay, B, C, chunk=16), theirs, atol=2e-5, rtol=1e-4)

    state = torch.zeros(2, 3, 4, 5)
    for t in range(length):
        _, state = scan_step(state, x[:, t], log_decay[:, t], B[:, t], C[:, t])
    torch.testing.assert_close(state, their_state, atol=2e-5, rtol=1e-4)


def test_chunks_have_the_gradients_of_the_minimal_ssd_of_mamba_ssm(mamba_ssm: MambaSsm) -> None:
    leaves = [part.requires_grad_() for part in inputs(24, dtype=torch.float64)]
    x, log_decay, B, C = leaves
    per_head = [part[:, :, None].expand(-1, -1, 3, -1) for part in (B, C)]
    theirs, _ = mamba_ssm.ssd.ssd_minimal_discrete(x, log_decay, *per_head, block_len=8)
    upstream = torch.randn(theirs.shape, dtype=torch.float64)
    ours = torch.autograd.grad(scan_chunked(*leaves, chunk=7), leaves, upstream)
    torch.testing.assert_close(ours, torch.autograd.grad(theirs, leaves, upstream))


@pytest.mark.parametrize("length", [1, 50, CHUNK + 20])
def test_the_selective_scan_agrees_with_the_reference_of_mamba_ssm(mamba_ssm: MambaSsm, length: int) -> None:
    x, _, B, C = inputs(length)
    dt, A, D = torch.rand(2, length, 3) + 0.05, torch.tensor([-0.5, -1.0, -2.0]), torch.tensor([0.5, 1.0, 2.0])
    # theirs has a channel axis first and time last: (B, H·P, L)
    theirs = mamba_ssm.scan.selective_scan_ref(
        x.flatten(2).transpose(1, 2),
        dt.repeat_interleave(4, dim=-1).transpose(1, 2),
        A.repeat_interleave(4)[:, None].expand(-1, 5),
        B.transpose(1, 2),
        C.transpose(1, 2),
        D=D.repeat_interleave(4),
    )
    ours = selective_scan(x, dt, A, B, C) + D[:, None] * x
    torch.testing.assert_close(ours.flatten(2).transpose(1, 2), theirs, atol=2e-5, rtol=1e-4)
