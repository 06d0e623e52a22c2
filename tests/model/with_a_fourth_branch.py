"""A program with a fourth branch: it changes `m2rec/branches.py` alone, then trains, evaluates and saves a model.

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
        variants={"last": Variant(network="tests.model.echo.EchoBranch")},
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


def main() -> None:
    """Raises where something does not hold; says nothing otherwise."""
    import pytest
    import torch

    from m2rec.checkpoint import Checkpoint
    from m2rec.errors import CheckpointError
    from m2rec.evaluation.gates import gate_weights
    from m2rec.evaluation.protocol import evaluate
    from m2rec.training.run import train
    from m2rec.training.settings import TrainingSettings
    from tests.tiny_world import random_model, tiny_checkpoint, tiny_config
    from tests.training.small import small_model, small_prepared

    folder, gate = Path(sys.argv[1]), sys.argv[2]

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

    begun, prepared = small_model(gate=gate), small_prepared()
    settings = TrainingSettings(epochs=2, batch_size=8, warmup_steps=2, learning_rate=5e-3, branch_loss=0.1)
    trained = train(begun, prepared, settings, 12, folder / "state", cpu=True, show=False)
    assert trained.progress.epochs[1].loss < trained.progress.epochs[0].loss
    assert 0 < evaluate(trained.model, prepared, "test", 12).figures["unmasked"]["HR@10"] <= 1
    gates = gate_weights(trained.model, prepared, "test", 12)
    assert gates.shape[1] == 4
    assert (gates[:, 3] > 0).all()

    saved = tiny_checkpoint(gate=gate)
    assert saved.config.gate_labels["echo"] == "likeness: what is like the newest item"
    saved.save(folder / "checkpoint")
    checkpoint = Checkpoint.load(folder / "checkpoint")
    with pytest.raises(
        CheckpointError, match=r"has a branch, echo, .* answers need its counterpart in m2rec/inference"
    ):
        checkpoint.inference()
    loaded = checkpoint.model().state_dict()
    assert {name for name in loaded if name.startswith("echo.")}
    for name, tensor in random_model(tiny_config(gate=gate)).state_dict().items():
        torch.testing.assert_close(loaded[name], tensor)


if __name__ == "__main__":
    add_branch()
    main()
