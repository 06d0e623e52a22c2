"""What comes later, what is padding and who else is in the batch: none of it may change an answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from m2rec.checkpoint import Checkpoint
from m2rec.model.frequency.filters import LONGEST_FOR_MATMUL
from m2rec.model.frequency.periodic import PeriodicBranch
from m2rec.model.m2rec import M2Rec
from m2rec.model.semantic.means import MeansBranch
from tests.model.histories import CATALOGUE, WARM, histories, marks, padded, random_histories, vectors_of
from tests.tiny_world import random_model, tiny_checkpoint, tiny_config

VARIANTS = {
    "default": {},
    "two layers": {"temporal_layers": 2},
    "gate on features": {"gate": "features"},
    "equal gate": {"gate": "equal"},
    "fixed filter": {"adaptive_filter": False},
    "themes": {"semantic": "themes"},
    "everything reads vectors": {"frequency": "spectral", "temporal_input": "vectors", "semantic_by_text": False},
}
MODELS = {name: random_model(tiny_config(**changes)) for name, changes in VARIANTS.items()}

models = st.sampled_from(list(MODELS.values()))


def parts(model: M2Rec, items: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Everything that the model makes of a batch, by name, each (B, L, …)."""
    table = model.item_table()
    own, unit, text = (F.embedding(items, part) for part in (table.inputs, table.unit, table.text))
    frequency = model.frequency(items, table) if isinstance(model.frequency, PeriodicBranch) else model.frequency(unit)
    yield "temporal branch", model.temporal(own)
    if isinstance(model.semantic, MeansBranch):
        yield "semantic branch", model.semantic(text)
    yield "frequency branch", frequency.vector
    yield "frequency evidence", frequency.evidence
    encoded = model.encode(items)
    yield "vectors", vectors_of(encoded)
    yield "gate", encoded.log_gate
    yield "gains", encoded.gains
    if encoded.themes is not None:
        yield "themes", encoded.themes
    yield "log scores", model.log_scores(items, torch.ones_like(items, dtype=torch.bool)).unflatten(0, items.shape)


# ── causality ───────────────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=15)
@given(model=models, data=st.data(), seed=st.integers(0, 99))
def test_what_comes_later_changes_nothing_earlier(model: M2Rec, data: st.DataObject, seed: int) -> None:
    history = torch.tensor([data.draw(histories(2, 30))])
    t = data.draw(st.integers(1, history.shape[1] - 1))  # this item and all after it are exchanged
    other = history.clone()
    other[:, t:] = (history[:, t:] + random_histories(1, history.shape[1], seed)[:, t:]) % CATALOGUE + 1
    for (name, before), (_, after) in zip(parts(model, history), parts(model, other), strict=True):
        torch.testing.assert_close(before[:, :t], after[:, :t], atol=1e-5, rtol=1e-5, msg=f"{name} saw the future")


def test_every_part_sees_the_present_or_the_past_so_that_the_test_above_can_fail(model: M2Rec) -> None:
    history = random_histories(1, 12)
    other = history.clone()
    other[:, 5] = history[:, 5] % CATALOGUE + 1
    for (name, before), (_, after) in zip(parts(model, history), parts(model, other), strict=True):
        assert (before[:, 5:] - after[:, 5:]).abs().max() > 1e-3, name


def test_nothing_leaks_back_through_the_fft_of_a_long_history(model: M2Rec) -> None:
    history = random_histories(1, LONGEST_FOR_MATMUL + 38)
    cut = LONGEST_FOR_MATMUL + 20
    other = torch.cat([history[:, :cut], random_histories(1, 18, seed=1)], dim=1)
    for (name, before), (_, after) in zip(parts(model, history), parts(model, other), strict=True):
        torch.testing.assert_close(before[:, :cut], after[:, :cut], atol=1e-4, rtol=1e-4, msg=f"{name} leaks")


