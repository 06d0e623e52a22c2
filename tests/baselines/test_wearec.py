"""The causal layer, compared with the published transforms at the end of each history."""

import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from torch import Tensor

from m2rec.baselines.wearec import GlobalFilter, Layer, WeaRecSettings

WIDTH, HEADS = 8, 2


def settings(window: int) -> WeaRecSettings:
    return WeaRecSettings(width=WIDTH, heads=HEADS, max_length=window, share=0.3, dropout=0.0)


def moved(module: torch.nn.Module) -> torch.nn.Module:
    """The module with all parameters changed from their initial values."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return module.eval()


def filtered_by_fft(layer: GlobalFilter, history: Tensor, window: int) -> Tensor:
    """The published filter's output at the last position of a padded history. (n, d) → (d,)."""
    n = len(history)
    padded = F.pad(history, (0, 0, window - n, 0)).unflatten(-1, (HEADS, -1)).transpose(0, 1)  # (heads, N, d / heads)
    context = history.mean(0)
    s, r = layer.adapt(F.gelu(layer.read(context))).view(HEADS, window // 2 + 1, 2).unbind(-1)
    spectrum = torch.fft.rfft(padded, dim=1, norm="ortho")
    spectrum = spectrum * (layer.scale * (1 + s))[..., None] + (layer.bias + r)[..., None]
    return torch.fft.irfft(spectrum, n=window, dim=1, norm="ortho")[:, -1].flatten()


@pytest.mark.parametrize("window", [20, 21])
@pytest.mark.parametrize("length", [1, 2, 7, 20])
def test_each_position_equals_the_published_filter_at_the_end_of_its_history(window: int, length: int) -> None:
    layer = moved(GlobalFilter(settings(window)))
    assert isinstance(layer, GlobalFilter)
    x = torch.randn(2, length, WIDTH)
    ours = layer(x)
    for end in range(1, length + 1):
        for row in range(2):
            published = filtered_by_fft(layer, x[row, :end], window)
            torch.testing.assert_close(ours[row, end - 1], published, atol=1e-5, rtol=1e-4)
    lengths = torch.tensor([length, max(1, length - 3)])
    torch.testing.assert_close(layer.last(x, lengths), ours[torch.arange(2), lengths - 1], atol=1e-5, rtol=1e-4)


def test_the_wavelets_use_the_newest_pair() -> None:
    """As published: the mean of a pair, plus half its difference times a weight."""
    layer = moved(Layer(settings(20)))
    assert isinstance(layer, Layer)
    x = torch.randn(1, 6, WIDTH)
    for end in range(2, 7):
        even, odd = x[0, end - 2], x[0, end - 1]
        local = (even + odd) / 2 - layer.detail * (even - odd) / 2
        mixed = 0.3 * layer.filter(x)[0, end - 1] + 0.7 * local
        torch.testing.assert_close(layer(x)[0, end - 1], layer.feed(layer.norm(mixed + odd)), atol=1e-5, rtol=1e-4)


def test_the_initial_filter_passes_everything() -> None:
    layer = GlobalFilter(settings(20)).eval()
    with torch.no_grad():
        layer.adapt.weight.zero_()
        layer.bias.zero_()
    x = torch.randn(3, 15, WIDTH)
    torch.testing.assert_close(layer(x), x, atol=1e-6, rtol=1e-5)


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"heads \(3\) must divide width \(8\)"):
        WeaRecSettings(width=8, heads=3)
