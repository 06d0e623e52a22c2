"""Self-attention, compared with PyTorch's transformer, and the limits of its window."""

import math

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from m2rec.baselines.sasrec import SasRec, SasRecSettings


def twin(model: SasRec, settings: SasRecSettings) -> nn.TransformerEncoder:
    """PyTorch's transformer with the same weights."""
    layer = nn.TransformerEncoderLayer(
        settings.width,
        settings.heads,
        settings.expansion * settings.width,
        dropout=0.0,
        activation="relu",
        batch_first=True,
        norm_first=True,
    )
    made = nn.TransformerEncoder(layer, settings.layers, norm=nn.LayerNorm(settings.width), enable_nested_tensor=False)
    names = {
        "before_attention": "norm1",
        "before_feed": "norm2",
        "attention.read.weight": "self_attn.in_proj_weight",
        "attention.read.bias": "self_attn.in_proj_bias",
        "attention.out": "self_attn.out_proj",
        "widen": "linear1",
        "narrow": "linear2",
        "blocks": "layers",
    }
    weights = {}
    for name, tensor in model.state_dict().items():
        for ours, theirs in names.items():
            name = name.replace(ours, theirs)
        weights[name] = tensor
    del weights["positions"]
    made.load_state_dict(weights)
    return made.eval()


@pytest.mark.parametrize(("heads", "expansion", "layers"), [(1, 1, 2), (4, 3, 1)])
def test_it_is_a_transformer_over_scaled_items_and_positions(heads: int, expansion: int, layers: int) -> None:
    settings = SasRecSettings(width=16, heads=heads, expansion=expansion, layers=layers, max_length=20)
    model = SasRec(settings).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    x = torch.randn(3, 11, 16)
    mask = nn.Transformer.generate_square_subsequent_mask(11)
    plain = twin(model, settings)(x * math.sqrt(16) + model.positions[:11], mask=mask, is_causal=True)
    torch.testing.assert_close(model(x), plain, atol=1e-5, rtol=1e-4)


def test_positions_make_the_order_matter() -> None:
    model = SasRec(SasRecSettings(width=8, heads=1, layers=1, max_length=4, dropout=0.0)).eval()
    nn.init.normal_(model.positions)
    x = torch.randn(1, 3, 8)
    swapped = x[:, [1, 0, 2]]
    assert not torch.allclose(model(x)[:, -1], model(swapped)[:, -1], atol=1e-4)
    nn.init.zeros_(model.positions)
    torch.testing.assert_close(model(x)[:, -1], model(swapped)[:, -1])


def test_a_full_window_is_refused_and_says_how_long_it_is() -> None:
    model = SasRec(SasRecSettings(width=8, heads=1, max_length=4)).eval()
    with pytest.raises(ValueError, match="at most 4 items, not 5"):
        model(torch.randn(1, 5, 8))
    state = model.start(1)
    for _ in range(4):
        _, state = model.step(torch.randn(1, 8), state)
    with pytest.raises(ValueError, match="at most 4 items, not 5"):
        model.step(torch.randn(1, 8), state)


def test_two_continuations_of_one_state_are_independent() -> None:
    """The cache is changed in place while no other state shares it, and copied otherwise."""
    model = SasRec(SasRecSettings(width=8, heads=2, max_length=200)).eval().requires_grad_(False)
    items = torch.randn(130, 1, 8)
    state = model.start(1)
    for x in items[:100]:
        _, state = model.step(x, state)
    one, other = state, state
    for x, y in zip(items[100:115], items[115:], strict=True):
        first, one = model.step(x, one)
        second, other = model.step(y, other)
    assert one.caches[0] is not other.caches[0]
    whole = model(torch.cat([items[:115, 0]])[None])[:, -1]
    torch.testing.assert_close(first, whole, atol=1e-5, rtol=1e-4)
    whole = model(torch.cat([items[:100, 0], items[115:, 0]])[None])[:, -1]
    torch.testing.assert_close(second, whole, atol=1e-5, rtol=1e-4)


def test_a_step_copies_nothing_while_the_cache_has_capacity() -> None:
    model = SasRec(SasRecSettings(width=8, heads=1, max_length=200)).eval().requires_grad_(False)
    x = torch.randn(1, 8)
    _, state = model.step(x, model.start(1))
    _, after = model.step(x, state)
    assert after.caches[0] is state.caches[0]
    state.rewind()
    again, third = model.step(x, state)
    assert third.caches[0] is state.caches[0]
    assert torch.equal(again, model.step(x, state)[0])  # and without it, by a copy


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"heads \(3\) must divide width \(64\)"):
        SasRecSettings(heads=3)
