"""Properties that M2Rec and all baselines share."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from m2rec.baselines.registry import make_baseline
from m2rec.training.settings import TrainingSettings
from tests.baselines.conftest import BASELINES, ITEMS, MODELS, REPEATS, Model, every_model, histories
from tests.model.histories import vectors_of

CLOSE = {"atol": 1e-4, "rtol": 1e-4}
offering_steps = pytest.mark.parametrize("model", [m for m in MODELS if m.steps], ids=str)


def perturbed(model: Model, items: int = ITEMS, warm: int = ITEMS) -> nn.Module:
    """The model with all parameters changed, so that parts that start at zero have an effect."""
    made = model.make(items, warm)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return made.requires_grad_(False)


def scores_everywhere(model: nn.Module, items: Tensor) -> Tensor:
    """Scores after every position, (B, L, V), those after padding zero."""
    where = items > 0
    scores = model.log_scores(items, where)
    return torch.zeros(*items.shape, scores.shape[-1]).index_put((where,), scores)


# ── it learns ───────────────────────────────────────────────────────────────────────────────────────────────


@every_model
def test_a_circle_of_items_is_learned(model: Model) -> None:
    made = model.make(ITEMS, ITEMS).train()
    starts = torch.arange(ITEMS)
    walks = (starts[:, None] + torch.arange(11)) % ITEMS + 1  # from every start, nearly once through the circle
    items, targets = walks[:, :-1], walks[:, 1:]
    optimizer = torch.optim.Adam(made.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        made(items, targets, TrainingSettings().branch_loss).backward()
        optimizer.step()
    made.eval()
    best = made.log_scores(items, items > 0).argmax(-1) + 1
    assert torch.equal(best, targets.flatten())


@every_model
def test_order_before_the_last_item_is_learned(model: Model) -> None:
    """Half of the users choose 1 5 2, the others 3 5 4: after 5, the target depends on the item before it."""
    walks = torch.tensor([[1, 5, 2], [3, 5, 4]])
    made = model.make(5, 5).train()
    optimizer = torch.optim.Adam(made.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        made(walks[:, :-1], walks[:, 1:]).backward()
        optimizer.step()
    made.eval()
    last = torch.tensor([[False, True], [False, True]])
    assert (made.log_scores(walks[:, :-1], last).argmax(-1) + 1).tolist() == [2, 4]


@every_model
def test_every_parameter_is_trained(model: Model) -> None:
    made = model.make(ITEMS, ITEMS).train()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    items = histories((20, 12))
    made(items, items.roll(-1, 1) * (items.roll(-1, 1) > 0)).backward()
    idle = [name for name, p in made.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())]
    assert idle == []


@every_model
def test_the_loss_is_the_mean_negative_log_score_of_the_targets(model: Model) -> None:
    made = perturbed(model)
    items = histories()
    targets = torch.randint(1, ITEMS + 1, items.shape) * (items > 0)
    targets[0, 3] = 0  # nothing to learn here
    scores = made.log_scores(items, targets > 0).gather(1, targets[targets > 0][:, None] - 1)
    torch.testing.assert_close(made(items, targets), -scores.mean(), **CLOSE)


# ── scores ────────────────────────────────────────────────────────────────────────────────────────────────────


@every_model
def test_probabilities_sum_to_one_over_the_items_without_padding(model: Model) -> None:
    items = histories()
    scores = perturbed(model).log_scores(items, items > 0)
    assert scores.shape == (int((items > 0).sum()), ITEMS)
    torch.testing.assert_close(scores.exp().sum(-1), torch.ones(len(scores)), **CLOSE)


@every_model
def test_a_catalogue_of_fewer_than_ten_items_is_ranked(model: Model) -> None:
    items = histories((4, 2), items=3)
    scores = perturbed(model, 3, 3).log_scores(items, items > 0)
    assert scores.shape == (6, 3)
    assert torch.isfinite(scores).all()


@every_model
def test_an_item_never_seen_in_training_is_ranked_by_its_text_or_not_at_all(model: Model) -> None:
    items = histories(items=ITEMS)  # cold items occur in them
    scores = perturbed(model, ITEMS, ITEMS - 3).log_scores(items, items > 0)
    warm, cold = scores[:, :-3], scores[:, -3:]
    assert torch.isfinite(warm).all()
    if model.reads_text:
        assert torch.isfinite(cold).all()
        assert (cold.std(-1) > 0).all()
    else:
        assert (cold == float("-inf")).all()


@every_model
def test_the_loss_is_over_warm_items_only(model: Model) -> None:
    """Three more cold items in the catalogue do not change the loss."""
    small, large = perturbed(model, ITEMS - 3, ITEMS - 3), perturbed(model, ITEMS, ITEMS - 3)
    weights = {name: tensor for name, tensor in small.state_dict().items() if not name.endswith("text")}
    large.load_state_dict(weights, strict=False)
    items = histories(items=ITEMS - 3)
    targets = items.roll(-1, 1)
    torch.testing.assert_close(large(items, targets), small(items, targets), **CLOSE)


# ── the ways to run it ──────────────────────────────────────────────────────────────────────────────────────


@every_model
def test_a_batch_gives_the_same_as_single_rows(model: Model) -> None:
    made = perturbed(model)
    items = histories()
    alone = [made.log_scores(row[row > 0][None], row[row > 0][None] > 0) for row in items]
    torch.testing.assert_close(made.log_scores(items, items > 0), torch.cat(alone), **CLOSE)


@every_model
def test_more_padding_changes_nothing(model: Model) -> None:
    made = perturbed(model)
    items = histories()
    wider = F.pad(items, (0, 9))
    torch.testing.assert_close(made.log_scores(wider, wider > 0), made.log_scores(items, items > 0), **CLOSE)
    targets = items.roll(-1, 1) * (items > 0)
    torch.testing.assert_close(made(wider, F.pad(targets, (0, 9))), made(items, targets), **CLOSE)


@every_model
def test_outputs_do_not_depend_on_later_items(model: Model) -> None:
    made = perturbed(model)
    items = histories((20,))
    before = scores_everywhere(made, items)
    for changed in (19, 11, 5):
        other = items.clone()
        other[0, changed:] = other[0, changed:] % ITEMS + 1
        after = scores_everywhere(made, other)
        torch.testing.assert_close(after[:, :changed], before[:, :changed], **CLOSE)
        assert not torch.allclose(after[:, changed], before[:, changed], **CLOSE)


@every_model
def test_computing_only_the_last_position_gives_the_same(model: Model) -> None:
    made = perturbed(model)
    for lengths in ((9, 1, 23, 16), (1,), (40,), (7, 7)):
        items = histories(lengths)
        at_end = torch.arange(items.shape[1]) == (items > 0).sum(-1, keepdim=True) - 1
        everywhere = scores_everywhere(made, items)[at_end]
        torch.testing.assert_close(made.log_scores(items, at_end), everywhere, **CLOSE)
        if hasattr(made, "last_scores"):
            torch.testing.assert_close(made.last_scores(items), everywhere, **CLOSE)
            torch.testing.assert_close(made.last_scores(items, made.items.table()), everywhere, **CLOSE)


@offering_steps
def test_item_by_item_gives_the_same_as_all_at_once(model: Model) -> None:
    made = perturbed(model)
    items = histories((30, 30))
    assert model.steps is not None
    torch.testing.assert_close(model.steps(made, items), scores_everywhere(made, items), **CLOSE)


@offering_steps
def test_a_step_does_not_change_the_old_state(model: Model) -> None:
    made = perturbed(model)
    state = made.start(1)
    for item in (3, 1, 4):
        _, state = made.step(torch.tensor([item]), state)

    def score(item: int) -> Tensor:
        out, _ = made.step(torch.tensor([item]), state)
        return out if isinstance(out, Tensor) else vectors_of(out)

    first = score(5)
    score(9)
    assert torch.equal(score(5), first)


@pytest.mark.parametrize("model", [*BASELINES, *REPEATS], ids=str)
def test_steps_is_true_exactly_if_start_and_step_work(model: Model) -> None:
    assert model.make(ITEMS, ITEMS).steps == (model.steps is not None)


# ── saving ────────────────────────────────────────────────────────────────────────────────────────────────────


@every_model
def test_a_saved_and_loaded_model_is_the_same(model: Model, tmp_path: Path) -> None:
    made, other = perturbed(model), perturbed(model)
    save_file(made.state_dict(), tmp_path / "model.safetensors")
    other.load_state_dict(load_file(tmp_path / "model.safetensors"))
    items = histories()
    assert torch.equal(other.log_scores(items, items > 0), made.log_scores(items, items > 0))


def test_popularity_follows_the_counts() -> None:
    model = make_baseline("popularity", 4, 3, train_counts=torch.tensor([2, 5, 1, 0]))
    items = torch.tensor([[3, 1, 0], [2, 2, 2]])
    scores = model.log_scores(items, items > 0)
    expected = torch.tensor([2 / 8, 5 / 8, 1 / 8, 0.0])
    torch.testing.assert_close(scores.exp(), expected.expand(5, -1))
    torch.testing.assert_close(model.last_scores(items).exp(), expected.expand(2, -1))
    assert scores[0].argsort(descending=True).tolist() == [1, 0, 2, 3]
    targets = torch.tensor([[2, 0, 0], [1, 2, 3]])
    torch.testing.assert_close(model(items, targets), -torch.tensor([5, 2, 5, 1]).div(8).log().mean())
