"""The filters' implementations against each other and against their definition."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from m2rec.model.frequency.filters import (
    LONGEST_FOR_MATMUL,
    comb,
    filter_adaptively,
    filter_bank,
    filter_bank_fft,
    impulse_response,
    low_pass,
    transfer_function,
)

TAPS = 24


def bank(seed: int = 0, bands: int = 6) -> Tensor:
    return torch.randn(bands, TAPS, generator=torch.Generator().manual_seed(seed))


def vectors(batch: int, length: int, seed: int = 0) -> Tensor:
    return F.normalize(torch.randn(batch, length, 16, generator=torch.Generator().manual_seed(seed)), dim=-1)


@settings(max_examples=10)
@given(length=st.integers(1, 60), seed=st.integers(0, 9))
def test_filtering_by_matmul_by_fft_and_by_definition_agree(length: int, seed: int) -> None:
    kernels, q = bank(seed), vectors(2, length, seed)
    lags = range(kernels.shape[1])
    zero = torch.zeros(2, 16)
    expected = torch.stack(
        [
            sum(kernels[:, lag, None] * (q[:, t - lag] if t >= lag else zero)[:, None] for lag in lags)
            for t in range(length)
        ],
        dim=1,
    )
    torch.testing.assert_close(filter_bank(q, kernels), expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(filter_bank_fft(q, kernels), expected, atol=1e-5, rtol=1e-4)


@settings(max_examples=25)
@given(length=st.integers(1, 60), seed=st.integers(0, 9))
def test_the_adaptive_filter_is_the_bank_weighted_by_its_gains(length: int, seed: int) -> None:
    kernels, u = bank(seed), vectors(2, length, seed)
    gains = torch.rand(2, length, len(kernels), generator=torch.Generator().manual_seed(seed))
    expected = (gains[..., None] * filter_bank(u, kernels)).sum(2)
    torch.testing.assert_close(filter_adaptively(u, gains, kernels), expected, atol=1e-5, rtol=1e-4)


def test_long_histories_are_filtered_by_fft_to_the_same_end(monkeypatch: pytest.MonkeyPatch) -> None:
    kernels, u = bank(), vectors(1, LONGEST_FOR_MATMUL + 60)
    gains = torch.rand(1, u.shape[1], len(kernels))
    by_fft = filter_bank(u, kernels), filter_adaptively(u, gains, kernels)
    monkeypatch.setattr("m2rec.model.frequency.filters.LONGEST_FOR_MATMUL", 10_000)
    by_matmul = filter_bank(u, kernels), filter_adaptively(u, gains, kernels)
    torch.testing.assert_close(by_fft, by_matmul, atol=1e-5, rtol=1e-4)


def test_both_ways_to_filter_have_the_same_gradients() -> None:
    kernels, u = bank().requires_grad_(), vectors(2, 40)
    wanted = torch.randn(2, 40, len(kernels), 16)
    slopes = [
        torch.autograd.grad((way(u, kernels) * wanted).sum(), kernels)[0] for way in (filter_bank, filter_bank_fft)
    ]
    torch.testing.assert_close(slopes[0], slopes[1], atol=1e-4, rtol=1e-4)


def test_a_transfer_function_stands_for_its_impulse_response() -> None:
    kernels = bank()
    torch.testing.assert_close(impulse_response(transfer_function(kernels)), kernels, atol=1e-5, rtol=1e-4)


def test_a_comb_has_its_teeth_one_period_before_the_next_item_and_before_that() -> None:
    row = comb(7, TAPS, decay=0.5)
    assert row.nonzero()[:, 0].tolist() == [6, 13, 20]
    assert row[[6, 13, 20]].tolist() == [1.0, 0.5, 0.25]


@pytest.mark.parametrize("scale", [0.001, 4.0, 1e6])
def test_a_trend_falls_off_at_its_scale_and_does_not_see_the_current_item(scale: float) -> None:
    row = low_pass(scale, TAPS)
    assert row[0] == 0
    assert row[1] == 1
    torch.testing.assert_close(row[2], torch.tensor(-1 / scale).exp())