def test_no_gradient_flows_from_an_answer_to_a_later_item() -> None:
    model = MODELS["everything reads vectors"]
    items = random_histories(1, 20)
    table = model.item_table()
    inputs = [F.embedding(items, part).detach().requires_grad_() for part in (table.inputs, table.unit, table.text)]
    outputs = model.temporal(inputs[0]), model.frequency(inputs[1]).vector, model.semantic(inputs[2])
    for x, y in zip(inputs, outputs, strict=True):
        (slope,) = torch.autograd.grad(y[:, 8].sum(), x)
        assert (slope[:, 9:] == 0).all()
        assert slope[:, :8].abs().sum() > 0


# ── padding and batches ─────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=12)
@given(model=models, row=histories(1, 25), extra=st.integers(1, 40))
def test_padding_changes_nothing(model: M2Rec, row: list[int], extra: int) -> None:
    bare, wide = padded([row]), padded([row], extra)
    for (name, before), (_, after) in zip(parts(model, bare), parts(model, wide), strict=True):
        torch.testing.assert_close(after[:, : len(row)], before, atol=1e-5, rtol=1e-4, msg=f"{name} sees padding")
    last, padded_last = model.encode_last(bare), model.encode_last(wide)
    torch.testing.assert_close(vectors_of(padded_last), vectors_of(last), atol=1e-5, rtol=1e-4)
    for name in ("log_gate", "gains"):
        torch.testing.assert_close(getattr(padded_last, name), getattr(last, name), atol=1e-5, rtol=1e-4)


@settings(max_examples=12)
@given(model=models, rows=st.lists(histories(1, 20), min_size=2, max_size=5), extra=st.integers(0, 5))
def test_a_row_in_a_batch_is_a_row_alone(model: M2Rec, rows: list[list[int]], extra: int) -> None:
    batch = padded(rows, extra)
    scores = model.log_scores(batch, marks(rows, batch.shape[1]))
    alone = [model.log_scores(torch.tensor([row]), torch.ones(1, len(row), dtype=torch.bool)) for row in rows]
    torch.testing.assert_close(scores, torch.cat(alone), atol=1e-4, rtol=1e-4)
    last = model.encode_last(batch)
    for place, row in enumerate(rows):
        single = model.encode_last(torch.tensor([row]))
        torch.testing.assert_close(vectors_of(last)[place], vectors_of(single)[0], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(last.log_gate[place], single.log_gate[0], atol=1e-4, rtol=1e-4)


@settings(max_examples=10)
@given(model=models, rows=st.lists(histories(2, 12), min_size=1, max_size=4), extra=st.integers(0, 30))
def test_the_loss_is_the_mean_over_targets_whatever_the_padding(
    model: M2Rec, rows: list[list[int]], extra: int
) -> None:
    rows = [[(item - 1) % WARM + 1 for item in row] for row in rows]
    history, targets = padded([row[:-1] for row in rows], extra), padded([row[1:] for row in rows], extra)
    alone = [model.loss(torch.tensor([row[:-1]]), torch.tensor([row[1:]])) * (len(row) - 1) for row in rows]
    expected = torch.stack(alone).sum() / sum(len(row) - 1 for row in rows)
    torch.testing.assert_close(model.loss(history, targets), expected, atol=1e-4, rtol=1e-4)


# ── saving ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", VARIANTS)
def test_a_saved_and_loaded_model_answers_bit_for_bit_as_before(name: str, tmp_path: Path) -> None:
    checkpoint = tiny_checkpoint(**VARIANTS[name])
    checkpoint.save(tmp_path / "world")
    loaded = Checkpoint.load(tmp_path / "world").model()
    items = random_histories(3, 20)
    where = torch.ones_like(items, dtype=torch.bool)
    original = checkpoint.model().log_scores(items, where)
    assert torch.equal(loaded.log_scores(items, where), original)
    assert torch.equal(MODELS[name].log_scores(items, where), original)
