"""The table of item vectors, with and without text."""

import torch

from m2rec.baselines.vectors import ItemVectors

TEXT = torch.tensor([[0.0, 0], [1, 0], [0, 1], [1, 1]])


def test_without_text_a_cold_item_has_a_zero_vector_and_no_score() -> None:
    items = ItemVectors(3, 2, 4)
    table = items.table()
    assert torch.equal(table.vectors[[0, 3]], torch.zeros(2, 4))
    assert torch.equal(table.vectors[1:3], items.ids)
    assert len(table.bias) == 2


def test_with_text_an_item_is_its_id_vector_plus_its_projected_text() -> None:
    items = ItemVectors(3, 2, 4, TEXT)
    with torch.no_grad():
        items.bias.copy_(torch.tensor([1.0, 4.0]))
    table = items.table()
    projected = TEXT @ items.project.weight.T
    assert torch.equal(table.vectors[0], torch.zeros(4))
    torch.testing.assert_close(table.vectors[1:3], items.ids + projected[1:3])
    torch.testing.assert_close(table.vectors[3], projected[3])
    assert table.bias.tolist() == [1.0, 4.0, 2.5]  # a cold item's popularity is taken to be average


def test_in_training_some_items_are_treated_as_cold() -> None:
    torch.manual_seed(0)
    items = ItemVectors(1000, 1000, 4, torch.zeros(1001, 2), id_dropout=0.3)
    gone = (items.table().vectors[1:] == 0).all(-1)
    assert 0.25 < gone.float().mean() < 0.35
    assert not (items.eval().table().vectors[1:] == 0).all(-1).any()
