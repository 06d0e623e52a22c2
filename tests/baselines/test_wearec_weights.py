"""The script that ranks WEARec with its authors' weights: its network, and how it numbers items."""

from dataclasses import replace
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from m2rec.baselines.wearec import WeaRec, WeaRecSettings
from m2rec.evaluation.protocol import evaluate
from tests import places
from tests.evaluation.toy import prepared_from

WINDOW, WIDTH, HEADS, SHARE = 10, 8, 2, 0.3


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return places.script("peers/wearec_weights.py")


def causal(layers: int = 1) -> WeaRec:
    """Our WEARec, with random weights."""
    settings = WeaRecSettings(width=WIDTH, heads=HEADS, max_length=WINDOW, share=SHARE, layers=layers, dropout=0.0)
    made = WeaRec(settings)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return made.eval()


def published_names(model: WeaRec, items: Tensor) -> dict[str, Tensor]:
    """Its weights as the authors name them; `items` (V+1, d) are the item vectors."""
    found = {"position_embeddings.weight": model.positions, "item_embeddings.weight": items}

    def put(name: str, module: nn.Module) -> None:
        for part in ("weight", "bias"):
            found[f"{name}.{part}"] = getattr(module, part)

    put("LayerNorm", model.norm)
    for index, layer in enumerate(model._stack()):
        block = f"item_encoder.blocks.{index}."
        found[f"{block}layer.base_filter"] = layer.filter.scale[..., None]
        found[f"{block}layer.base_bias"] = layer.filter.bias[..., None]
        details = torch.randn(1, HEADS, WINDOW // 2, WIDTH // HEADS)  # our layer has the last pair's alone
        details[0, :, -1] = layer.detail.detach().view(HEADS, -1)
        found[f"{block}layer.complex_weight"] = details
        put(f"{block}layer.adaptive_mlp.0", layer.filter.read)
        put(f"{block}layer.adaptive_mlp.2", layer.filter.adapt)
        put(f"{block}layer.LayerNorm", layer.norm)
        put(f"{block}feed_forward.dense_1", layer.feed.widen)
        put(f"{block}feed_forward.dense_2", layer.feed.narrow)
        put(f"{block}feed_forward.LayerNorm", layer.feed.norm)
    return {name: tensor.detach() for name, tensor in found.items()}


def test_one_layer_over_a_full_window_is_our_layer(script: ModuleType) -> None:
    model = causal()
    items = torch.randn(30, WIDTH)
    histories = [torch.randint(1, 30, (WINDOW,)) for _ in range(4)]
    x = items[torch.stack(histories)]
    expected = model.last(x, torch.full((4,), WINDOW)) @ items.T
    found = script.item_scores(published_names(model, items), histories, SHARE)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_histories_end_at_the_right_and_only_their_newest_items_are_read(script: ModuleType) -> None:
    weights = published_names(causal(2), torch.randn(30, WIDTH))
    long = torch.arange(1, 20)
    whole, short = script.item_scores(weights, [long, long[-WINDOW:]], SHARE)
    torch.testing.assert_close(whole, short)
    together = script.item_scores(weights, [long[:3], long], SHARE)
    torch.testing.assert_close(together[0], script.item_scores(weights, [long[:3]], SHARE)[0], atol=1e-5, rtol=1e-4)


def test_items_are_numbered_as_they_first_occur_with_users_by_number(script: ModuleType) -> None:
    world = replace(prepared_from([[5, 3, 5, 3], [2, 3, 5], [3, 1, 4]]), user_ids=["10", "9", "2"])
    # user 2 has items 3, 1, 4; then user 9: 2, 5; user 10 has nothing new
    assert script.numbering(world)[[3, 1, 4, 2, 5]].tolist() == [1, 2, 3, 4, 5]


def test_it_is_evaluated_as_any_model_on_the_authors_numbers(script: ModuleType) -> None:
    """Items renumbered by hand, and scored without the project's evaluation, have the same ranks."""
    histories = [[5, 3, 1, 2], [2, 3, 5, 6], [3, 1, 4, 7, 5]]
    world = replace(prepared_from(histories), user_ids=["0", "1", "2"])
    number = {5: 1, 3: 2, 1: 3, 2: 4, 6: 5, 4: 6, 7: 7}
    weights = published_names(causal(2), torch.randn(8, WIDTH))
    found = evaluate(script.Published(weights, SHARE, world), world, "test", WINDOW)
    for user, history in enumerate(histories):
        theirs = torch.tensor([number[item] for item in history])
        (scores,) = script.item_scores(weights, [theirs[:-1]], SHARE)
        above = {item for item in range(1, 8) if scores[item] > scores[theirs[-1]]}
        assert found.ranks["unmasked"][user] == 1 + len(above)
        assert found.ranks["masked"][user] == 1 + len(above - set(theirs[:-1].tolist()))
