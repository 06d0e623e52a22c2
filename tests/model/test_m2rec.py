"""What the answer is made of: shares that add up, branches that can be switched off, items known by text alone."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from m2rec.branches import BRANCHES
from m2rec.model.m2rec import M2Rec
from m2rec.model.softmax import seen_items
from tests.model.histories import CATALOGUE, WARM, histories, padded, random_histories, vectors_of
from tests.tiny_world import COLD, random_model, tiny_config

GATES = ("distributions", "features", "equal")


def shares_after(model: M2Rec, items: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Shares (B, M, V) at the end of each row, and log scores there (B, V)."""
    where = torch.zeros_like(items, dtype=torch.bool)
    where[torch.arange(len(items)), (items > 0).sum(-1) - 1] = True
    seen = seen_items(items, where, CATALOGUE)
    return model.shares(model.encode_last(items), seen), model.log_scores(items, where)


# ── the sum and its parts ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("gate", GATES)
def test_shares_add_up_to_the_probability_and_to_one(gate: str) -> None:
    model = random_model(tiny_config(gate=gate))
    shares, log_scores = shares_after(model, random_histories(20, 15))
    assert (shares >= 0).all()
    torch.testing.assert_close(shares.sum((1, 2)), torch.ones(20))
    torch.testing.assert_close(shares.sum(1), log_scores.exp(), atol=1e-6, rtol=1e-4)


@settings(max_examples=15)
@given(rows=st.lists(histories(1, 20), min_size=1, max_size=4), seed=st.integers(0, 5), gate=st.sampled_from(GATES))
def test_they_do_for_any_history(rows: list[list[int]], seed: int, gate: str) -> None:
    shares, log_scores = shares_after(random_model(tiny_config(gate=gate), seed), padded(rows))
    torch.testing.assert_close(shares.sum((1, 2)), torch.ones(len(rows)))
    torch.testing.assert_close(shares.sum(1), log_scores.exp(), atol=1e-6, rtol=1e-4)


def test_each_branchs_shares_add_up_to_its_gate(model: M2Rec) -> None:
    items = random_histories(6, 15)
    shares, _ = shares_after(model, items)
    torch.testing.assert_close(shares.sum(2), model.encode_last(items).log_gate.exp())


def test_the_branches_disagree_about_what_comes_next(model: M2Rec) -> None:
    """Three copies of one distribution would add up as well."""
    shares, _ = shares_after(model, random_histories(20, 15))
    favourites = shares.argmax(2)
    assert ((favourites[:, 0] != favourites[:, 1]) | (favourites[:, 1] != favourites[:, 2])).float().mean() > 0.5


def test_with_the_gate_on_features_there_is_one_distribution_of_averaged_scores() -> None:
    model = random_model(tiny_config(gate="features"))
    with torch.no_grad():
        fill_repeat_bias(model, 0.0)
    items = random_histories(4, 12)
    encoded = model.encode_last(items)
    table, heads = model.item_table(), model.fusion.heads
    against = {"temporal": table.vectors, "frequency": table.vectors, "semantic": table.text}
    rows = []
    for name, head in heads.items():
        score = head(encoded.branches[name].vector) @ against[name][1:].T
        rows.append(score + head.popularity * table.bias[1:, 0])
    scores = torch.stack(rows, 1)  # (B, M, V)
    averaged = (encoded.log_gate.exp()[..., None] * scores).sum(1)
    _, log_scores = shares_after(model, items)
    torch.testing.assert_close(log_scores, F.log_softmax(averaged, dim=-1), atol=1e-4, rtol=1e-4)


def test_equal_gates_average_the_branches_distributions() -> None:
    model = random_model(tiny_config(gate="equal"))
    shares, log_scores = shares_after(model, random_histories(4, 12))
    torch.testing.assert_close(shares.sum(2), torch.full((4, 3), 1 / 3))
    torch.testing.assert_close(log_scores.exp(), (3 * shares).mean(1), atol=1e-6, rtol=1e-4)


def fill_repeat_bias(model: M2Rec, value: float) -> None:
    """ρ of every branch, without more for the newest item."""
    for name, parameter in model.named_parameters():
        if name.endswith("repeat_bias"):
            parameter.fill_(value)
        if name.endswith("newest_bias"):
            parameter.fill_(0.0)


