"""A run small enough for a test, also as a program: `python -m tests.training.small STATE EPOCHS`."""

import sys
from pathlib import Path

import numpy as np
import torch
from accelerate import PartialState

from m2rec.data.prepared import Prepared
from m2rec.data.sequences import Sequences
from m2rec.data.split import leave_one_out
from m2rec.model.config import ModelConfig
from m2rec.model.m2rec import M2Rec
from m2rec.training.resume import EpochReport
from m2rec.training.run import train
from m2rec.training.settings import TrainingSettings

ITEMS = 20
SHAPE = {
    "items": ITEMS,
    "warm_items": ITEMS,
    "text_width": 8,
    "width": 16,
    "heads_per_scale": 1,
    "head_width": 8,
    "state_width": 8,
    "filter_length": 16,
    "periods": (2, 3, 7),
    "identity_width": 8,
    "max_length": 12,
    "dropout": 0.0,
    "id_dropout": 0.0,
}


def small_prepared(users: int = 40) -> Prepared:
    """Users who step through a circle of items in order, from random starts, for 4 to 19 steps."""
    rng = np.random.default_rng(0)
    histories = [(rng.integers(ITEMS) + np.arange(rng.integers(4, 20))) % ITEMS + 1 for _ in range(users)]
    sequences = Sequences.from_lists(histories)
    vectors = rng.normal(size=(ITEMS + 1, 8)).astype(np.float32)
    vectors[0] = 0
    names = [str(i) for i in range(1, ITEMS + 1)]
    return Prepared(
        name="small",
        sequences=sequences,
        split=leave_one_out(sequences, None),
        user_ids=[str(u) for u in range(users)],
        item_ids=names,
        titles=names,
        texts=names,
        groups=names,
        warm_items=ITEMS,
        train_counts=np.ones(ITEMS, dtype=np.int64),
        text_vectors=vectors,
    )


def small_model(text_of: Prepared | None = None, **changes: object) -> M2Rec:
    """A model without dropout, so that only the order of the batches is random. `changes` replace settings of SHAPE."""
    torch.manual_seed(0)
    config = ModelConfig(**SHAPE | changes)
    return M2Rec(config, torch.from_numpy((text_of or small_prepared()).text_vectors))


def main() -> None:
    """Train and print one JSON line an epoch, then one with a digest of the weights."""
    settings = TrainingSettings(
        epochs=int(sys.argv[2]), batch_size=7, warmup_steps=2, learning_rate=5e-3, patience=1000
    )

    def report(epoch: EpochReport) -> None:
        sys.stdout.write(epoch.model_dump_json() + "\n")
        sys.stdout.flush()

    model = small_model()
    trained = train(model, small_prepared(), settings, 12, Path(sys.argv[1]), cpu=True, show=False, on_epoch=report)
    if PartialState().is_main_process:
        digest = [float(tensor.double().norm()) for tensor in trained.model.state_dict().values()]
        last = trained.progress.epochs[-1].loss
        sys.stdout.write(f'{{"loss": {last}, "weights": {digest}, "processes": {PartialState().num_processes}}}\n')


if __name__ == "__main__":
    main()
