"""A program with a fourth branch: it changes `m2rec/branches.py` alone, then trains, evaluates, saves and answers.

python -m tests.model.with_a_fourth_branch FOLDER [the value of the setting `gate`]
"""

import sys
from pathlib import Path
from types import ModuleType

from tests.places import ROOT

ENTRY = """    "echo": Evidence(
        key="echo",
        name="Echo",
        plain="likeness",
        asks="what is like the newest item",
        label="likeness: what is like the newest item",
        cause=None,
        colour="#CC79A7",
        pattern="x",
        mark="■",
        variants={"last": Variant(network="tests.model.echo.EchoBranch", inference="tests.inference.echo.Echo")},
    ),
}
ORDERED"""


def add_branch() -> None:
    """Make `m2rec.branches` of its source with one more key and one more entry, before anything else imports it."""
    source = (ROOT / "m2rec" / "branches.py").read_text(encoding="utf-8")
    for old, new in (('"semantic"]', '"semantic", "echo"]'), ("}\nORDERED", ENTRY)):
        assert source.count(old) == 1
        source = source.replace(old, new)
    changed = sys.modules["m2rec.branches"] = ModuleType("m2rec.branches")
    exec(compile(source, "branches.py", "exec"), changed.__dict__)


def read(gate: str) -> None:
    """All positions, the newest alone and item by item give one answer, in which the branch has a share."""
    import torch

    from tests.tiny_world import random_model, tiny_config

    model = random_model(tiny_config(gate=gate)).requires_grad_(False)
    history = torch.tensor([[1, 5, 1, 9, 30]])
    whole, last, state = model.encode(history).newest(), model.encode_last(history), model.start()
    for item in history[0]:
        step, state = model.step(item[None], state)
    assert whole.log_gate.shape == (1, 4)
    for other in (last, step):
        torch.testing.assert_close(other.log_gate, whole.log_gate, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(other.branches["echo"].vector, whole.branches["echo"].vector, atol=1e-4, rtol=1e-4)
    shares = model.shares(whole, torch.zeros(1, 30, dtype=torch.bool))
    assert shares.shape == (1, 4, 30)
    torch.testing.assert_close(shares.sum(), torch.tensor(1.0))


def train_and_evaluate(folder: Path, gate: str) -> None:
    """Its weights learn with the others, its gate weight and its share of the figures are there."""
    from m2rec.evaluation.gates import gate_weights
    from m2rec.evaluation.protocol import evaluate
    from m2rec.training.run import train
    from m2rec.training.settings import TrainingSettings
    from tests.training.small import small_model, small_prepared

    begun, prepared = small_model(gate=gate), small_prepared()
    settings = TrainingSettings(epochs=2, batch_size=8, warmup_steps=2, learning_rate=5e-3, branch_loss=0.1)
    trained = train(begun, prepared, settings, 12, folder / "state", cpu=True, show=False)
    assert trained.progress.epochs[1].loss < trained.progress.epochs[0].loss
    assert 0 < evaluate(trained.model, prepared, "test", 12).figures["unmasked"]["HR@10"] <= 1
    gates = gate_weights(trained.model, prepared, "test", 12)
    assert gates.shape[1] == 4
    assert (gates[:, 3] > 0).all()


def save_and_load(folder: Path, gate: str) -> None:
    """Into `folder`, with all weights and its label. Without a counterpart in NumPy it cannot answer, and says so."""
    import pytest
    import torch

    from m2rec.branches import EVIDENCE, Variant
    from m2rec.checkpoint import Checkpoint
    from m2rec.errors import CheckpointError
    from tests.tiny_world import random_model, tiny_checkpoint, tiny_config

    saved = tiny_checkpoint(gate=gate)
    assert saved.config.gate_labels["echo"] == "likeness: what is like the newest item"
    saved.save(folder)
    checkpoint = Checkpoint.load(folder)
    loaded = checkpoint.model().state_dict()
    assert {name for name in loaded if name.startswith("echo.")}
    for name, tensor in random_model(tiny_config(gate=gate)).state_dict().items():
        torch.testing.assert_close(loaded[name], tensor)

    variants = EVIDENCE["echo"].variants
    both = variants["last"]
    variants["last"] = Variant(network=both.network)
    assert checkpoint.model().state_dict().keys() == loaded.keys()
    with pytest.raises(
        CheckpointError, match=r"has a branch, echo, .* answers need its counterpart in m2rec/inference"
    ):
        checkpoint.inference()
    variants["last"] = both


def answer(folder: Path, gate: str) -> None:
    """From `folder`, as the network in PyTorch does: every way to read, invented items, and all that is shown."""
    import numpy as np
    import torch

    from m2rec.inference.registry import expected_shapes
    from m2rec.recommend.explain.computation import computation
    from m2rec.recommend.explain.days import guesses
    from m2rec.recommend.recommender import Recommender
    from tests.inference.test_engine import same_as_the_network

    recommender = Recommender.from_pretrained(folder)
    model, table, engine = recommender.model, recommender.model.item_table(), recommender.inference
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    assert expected_shapes(model.config) == shapes
    items = [1, 5, 1, 9, 30, 2, 1, 5, 1, 9]
    same_as_the_network(model, table, engine, items)
    same_as_the_network(model, table, engine, items, [0.0, 1.0, 1.0, 0.0])
    texts = torch.nn.functional.normalize(torch.randn(1, 384, generator=torch.Generator().manual_seed(5)), dim=-1)
    invented = model.encode(torch.tensor([[*items, 31]]), model.extend(table, texts))
    np.testing.assert_allclose(
        engine.extended(texts.numpy()).read([*items, 31]).gates, invented.log_gate[0].exp(), atol=1e-4
    )

    history = [recommender.items[item - 1].item_id for item in items]
    found = recommender.recommend(history, k=5)
    seen = torch.from_numpy(engine.seen(items))[None]
    shares = model.shares(model.encode_last(torch.tensor([items]), table), seen, table)[0]  # (4, V)
    for item in found.items:
        of_network = shares[:, recommender.catalogue.index(item.item_id) - 1]
        np.testing.assert_allclose(list(item.contributions.values()), of_network, atol=1e-4)
        assert item.contributions["echo"] > 0
    assert list(found.gates) == ["temporal", "frequency", "semantic", "echo"]
    assert [row["echo"] > 0 for row in found.gate_history] == [True] * len(items)
    assert found.figure("gate").data[3].name == "Echo"
    assert "Echo" in found.figure("mixture").to_json()
    for other in (recommender.start(history).answer(5), guesses(recommender, history)[-1]):
        gates = other.gates if hasattr(other, "gates") else other.gate
        np.testing.assert_allclose(list(gates.values()), list(found.gates.values()), atol=1e-4)
    alone = recommender.recommend(history, k=3, gate_override={"echo": 1.0})
    assert alone.gates["echo"] == 1
    if gate == "distributions":
        best = engine.distributions(engine.read(items).position, engine.seen(items))[3].argmax()
        assert recommender.catalogue.index(alone.items[0].item_id) == best + 1
    first = recommender.recommend(history, k=1).items[0]
    taken_apart = computation(recommender, history, first.item_id)
    np.testing.assert_allclose(taken_apart.contributions["echo"], first.contributions["echo"], rtol=1e-5)
    assert "echo" not in taken_apart.terms.branches  # it has no terms to show


def show(folder: Path) -> None:
    """On the page, without a panel of its own: its slider, its share on each card, and the sum that it is part of."""
    from m2rec.recommend.recommender import Recommender
    from m2rec.ui.session.world import World
    from m2rec.ui.session.worlds import Worlds
    from m2rec.ui.web.document import Documents
    from m2rec.ui.web.service import Service

    service = Service(Worlds({"tiny-shop": World("tiny-shop", lambda: Recommender.from_pretrained(folder))}))
    document = Documents(service).document("http://localhost/").decode()
    assert '{"key": "echo", "mark": "\\u25a0", "name": "Echo", "plain": "likeness"}' in document  # for the scripts
    assert ".m2 .echo { --tint: #CC79A7; }" in document
    first = service.first()
    assert 'data-weight="echo"' in first["html"]["gate"]
    assert "echo " in first["html"]["cards"]
    by_hand = {"type": "override", "branch": "echo", "weight": 0.9, "current": first["gates"]}
    shown = service.act({"session": first["session"], "action": by_hand})
    assert round(shown["gates"]["echo"], 6) == 0.9
    assert "likeness" in shown["html"]["reading"]
    without = service.act({"session": first["session"], "action": {"type": "set", "compare": "echo"}})
    assert "No echo branch" in without["html"]["cards"]
    item = shown["ranking"][0]
    for what in ("details", "computed", "days", "gate_table", "repeat"):
        assert "html" in service.ask({"session": shown["session"], "what": what, "text": item})
    computed = service.ask({"session": shown["session"], "what": "computed", "text": item})["html"]
    assert '<i class="fill echo"' in computed
    assert "from likeness" in computed


def main() -> None:
    """Raises where something does not hold; says nothing otherwise."""
    folder, gate = Path(sys.argv[1]), sys.argv[2]
    read(gate)
    train_and_evaluate(folder, gate)
    save_and_load(folder / "checkpoint", gate)
    answer(folder / "checkpoint", gate)
    show(folder / "checkpoint")


if __name__ == "__main__":
    add_branch()
    main()