def test_readiness_to_repeat_is_shown_once_it_has_been_learnt() -> None:
    model = random_model(tiny_config(frequency="spectral"))
    items = random_histories(5, 10)
    seen = torch.zeros(5, CATALOGUE, dtype=torch.bool).scatter_(1, items - 1, True)
    mass = []
    for strength in (-3.0, 0.0, 3.0):
        with torch.no_grad():
            fill_repeat_bias(model, strength)
        mass.append((shares_after(model, items)[1].exp() * seen).sum(1))
    assert (mass[0] < mass[1]).all()
    assert (mass[1] < mass[2]).all()


@pytest.mark.parametrize("branch", ["temporal", "semantic"])
def test_a_branch_in_which_the_newest_item_has_the_largest_weight_has_more_of_it_for_that_item(branch: str) -> None:
    model, items, at = random_model(tiny_config()), torch.tensor([[3, 5, 3, 7]]), BRANCHES.index(branch)
    bias = getattr(model, branch).softmax.newest_bias
    with torch.no_grad():
        bias.fill_(0.0)
        before = distributions(model, items)[0]
        bias.fill_(-2.0)
        after = distributions(model, items)[0]
    others = torch.arange(CATALOGUE) != 7 - 1
    assert after[at, 6] < before[at, 6]
    odds = [shares[at, 6] / shares[at, others] for shares in (before, after)]
    torch.testing.assert_close(odds[1], math.exp(-2.0) * odds[0])
    elsewhere = [place for place in range(len(BRANCHES)) if place != at]
    torch.testing.assert_close(after[elsewhere], before[elsewhere])


def test_a_model_without_a_repeat_bias_has_none_for_the_newest_item_either() -> None:
    assert random_model(tiny_config(repeat_bias=False)).temporal.softmax.newest_bias is None


def test_training_learns_that_the_newest_item_is_not_chosen_again() -> None:
    model = random_model(tiny_config()).train()
    model.loss(torch.tensor([[1, 2, 3, 4, 5]]), torch.tensor([[0, 0, 0, 0, 9]])).backward()
    assert float(model.temporal.softmax.newest_bias.grad) > 0


# ── what each branch may use ────────────────────────────────────────────────────────────────────────────────────


def distributions(model: M2Rec, items: torch.Tensor) -> torch.Tensor:
    """Each branch's own distribution at the end of each row: (B, M, V)."""
    shares, _ = shares_after(model, items)
    return shares / shares.sum(2, keepdim=True)


def changed_branches(before: torch.Tensor, after: torch.Tensor) -> list[str]:
    change = (before - after).abs().amax((0, 2))
    return [name for name, value in zip(BRANCHES, change.tolist(), strict=True) if value > 1e-4]


@pytest.mark.parametrize(("variant", "use_it"), [("periodic", ["temporal", "semantic"]), ("spectral", list(BRANCHES))])
@pytest.mark.parametrize("what", ["popularity of what was never chosen", "readiness to repeat"])
def test_who_is_due_is_neither_a_matter_of_popularity_nor_of_readiness_to_repeat(
    variant: str, use_it: list[str], what: str
) -> None:
    model = random_model(tiny_config(frequency=variant, id_dropout=0.0))
    items = random_histories(5, 12, highest=WARM - 1)
    before = distributions(model, items)
    with torch.no_grad():
        if what == "readiness to repeat":
            fill_repeat_bias(model, 2.0)
        else:
            model.bias[WARM - 1] += 1.0  # an item that is in no history
    assert changed_branches(before, distributions(model, items)) == use_it


@pytest.mark.parametrize(("by_text", "use_it"), [(True, ["temporal"]), (False, ["temporal", "semantic"])])
def test_a_semantic_branch_that_scores_by_text_does_not_know_an_items_id_vector(
    by_text: bool, use_it: list[str]
) -> None:
    model = random_model(tiny_config(semantic_by_text=by_text))
    items = random_histories(5, 12, highest=WARM - 1)
    before = distributions(model, items)
    with torch.no_grad():
        model.ids[WARM - 1] += 2.0  # an item that is in no history: only its scores can change
    assert changed_branches(before, distributions(model, items)) == use_it


