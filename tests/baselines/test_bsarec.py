"""The causal frequency rescaler, compared with the published one at the end of each history."""

import pytest
import torch
from pydantic import ValidationError

from m2rec.baselines.bsarec import Block, BsaRecSettings, Rescaler, low_pass


@pytest.mark.parametrize("window", [50, 51])
@pytest.mark.parametrize("length", [1, 7, 50])
def test_each_position_equals_the_published_filter_at_the_end_of_its_history(window: int, length: int) -> None:
    settings = BsaRecSettings(width=8, max_length=window, cutoff=9, dropout=0.0)
    rescaler = Rescaler(settings).eval()
    x = torch.randn(2, length, 8)
    ours = rescaler(x)
    for end in {1, length // 2 + 1, length}:
        padded = torch.zeros(2, window, 8)
        padded[:, window - end :] = x[:, :end]
        spectrum = torch.fft.rfft(padded, dim=1, norm="ortho")
        spectrum[:, 9 // 2 + 1 :] = 0
        low = torch.fft.irfft(spectrum, n=window, dim=1, norm="ortho")
        published = rescaler.norm(low + rescaler.beta**2 * (padded - low) + padded)
        torch.testing.assert_close(ours[:, end - 1], published[:, -1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_alpha_is_the_weight_of_the_rescaler_as_published(share: float) -> None:
    block = Block(BsaRecSettings(width=8, max_length=10, cutoff=5, dropout=0.0, share=share)).eval()
    x = torch.randn(2, 10, 8)
    attended = block.norm(block.attention(x) + x)
    torch.testing.assert_close(block(x), block.feed(share * block.rescaler(x) + (1 - share) * attended))


def test_a_constant_is_a_low_frequency_and_an_alternation_a_high_one() -> None:
    kernel = low_pass(64, 5)
    lags = torch.arange(64)
    assert float(kernel.sum()) == pytest.approx(1.0, abs=1e-6)
    assert float((kernel * (-1.0) ** lags).sum()) == pytest.approx(0.0, abs=1e-6)
    slow, fast = (torch.cos(2 * torch.pi * k * lags / 64) for k in (4, 5))  # the last one kept, the first removed
    assert float((kernel * slow).sum()) == pytest.approx(1.0, abs=1e-5)
    assert float((kernel * fast).sum()) == pytest.approx(0.0, abs=1e-5)


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"cutoff \(9\) must not exceed max_length \(5\)"):
        BsaRecSettings(cutoff=9, max_length=5)
    with pytest.raises(ValidationError, match=r"heads \(3\) must divide width \(64\)"):
        BsaRecSettings(heads=3)
