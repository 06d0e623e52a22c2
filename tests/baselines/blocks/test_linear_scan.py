"""The chunked recurrence, compared with the step-by-step one and with values computed by hand."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from m2rec.baselines.blocks.linear_scan import linear_scan, linear_scan_sequential


def inputs(length: int, seed: int, complex_: bool, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Two rows of three channels, one of which forgets at once and one almost never."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, length, 3, generator=generator, dtype=dtype)
    log_decay = -torch.tensor([30.0, 0.3, 0.001], dtype=dtype) * torch.rand(
        2, length, 3, generator=generator, dtype=dtype
    )
    if not complex_:
        return x, log_decay
    turn = torch.rand(2, length, 3, generator=generator, dtype=dtype) * 6
    return torch.complex(x, turn), torch.complex(log_decay, turn)


def test_a_recurrence_computed_by_hand() -> None:
    x = torch.tensor([8.0, 4.0, 2.0, 1.0, 0.0]).view(1, 5, 1)
    half = torch.tensor(0.5).log().expand(1, 5, 1)
    assert linear_scan(x, half).flatten().tolist() == pytest.approx([8.0, 8.0, 6.0, 4.0, 2.0])


def test_a_quarter_turn_returns_after_four_steps() -> None:
    x = torch.tensor([1.0, 0, 0, 0, 0], dtype=torch.complex64).view(1, 5, 1)
    quarter = torch.tensor(1j * torch.pi / 2).to(torch.complex64).expand(1, 5, 1)
    torch.testing.assert_close(linear_scan(x, quarter).flatten(), torch.tensor([1, 1j, -1, -1j, 1]), atol=1e-6, rtol=0)


@settings(max_examples=60)
@given(length=st.integers(1, 90), seed=st.integers(0, 99), complex_=st.booleans())
def test_chunks_give_the_same_as_single_steps(length: int, seed: int, complex_: bool) -> None:
    x, log_decay = inputs(length, seed, complex_)
    torch.testing.assert_close(linear_scan(x, log_decay), linear_scan_sequential(x, log_decay))
    shared = log_decay[:1]  # one row of decays for the whole batch
    torch.testing.assert_close(linear_scan(x, shared), linear_scan_sequential(x, shared))


@pytest.mark.parametrize("complex_", [False, True])
def test_its_gradients_are_those_of_single_steps(complex_: bool) -> None:
    leaves = [part.requires_grad_() for part in inputs(23, 0, complex_)]
    upstream = torch.ones_like(leaves[0])
    plain = torch.autograd.grad(linear_scan_sequential(*leaves), leaves, upstream)
    torch.testing.assert_close(torch.autograd.grad(linear_scan(*leaves), leaves, upstream), plain)


def test_a_long_history_neither_overflows_nor_underflows() -> None:
    ones = torch.ones(1, 4000, 2)
    log_decay = torch.tensor([-1e-4, -50.0]).expand(1, 4000, 2)
    slow, fast = linear_scan(ones, log_decay)[0, -1].tolist()
    assert slow == pytest.approx((1 - 2.718281828**-0.4) / (1 - 2.718281828**-1e-4), rel=1e-3)  # a geometric sum
    assert fast == pytest.approx(1.0)