# ── branches off ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("off", BRANCHES)
def test_a_branch_switched_off_is_its_gate_at_zero(off: str) -> None:
    """The settings without a branch, against the whole model with that gate weight taken out by hand."""
    kept = tuple(name for name in BRANCHES if name != off)
    whole = random_model(tiny_config())
    without = M2Rec(tiny_config(branches=kept)).eval()
    without.load_state_dict(whole.state_dict())
    items = random_histories(5, 14)
    encoded = whole.encode_last(items)
    gate = encoded.log_gate.exp()
    gate[:, BRANCHES.index(off)] = 0
    at_zero = replace(encoded, log_gate=(gate / gate.sum(-1, keepdim=True)).log())
    seen = torch.zeros(5, CATALOGUE, dtype=torch.bool).scatter_(1, items - 1, True)
    expected = whole.shares(at_zero, seen)
    shares, _ = shares_after(without, items)
    torch.testing.assert_close(shares, expected, atol=1e-6, rtol=1e-4)
    assert (shares[:, BRANCHES.index(off)] == 0).all()


@pytest.mark.parametrize("off", BRANCHES)
def test_a_branch_switched_off_is_not_trained_and_does_not_affect_the_others(off: str) -> None:
    model = random_model(tiny_config(branches=tuple(name for name in BRANCHES if name != off)))
    items = random_histories(3, 10, highest=WARM)
    model.loss(items[:, :-1], items[:, 1:], branch_loss=0.1).backward()
    slopes = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert all(torch.isfinite(slope).all() for slope in slopes)
    # what only serves this branch's own scores stands still; its output may still be evidence for the gate
    own = {"temporal": model.temporal.softmax.norm.weight, "semantic": model.semantic.softmax.norm.weight}
    if off in own:
        assert own[off].grad.abs().max() == 0


# ── items known by their text alone ─────────────────────────────────────────────────────────────────────────────


def usual_popularity(model: M2Rec) -> torch.Tensor:
    """β of an item that sells as often as the mean item does, by the semantic branch's weight of popularity."""
    weight = model.semantic.popularity_weight()
    return (weight * model.bias).exp().mean().log() / weight


def test_a_cold_item_is_read_as_the_mean_item_and_scored_by_its_text_and_average_popularity(model: M2Rec) -> None:
    table = model.item_table()
    torch.testing.assert_close(table.inputs[WARM + 1 :], model.ids.mean(0).expand(COLD, -1))
    torch.testing.assert_close(table.text[WARM + 1 :], model.project(model.text[WARM + 1 :]))
    torch.testing.assert_close(table.vectors[WARM + 1 :], table.text[WARM + 1 :])
    torch.testing.assert_close(table.bias[WARM + 1 :, 0], usual_popularity(model).expand(COLD))


def test_a_warm_item_is_its_id_and_its_text_together(model: M2Rec) -> None:
    table = model.item_table()
    torch.testing.assert_close(table.vectors[5], model.ids[4] + model.project(model.text[5]))
    torch.testing.assert_close(table.bias[5, 0], model.bias[4])
    torch.testing.assert_close(table.unit[1:].norm(dim=-1), torch.ones(CATALOGUE))


def test_padding_has_no_vector_at_all(model: M2Rec) -> None:
    table = model.item_table()
    for part in (table.inputs, table.unit, table.text, table.vectors, table.bias):
        assert (part[0] == 0).all()


def test_cold_items_are_ranked_and_may_be_in_the_history(model: M2Rec) -> None:
    items = torch.tensor([[1, CATALOGUE, 3, CATALOGUE - 1]])
    shares, log_scores = shares_after(model, items)
    assert torch.isfinite(log_scores).all()
    assert (shares[:, :, WARM:].sum(1) > 0).all()


def better_text_gains(**changes: object) -> list[float]:
    """By how much a cold item's log score rises, in several models, when it gets the text that the semantic branch
    likes best instead of the one it likes least.
    """
    gains = []
    for seed in range(12):
        model = random_model(tiny_config(**changes), seed)
        items = random_histories(1, 10)
        by_text = shares_after(model, items)[0][0, 2, :-1]  # the semantic branch's, of all other items
        best, worst = by_text.argmax(), by_text.argmin()
        ranked = []
        with torch.no_grad():
            for like in (worst, best):
                model.text[CATALOGUE] = model.text[like + 1]
                ranked.append(float(shares_after(model, items)[1][0, -1]))
        gains.append(ranked[1] - ranked[0])
    return gains


