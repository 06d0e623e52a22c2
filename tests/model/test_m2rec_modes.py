"""All positions at once, the newest position only, and one cached step per item: the same weights, one answer."""

import pytest
import torch

from m2rec.model.branch import BranchOutput
from m2rec.model.frequency.filters import LONGEST_FOR_MATMUL
from m2rec.model.frequency.recurrence import RecurrenceScores, recurrence_log_probs
from m2rec.model.m2rec import Encoded, M2Rec
from m2rec.model.softmax import seen_items
from tests.model.histories import CATALOGUE, random_histories, vectors_of
from tests.tiny_world import random_model, tiny_config

AGREE = 1e-4  # in float32
VARIANTS = (
    {},
    {"temporal_layers": 2},
    {"semantic": "themes"},
    {"semantic": "themes", "frequency": "spectral"},
    {"semantic": "themes", "gate": "features"},
    {"gate": "features"},
    {"branches": ("temporal", "frequency")},
    {"frequency": "spectral", "adaptive_filter": False, "periods": ()},
    {"frequency": "spectral", "temporal_input": "vectors", "semantic_by_text": False},
)


def by_steps(model: M2Rec, items: torch.Tensor, keep: torch.Tensor | None = None) -> Encoded:
    """`step` over all positions, stacked as `encode` has it."""
    state, rows, table = model.start(len(items)), [], model.item_table()
    for item in items.unbind(1):
        encoded, state = model.step(item, state, table, keep)
        rows.append(encoded)
    names = rows[0].branches
    return Encoded(
        {name: together([row.branches[name] for row in rows]) for name in names},
        torch.stack([row.log_gate for row in rows], 1),
    )


def together(steps: list[BranchOutput]) -> BranchOutput:
    """What a branch said at each step, as it says it at all positions; recurrence over the whole catalogue."""
    detail = {name: [step.detail[name] for step in steps] for name in steps[0].detail}
    if "scores" in detail:
        scores = [recurrence_log_probs(RecurrenceScores.of(step), CATALOGUE) for step in steps]
        detail |= {"scores": scores, "items": [torch.arange(1, CATALOGUE + 1).expand(row.shape) for row in scores]}
    vector = torch.stack([step.vector for step in steps], 1)
    return BranchOutput(vector, None, {name: torch.stack(parts, 1) for name, parts in detail.items()})


def pick(encoded: Encoded, rows: torch.Tensor, positions: torch.Tensor) -> Encoded:
    """One position of each row."""
    where = torch.zeros(encoded.log_gate.shape[:2], dtype=torch.bool)
    where[rows, positions] = True
    return encoded.at(where)


def assert_one_answer(model: M2Rec, items: torch.Tensor, lengths: torch.Tensor, *ways: Encoded) -> None:
    """Same features, gate, gains, shares and the same ten items on top."""
    where = torch.zeros_like(items, dtype=torch.bool)
    where[torch.arange(len(items)), lengths - 1] = True
    seen = seen_items(items, where, CATALOGUE)
    first, *others = ways
    shares = model.shares(first, seen)
    top = shares.sum(1).topk(10).indices
    for other in others:
        torch.testing.assert_close(vectors_of(other), vectors_of(first), atol=AGREE, rtol=AGREE)
        torch.testing.assert_close(other.gains, first.gains, atol=AGREE, rtol=AGREE)
        torch.testing.assert_close(other.log_gate.exp(), first.log_gate.exp(), atol=AGREE, rtol=AGREE)
        theirs = model.shares(other, seen)
        torch.testing.assert_close(theirs, shares, atol=AGREE, rtol=AGREE)
        assert torch.equal(theirs.sum(1).topk(10).indices, top)


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_three_ways_one_answer_for_every_length_up_to_forty(changes: dict) -> None:
    model = random_model(tiny_config(**changes))
    lengths = torch.arange(1, 41)
    real = torch.arange(40) < lengths[:, None]
    items = random_histories(40, 40) * real
    rows = torch.arange(40)
    whole = pick(model.encode(items), rows, lengths - 1)
    steps = pick(by_steps(model, items), rows, lengths - 1)
    assert_one_answer(model, items, lengths, whole, model.encode_last(items), steps)


@pytest.mark.slow
@pytest.mark.parametrize("layers", [1, 2])
def test_three_ways_one_answer_for_a_long_history(layers: int) -> None:
    model = random_model(tiny_config(temporal_layers=layers))
    length = LONGEST_FOR_MATMUL + 20
    items = random_histories(2, length)
    end = torch.full((2,), length)
    rows = torch.arange(2)
    whole, steps = model.encode(items), by_steps(model, items)
    assert_one_answer(
        model, items, end, pick(whole, rows, end - 1), model.encode_last(items), pick(steps, rows, end - 1)
    )
    torch.testing.assert_close(vectors_of(steps), vectors_of(whole), atol=AGREE, rtol=AGREE)
    torch.testing.assert_close(steps.log_gate.exp(), whole.log_gate.exp(), atol=AGREE, rtol=AGREE)


def test_three_ways_one_answer_with_bands_muted(model: M2Rec) -> None:
    keep = torch.tensor([1.0, 0.0, 1.0, 0.0])
    items, rows, end = random_histories(4, 30), torch.arange(4), torch.full((4,), 30)
    whole, steps = model.encode(items, keep=keep), by_steps(model, items, keep)
    last = model.encode_last(items, keep=keep)
    assert_one_answer(model, items, end, pick(whole, rows, end - 1), last, pick(steps, rows, end - 1))
    assert (model.encode_last(items).gains - last.gains).abs().max() > 1e-2


def test_a_table_made_once_gives_what_a_table_made_each_time_gives(model: M2Rec) -> None:
    items = random_histories(2, 10)
    torch.testing.assert_close(vectors_of(model.encode(items, model.item_table())), vectors_of(model.encode(items)))


def test_a_step_leaves_the_state_it_was_given_alone(model: M2Rec) -> None:
    _, state = model.step(torch.tensor([3]), model.start())
    first, _ = model.step(torch.tensor([5]), state)
    model.step(torch.tensor([9]), state)
    again, _ = model.step(torch.tensor([5]), state)
    assert torch.equal(vectors_of(first), vectors_of(again))


def test_scores_at_the_ends_take_the_short_way_to_the_same_numbers(
    model: M2Rec, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = random_histories(3, 15)
    items[1, 9:] = 0
    ends = torch.zeros_like(items, dtype=torch.bool)
    ends[torch.arange(3), torch.tensor([14, 8, 14])] = True
    everywhere = model.log_scores(items, items > 0)
    expected = everywhere[ends[items > 0]]
    monkeypatch.setattr(model, "encode", None)  # the long way is closed
    torch.testing.assert_close(model.log_scores(items, ends), expected, atol=AGREE, rtol=AGREE)


def test_one_mark_a_row_that_is_not_its_end_takes_the_long_way(model: M2Rec) -> None:
    items = random_histories(2, 15)
    where = torch.zeros_like(items, dtype=torch.bool)
    where[:, 6] = True
    torch.testing.assert_close(
        model.log_scores(items, where), model.log_scores(items[:, :7], where[:, :7]), atol=AGREE, rtol=AGREE
    )
