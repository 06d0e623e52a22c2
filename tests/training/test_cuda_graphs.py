"""Steps by CUDA graphs: how batches are padded, and, on a GPU, the loss and gradients of a step without them."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from m2rec.training.cuda_graphs import LENGTHS, GraphedSteps, padded, padded_length
from m2rec.training.run import train
from m2rec.training.settings import TrainingSettings
from tests.model.test_gpu import BRANCH_LOSS, MODELS, histories, made
from tests.training.small import small_model, small_prepared

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@given(st.integers(1, 500), st.data())
def test_a_few_lengths_serve_all_batches(longest: int, data: st.DataObject) -> None:
    length = data.draw(st.integers(1, longest))
    assert length <= padded_length(length, longest) <= longest
    assert padded_length(longest, longest) == longest
    assert len({padded_length(one, longest) for one in range(1, longest + 1)}) <= LENGTHS


def test_a_batch_is_padded_with_zeros_or_cut() -> None:
    part = np.arange(1, 7).reshape(2, 3)
    assert padded(part, 3, 4).tolist() == [[1, 2, 3, 0], [4, 5, 6, 0], [0, 0, 0, 0]]
    assert padded(part, 2, 2).tolist() == [[1, 2], [4, 5]]


def test_a_step_that_cannot_be_recorded_runs_without_a_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*batch: torch.Tensor) -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: (0, 0))
    model = made("sasrec").train()
    graphs = GraphedSteps(model, model, 8, 200)
    monkeypatch.setattr(graphs, "_record", refuse)
    items, targets = histories()
    for _ in range(2):
        loss = graphs(items.numpy(), targets.numpy())
        found = {key: part.grad for key, part in model.named_parameters() if part.grad is not None}
        model.zero_grad(set_to_none=True)
        plain = model(items, targets)
        plain.backward()
        assert graphs.recorded == 0
        assert torch.equal(loss, plain.detach())
        assert all(torch.equal(found[key], part.grad) for key, part in model.named_parameters() if key in found)
        assert found


@needs_gpu
@pytest.mark.parametrize("low", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_graphs_give_the_loss_and_gradients_of_plain_steps(name: str, low: bool) -> None:
    card = torch.device("cuda")
    model = made(name).to(card).train()
    items, targets = (part.numpy() for part in histories())

    def forward(items: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=low):
            return model(items, targets, BRANCH_LOSS)

    graphs = GraphedSteps(forward, model, len(items) + 2, items.shape[1])
    close = 3e-2 if low else 2e-3
    for turn in range(6):  # two lengths, recorded and then run again after the weights have changed
        rows, length = (len(items), items.shape[1]) if turn % 2 else (2, 60)
        batch = items[:rows, :length], targets[:rows, :length]
        loss = graphs(*batch).item()
        found = {key: part.grad.clone() for key, part in model.named_parameters() if part.grad is not None}
        model.zero_grad(set_to_none=True)
        plain = forward(*(torch.from_numpy(part.copy()).to(card) for part in batch))
        plain.backward()
        assert loss == pytest.approx(plain.item(), abs=close)
        expected = {key: part.grad for key, part in model.named_parameters() if part.grad is not None}
        assert found.keys() == expected.keys()
        del plain  # a step that is still held keeps the next one from being recorded
        whole = torch.stack([gradient.norm() for gradient in expected.values()]).norm()
        apart = torch.stack([(found[key] - gradient).norm() for key, gradient in expected.items()]).norm()
        assert float(apart) <= 10 * close * float(whole)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.01 * torch.randn_like(parameter)
    assert graphs.recorded == 2


@needs_gpu
def test_a_run_on_the_gpu_learns_as_on_the_cpu(tmp_path: Path) -> None:
    settings = TrainingSettings(
        epochs=3, batch_size=8, warmup_steps=2, learning_rate=5e-3, ema_decay=0.9, precision="fp32"
    )
    reports: dict[bool, list[float]] = {True: [], False: []}
    for cpu in (True, False):
        model: nn.Module = small_model()
        for part in model.modules():
            if isinstance(part, nn.Dropout):
                part.p = 0.0
        run = partial(train, model, small_prepared(), settings, 12, tmp_path / str(cpu), cpu=cpu, show=False)
        run(on_epoch=lambda report, cpu=cpu: reports[cpu].append(report.loss))
    assert reports[False] == pytest.approx(reports[True], rel=1e-3)