def test_a_cold_item_with_a_better_text_is_ranked_higher() -> None:
    assert min(better_text_gains(branches=("semantic",))) > 1
    # in a whole model, random branches may like the other text: it is higher on average
    assert sum(gains := better_text_gains()) / len(gains) > 1


@pytest.mark.parametrize("branch", ["temporal", "frequency", "semantic"])
def test_in_training_every_branch_of_item_vectors_reads_them_with_dropout(branch: str) -> None:
    """A branch that did without would learn by heart, and the gate would then trust it: on Beauty it did."""
    model = random_model(tiny_config(frequency="spectral", dropout=0.5, id_dropout=0.0))
    for module in model.modules():
        if isinstance(module, nn.Dropout) and module is not getattr(model, branch).dropout:
            module.p = 0.0
    items = random_histories(2, 10)
    with torch.no_grad():
        first, second = (model.train().encode(items).branches[branch].vector for _ in range(2))
        torch.testing.assert_close(*(model.eval().encode(items).branches[branch].vector for _ in range(2)))
    assert not torch.allclose(first[:, 2:], second[:, 2:])


def test_in_training_cold_items_do_not_compete(model: M2Rec) -> None:
    """What a cold item's text says changes neither the loss nor what the projection learns from it."""
    items = random_histories(4, 12, highest=WARM)
    other = random_model(tiny_config())
    with torch.no_grad():
        other.text[WARM + 1 :] = 5.0
    results = []
    for net in (random_model(tiny_config()), other):
        loss = net.loss(items[:, :-1], items[:, 1:])
        loss.backward()
        results.append((loss.detach(), net.project.weight.grad))
    torch.testing.assert_close(results[0], results[1])


def test_a_cold_item_in_the_history_teaches_the_projection_and_the_mean_popularity_only() -> None:
    model = random_model(tiny_config())
    model.loss(torch.tensor([[CATALOGUE, CATALOGUE]]), torch.tensor([[0, 3]])).backward()
    assert torch.isfinite(model.project.weight.grad).all()
    assert model.project.weight.grad.abs().max() > 0
    assert model.text.grad is None


def test_in_training_some_items_are_taken_for_cold_and_when_serving_none() -> None:
    model = random_model(tiny_config(id_dropout=0.5))
    whole = model.id_part()
    torch.manual_seed(0)
    model.train()
    dropped = model.id_part()
    cold = (dropped[1 : WARM + 1, :-1] == 0).all(-1)
    assert 5 < cold.sum() < 23
    torch.testing.assert_close(dropped[1 : WARM + 1][cold, -1], usual_popularity(model).expand(int(cold.sum())))
    torch.testing.assert_close(dropped[1 : WARM + 1][~cold], whole[1 : WARM + 1][~cold])


@pytest.mark.parametrize("variant", ["means", "themes"])
def test_items_beyond_the_catalogue_are_read_as_cold_items_are(variant: str) -> None:
    """An extended table with a cold item's own text gives what that cold item gives."""
    model = random_model(tiny_config(semantic=variant))
    table = model.item_table()
    longer = model.extend(table, model.text[CATALOGUE][None])
    as_guest, as_item = torch.tensor([[1, 2, CATALOGUE + 1]]), torch.tensor([[1, 2, CATALOGUE]])
    guest, item = model.encode(as_guest, longer), model.encode(as_item, table)
    torch.testing.assert_close(vectors_of(guest), vectors_of(item))
    if item.themes is not None:
        torch.testing.assert_close(guest.themes, item.themes)
    assert len(longer.vectors) == CATALOGUE + 2
    for name, derived in table.derived.items():
        torch.testing.assert_close(longer.derived[name][:-1], derived)


