"""The ablation in which a plain FFT low-pass stands for the frequency branch, as in the authors' released code."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from m2rec.model.frequency.filters import LONGEST_FOR_MATMUL
from m2rec.model.frequency.spectral import SpectralBranch, fft_low_pass
from m2rec.model.m2rec import M2Rec
from tests.tiny_world import random_model, tiny_config

PLAIN = {"frequency": "spectral", "filter": "low-pass"}
WINDOW = 24  # of the tiny shop
CLOSE = {"atol": 1e-4, "rtol": 1e-4}


def model(seed: int = 0, **changes: object) -> M2Rec:
    return random_model(tiny_config(**PLAIN, **changes), seed)


def branch(seed: int = 0) -> SpectralBranch:
    made = model(seed).frequency
    assert isinstance(made, SpectralBranch)
    return made


def vectors(batch: int, length: int, seed: int = 0) -> Tensor:
    return F.normalize(torch.randn(batch, length, 16, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_every_position_has_what_a_plain_fft_of_the_window_that_ends_there_leaves() -> None:
    """A window of 24 has 13 frequencies; a tenth of 24 is 2: the mean and one slow wave."""
    frequency = branch()
    u = vectors(1, 40)
    kept = torch.zeros(13)
    kept[:2] = 1
    padded = F.pad(u, (0, 0, WINDOW - 1, 0))
    windows = padded.unfold(1, WINDOW, 1)  # (1, L, d, W), oldest first
    plain = torch.fft.irfft(torch.fft.rfft(windows) * kept, n=WINDOW)[..., -1]
    unit = torch.fft.irfft(kept, n=WINDOW).norm()
    out = frequency(u)
    expected = frequency.out(out.detail["gains"] * plain / unit)
    torch.testing.assert_close(out.vector, expected, atol=1e-5, rtol=1e-4)
    assert unit == pytest.approx((3 / 24) ** 0.5)  # two of 13 bins are three of the 24 of a whole FFT


@pytest.mark.parametrize("taps", [2, 9, 24, 100, 200])
def test_the_kernel_has_unit_energy_and_lets_a_constant_through_whatever_the_window(taps: int) -> None:
    kernel = fft_low_pass(taps)
    assert kernel.shape == (taps,)
    torch.testing.assert_close(kernel.norm(), torch.tensor(1.0))
    bins = torch.fft.rfft(kernel).abs()
    bins = bins / bins[0]
    kept = max(1, int(0.1 * taps))
    torch.testing.assert_close(bins, (torch.arange(taps // 2 + 1) < kept).float(), atol=1e-5, rtol=0)


def test_one_band_that_is_a_trend_and_of_which_nothing_is_learnt() -> None:
    frequency = branch()
    assert frequency.bands == len(frequency.kernels()) == 1
    assert frequency.band_periods == (float("inf"),)
    assert not frequency.kernels().requires_grad
    assert "transfer" not in dict(frequency.named_parameters())
    assert torch.equal(branch(0).kernels(), branch(1).kernels())


def test_it_answers_every_history_with_the_same_gain() -> None:
    gains = branch()(vectors(3, 20)).detail["gains"]
    torch.testing.assert_close(gains, gains[:1, :1].expand_as(gains), atol=0, rtol=0)


@pytest.mark.parametrize("length", [30, LONGEST_FOR_MATMUL + 9])
def test_nothing_comes_from_the_future_and_the_current_item_passes(length: int) -> None:
    frequency = branch()
    u = vectors(1, length)
    changed = u.clone()
    changed[:, 12] = -u[:, 12]
    before, after = frequency(u).vector, frequency(changed).vector
    torch.testing.assert_close(before[:, :12], after[:, :12], atol=1e-5, rtol=0)
    assert (before[:, 12] - after[:, 12]).abs().max() > 1e-2
    torch.testing.assert_close(before[:, 12 + WINDOW :], after[:, 12 + WINDOW :], atol=1e-5, rtol=0)


@pytest.mark.parametrize("changes", [{}, {"temporal_input": "vectors", "semantic_by_text": False}], ids=str)
def test_the_whole_model_does_not_see_what_is_to_come(changes: dict) -> None:
    made = model(**changes)
    items = torch.randint(1, 31, (1, 20), generator=torch.Generator().manual_seed(3))
    other = items.clone()
    other[0, 11:] = other[0, 11:] % 30 + 1
    where = torch.ones_like(items, dtype=torch.bool)
    before, after = made.log_scores(items, where), made.log_scores(other, where)
    torch.testing.assert_close(before[:11], after[:11], **CLOSE)
    assert not torch.allclose(before[11], after[11], **CLOSE)


def test_it_is_refused_where_the_branch_knows_items_and_has_no_vectors_to_filter() -> None:
    with pytest.raises(ValueError, match='the low-pass filter is a spectral one: set frequency = "spectral"'):
        tiny_config(filter="low-pass")