# ── the loss ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("variant", ["means", "themes"])
@pytest.mark.parametrize("gate", GATES)
def test_the_loss_is_minus_the_mean_log_score_of_the_targets_where_every_item_is_warm(gate: str, variant: str) -> None:
    model = random_model(tiny_config(gate=gate, semantic=variant, warm_items=CATALOGUE)).train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model.config = model.config.model_copy(update={"id_dropout": 0.0})
    items = random_histories(5, 14)
    items[2, 9:] = 0
    history, targets = items[:, :-1], items[:, 1:]
    marked = targets > 0
    expected = -model.log_scores(history, marked).gather(1, targets[marked][:, None] - 1).mean()
    torch.testing.assert_close(model.loss(history, targets), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(model(history, targets), expected, atol=1e-4, rtol=1e-4)


def test_positions_without_a_target_do_not_count(model: M2Rec) -> None:
    items = random_histories(2, 12, highest=WARM)
    history, targets = items[:, :-1], items[:, 1:].clone()
    targets[:, :4] = 0
    parts = [model.loss(history, torch.where(torch.arange(11) == t, targets, 0)) for t in range(4, 11)]
    torch.testing.assert_close(model.loss(history, targets), torch.stack(parts).mean(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("branches", [BRANCHES, ("temporal", "semantic")])
def test_each_branchs_own_cross_entropy_is_added_in_its_measure(branches: tuple[str, ...]) -> None:
    model = random_model(tiny_config(branches=branches, warm_items=CATALOGUE))
    items = random_histories(3, 10)
    history, targets = items[:, :-1], items[:, 1:]
    everywhere = torch.ones_like(history, dtype=torch.bool)
    flat = model.encode(history).at(everywhere)
    own = model.branch_log_probabilities(flat, seen_items(history, everywhere, CATALOGUE))  # (N, M, V)
    at_target = own.gather(2, targets.flatten()[:, None, None].expand(-1, 3, 1) - 1)[..., 0].mean(0)
    cross_entropies = -at_target[[name in branches for name in BRANCHES]].sum()
    expected = model.loss(history, targets) + 0.3 * cross_entropies
    torch.testing.assert_close(model.loss(history, targets, branch_loss=0.3), expected, atol=1e-4, rtol=1e-4)


class _Waits(TorchDispatchMode):
    """Counts the operations whose result's size only the device knows: on a GPU the host waits for each."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        by_mask = func in (torch.ops.aten.index.Tensor, torch.ops.aten.index_put_.default) and any(
            part is not None and part.dtype == torch.bool for part in args[1]
        )
        looks = func in (torch.ops.aten.nonzero.default, torch.ops.aten.masked_select.default)
        self.count += by_mask or looks or func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize(("frequency", "semantic", "waits"), [("spectral", "means", 1), ("periodic", "themes", 3)])
def test_a_training_step_looks_for_its_targets_once(gate: str, frequency: str, semantic: str, waits: int) -> None:
    """What recurs is two looks more: how many different items a row has, and which choices have a past."""
    model = random_model(tiny_config(gate=gate, frequency=frequency, semantic=semantic)).train()
    items = random_histories(4, 12, highest=WARM)
    items[2, 9:] = 0
    with _Waits() as counted:
        model.loss(items[:, :-1], items[:, 1:], branch_loss=0.02).backward()
    assert counted.count == waits


def test_a_few_steps_of_training_bring_the_loss_down() -> None:
    torch.manual_seed(0)
    model = M2Rec(tiny_config(dropout=0.0, id_dropout=0.0), F.normalize(torch.randn(CATALOGUE + 1, 384), dim=-1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    round_the_shop = (torch.randint(WARM, (16, 1)) + torch.arange(13)) % WARM + 1
    losses = []
    for _ in range(25):
        loss = model.loss(round_the_shop[:, :-1], round_the_shop[:, 1:], branch_loss=0.02)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[0] > 2.5  # log 28 = 3.3
    assert losses[-1] < 0.5 * losses[0]


# ── what it is made of ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("setting", "expected"), [(True, -2.5), (False, 0.0)])
def test_the_repeat_bias_starts_where_it_is_said_to_in_models_that_have_one(setting: bool, expected: float) -> None:
    model = M2Rec(tiny_config(repeat_bias=setting), repeat_bias=-2.5)
    for branch in (model.temporal, model.semantic):
        assert branch.softmax.repeat_bias == expected
        assert branch.softmax.repeat_bias.requires_grad == setting


def test_text_vectors_of_another_shape_are_refused_with_both_shapes() -> None:
    with pytest.raises(ValueError, match=r"text_vectors must be \(31, 384\), not \(30, 384\)"):
        M2Rec(tiny_config(), torch.zeros(30, 384))


def test_the_text_vectors_are_saved_and_not_learnt(model: M2Rec) -> None:
    assert "text" in model.state_dict()
    assert "text" not in dict(model.named_parameters())


def test_the_model_does_not_share_memory_with_the_vectors_it_was_given() -> None:
    vectors = torch.ones(31, 384)
    model = M2Rec(tiny_config(), vectors)
    vectors.zero_()
    assert (model.text == 1).all()
