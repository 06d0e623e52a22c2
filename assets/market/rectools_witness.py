"""Another project's models take the test: SASRec and BERT4Rec as RecTools implements and trains them.

So that nobody has to take our word that the Rhythm Market can be learned from its files alone, or that our baselines
are honest. This file knows nothing of this project but the exported tables.

    python -m m2rec market export my-market                                            in this project's environment
    python assets/market/rectools_witness.py sasrec my-market sasrec.csv               in RecTools'
    python -m m2rec market grade sasrec.csv --market my-market --about sasrec.json     in this project's

RecTools holds older versions of numpy and pandas than this project, so it gets an environment of its own:

    python -m venv rectools && rectools/bin/pip install "rectools[torch]" safetensors

Model, loss (softmax over all items), optimiser and training loop are RecTools'. Ours is what surrounds them. Shape,
batches, epochs and learning rate (100 steps of warm-up, then a cosine) are those of our own baselines in this world.
Only training customers are learned from. HR@10 on some validation customers after each epoch says which weights are
kept. A run that was killed can still rank with what it kept (`--rank-only`). Products that no training customer bought
are unknown to RecTools: it neither reads nor recommends them, and misses all of their targets.

SASRec is causal: a test customer is read once, as in training, and all targets are ranked in that pass. BERT4Rec reads
the history anew before each target, with its mask in the target's place. Both are held against RecTools' own
`recommend` on a sample of the targets ("recommended" in the JSON file beside the lists).
"""

import argparse
import json
import math
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from pytorch_lightning import Callback, Trainer, seed_everything
from rectools import __version__ as RECTOOLS
from rectools.dataset import Dataset
from rectools.models import BERT4RecModel, SASRecModel
from safetensors.torch import load_file, save_file

TOP = 10
USER, ITEM, WEIGHT, CLOCK, RANK = "user_id", "item_id", "weight", "datetime", "rank"  # as RecTools names them
MODELS = {"sasrec": SASRecModel, "bert4rec": BERT4RecModel}
NAMES = {"sasrec": "SASRec", "bert4rec": "BERT4Rec"}
WARM_UP = 100  # steps
WATCHED = 400  # validation customers whose HR@10 chooses the epoch
SAMPLE = 2000  # targets that RecTools' own `recommend` answers too


def main() -> None:
    """Train, rank, and write the ranked lists and a JSON file that says what made them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("market", type=Path, help="a folder that `python -m m2rec market export` wrote, as CSV")
    parser.add_argument("lists", type=Path, help="the CSV file for the ranked lists")
    # the shape and the batches of this project's own baselines in this world
    for name, whole in (("length", 200), ("factors", 64), ("blocks", 2), ("heads", 2), ("batch", 16), ("epochs", 4)):
        parser.add_argument(f"--{name}", type=int, default=whole)
    for name, number in (("dropout", 0.1), ("rate", 3e-3), ("mask", 0.3)):
        parser.add_argument(f"--{name}", type=float, default=number)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bf16", action="store_true", help="mixed precision, where the processor is quicker with it")
    parser.add_argument("--rank-only", action="store_true", help="rank with the weights that an earlier run kept")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    seed_everything(arguments.seed)

    log, split = read_market(arguments.market)
    watch = Watch(arguments, log[log["part"] == "validation"], split)
    model = new_model(arguments, watch)
    training = log[log["part"] == "train"]
    dataset = Dataset.construct(as_interactions(training))
    if arguments.rank_only:
        model._build_model_from_dataset(dataset)  # the network without its training
        model.is_fitted = True
    else:
        model.fit(dataset)
    model.lightning_model.load_state_dict(load_file(watch.weights))
    about = json.loads(watch.about.read_text(encoding="utf-8"))
    test = log[log["part"] == "test"]
    network = model.lightning_model.torch_model.eval()
    with torch.no_grad():
        lists = ranked(network, model.data_preparator, test, split, arguments)
    lists.to_csv(arguments.lists, index=False)
    about["recommended"] = compared(model, lists, test)
    watch.about.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    say(json.dumps(about, indent=2))


def say(text: str) -> None:
    """A line on standard output, at once also where that is a file."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def read_market(folder: Path) -> tuple[pd.DataFrame, "pd.Series[int]"]:
    """Purchases by customer and day with the part of their customer, and each customer's first target."""
    log = pd.read_csv(folder / "interactions.csv", dtype={"user": str, "item": str})
    split = pd.read_csv(folder / "split.csv", dtype={"user": str}).set_index("user")
    log["part"] = log["user"].map(split["part"])
    return log.sort_values(["user", "position"], kind="stable"), split["first_target"]


def as_interactions(log: pd.DataFrame) -> pd.DataFrame:
    """As RecTools wants them; a day stays a day."""
    clock = pd.Timestamp("2000-01-01") + pd.to_timedelta(log["position"], unit="D")
    return pd.DataFrame({USER: log["user"], ITEM: log["item"], WEIGHT: 1.0, CLOCK: clock})


def new_model(arguments: argparse.Namespace, watch: "Watch") -> Any:
    """RecTools' model in the shape that was asked for; everything else is its default."""
    special = {"mask_prob": arguments.mask} if arguments.model == "bert4rec" else {}
    return MODELS[arguments.model](
        n_blocks=arguments.blocks,
        n_heads=arguments.heads,
        n_factors=arguments.factors,
        dropout_rate=arguments.dropout,
        # SASRec is given one item more to learn from than it reads; BERT4Rec's mask takes a place of its own
        session_max_len=arguments.length,
        loss="softmax",
        lr=arguments.rate,
        batch_size=arguments.batch,
        get_trainer_func=lambda: Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=arguments.epochs,
            precision="bf16-mixed" if arguments.bf16 else "32-true",
            callbacks=[watch],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            logger=False,
        ),
        **special,
    )


class Watch(Callback):
    """Sets the learning rate; after each epoch, measures some validation customers and keeps the best weights."""

    def __init__(self, arguments: argparse.Namespace, validation: pd.DataFrame, first: "pd.Series[int]") -> None:
        self.arguments, self.first = arguments, first
        self.weights = arguments.lists.with_suffix(".safetensors")
        self.about = arguments.lists.with_suffix(".json")
        some = validation["user"].drop_duplicates().iloc[:WATCHED]
        self.validation = validation[validation["user"].isin(some)]
        self.best, self.best_epoch, self.began, self.curve = -1.0, 0, time.monotonic(), list[float]()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Watch":
        return self  # RecTools trains with a copy of its trainer; what is found must be found here

    def on_train_batch_start(self, trainer: Any, module: Any, *_: Any) -> None:
        """Set the learning rate of this step."""
        step, steps = trainer.global_step, trainer.estimated_stepping_batches
        fallen = (step - WARM_UP) / max(1, steps - WARM_UP)
        factor = (step + 1) / WARM_UP if step < WARM_UP else 0.01 + 0.99 * (1 + math.cos(math.pi * fallen)) / 2
        for group in trainer.optimizers[0].param_groups:
            group["lr"] = self.arguments.rate * min(1.0, factor)

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        """Measure, and keep the weights if they are the best."""
        epoch = trainer.current_epoch + 1
        module.eval()
        with torch.no_grad():
            lists = ranked(
                module.torch_model, module.data_preparator, self.validation, self.first, self.arguments, every=4
            )
        module.train()
        hits = hit_rate(lists, self.validation)
        self.curve.append(round(hits, 4))
        cpu = time.process_time()
        loss = float(trainer.callback_metrics["train_loss"])
        say(f"epoch {epoch}: loss {loss:.4f}, validation HR@10 {hits:.4f}, {cpu:.0f} CPU seconds")
        if hits > self.best:
            self.best, self.best_epoch = hits, epoch
            save_file({name: tensor.contiguous() for name, tensor in module.state_dict().items()}, self.weights)
        self._write_about(module, epoch, cpu)

    def _write_about(self, module: Any, epoch: int, cpu: float) -> None:
        kept = ("epochs", "length", "factors", "blocks", "heads", "batch", "dropout", "rate", "mask", "bf16")
        settings = {name: value for name, value in vars(self.arguments).items() if name in kept}
        if self.arguments.model != "bert4rec":
            settings.pop("mask")
        flags = ["--bf16"] * self.arguments.bf16
        about = {
            "name": f"{NAMES[self.arguments.model]} of RecTools {RECTOOLS}",
            "compared_with": self.arguments.model,  # our own model of the kind, if there is one
            "settings": settings,
            "parameters": sum(weight.numel() for weight in module.parameters()),
            "seed": self.arguments.seed,
            "epochs": epoch,
            "best_epoch": self.best_epoch,
            "validation": self.curve,  # HR@10 after each epoch, every fourth target of `WATCHED` customers
            "cpu_seconds": round(cpu),
            "seconds": round(time.monotonic() - self.began),
            "hardware": f"cpu ({processor()}, {self.arguments.threads} threads)",
            "date": datetime.now(UTC).date().isoformat(),
            "command": " ".join(["python assets/market/rectools_witness.py", self.arguments.model, *flags]),
        }
        self.about.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def ranked(
    network: Any,
    preparator: Any,
    log: pd.DataFrame,
    first_target: "pd.Series[int]",
    arguments: argparse.Namespace,
    every: int = 1,
) -> pd.DataFrame:
    """The ten best items before each `every`-th target of the customers in `log`: user, position, rank, item.

    Read as RecTools reads: unknown items left out, padded on the left with 0.
    """
    known = preparator.item_id_map.to_internal
    extra, mask = preparator.n_item_extra_tokens, preparator.extra_token_ids.get("MASK")
    table = network.item_model.get_all_embeddings()
    names = preparator.item_id_map.get_external_sorted_by_internal().astype(str)
    answer = one_by_one if arguments.model == "bert4rec" else at_once
    parts = []
    for user, rows in log.groupby("user", sort=False):
        items = known.reindex(rows["item"]).to_numpy()
        read = items[~np.isnan(items)].astype(np.int64)
        before = np.concatenate([[0], np.cumsum(~np.isnan(items))])[:-1]  # how many known items precede each day
        asked = np.arange(int(first_target[user]), len(items))[::every]
        states = answer(network, table, read, before[asked], arguments.length, mask)
        scores = states.float() @ table.float().T
        best = scores[:, extra:].topk(TOP, dim=1).indices.numpy() + extra
        positions = np.repeat(rows["position"].to_numpy()[asked], TOP)
        ranks = np.tile(np.arange(1, TOP + 1), len(asked))
        parts.append(pd.DataFrame({"user": user, "position": positions, RANK: ranks, "item": names[best.ravel()]}))
    return pd.concat(parts, ignore_index=True)


def at_once(
    network: Any, table: torch.Tensor, read: np.ndarray, before: np.ndarray, length: int, mask: int | None
) -> torch.Tensor:
    """SASRec's states after the first `before` items, ascending: (T, d), all from one pass where they fit into it."""
    fits = before <= length
    if not fits.all():
        alone = one_by_one(network, table, read, before[~fits], length, None)
        return torch.cat([at_once(network, table, read, before[fits], length, mask), alone])
    read = read[: before.max()]
    row = torch.zeros(1, length, dtype=torch.long)
    row[0, length - len(read) :] = torch.from_numpy(read)
    states = network.encode_sessions({"x": row}, table)[0]
    return states[length - 1 - (before.max() - torch.from_numpy(before))]


def one_by_one(
    network: Any, table: torch.Tensor, read: np.ndarray, before: np.ndarray, length: int, mask: int | None
) -> torch.Tensor:
    """The states at the end of each history, (T, d): after `before` items and, for BERT4Rec, at the mask behind them.

    BERT4Rec does not look at padding, so a batch is as wide as its longest history.
    """
    end = [] if mask is None else [mask]
    parts = []
    for some in np.array_split(before, max(1, len(before) // 32)):
        width = min(length, int(some.max()) + len(end))
        rows = torch.zeros(len(some), width, dtype=torch.long)
        for row, count in zip(rows, some, strict=True):
            history = np.append(read[:count], end).astype(np.int64)[-width:]
            row[width - len(history) :] = torch.from_numpy(history)
        parts.append(network.encode_sessions({"x": rows}, table)[:, -1])
    return torch.cat(parts)


def hit_rate(lists: pd.DataFrame, log: pd.DataFrame) -> float:
    """HR@10."""
    found = lists.merge(log, on=["user", "position", "item"])
    return len(found) / (len(lists) / TOP)


def compared(model: Any, lists: pd.DataFrame, log: pd.DataFrame) -> dict[str, float]:
    """HR@10 of `SAMPLE` targets by RecTools' own `recommend`, each history a user of its own, and by our lists."""
    targets = lists[["user", "position"]].drop_duplicates()
    targets = targets.sample(min(SAMPLE, len(targets)), random_state=0).reset_index(drop=True)
    days = log.merge(targets.assign(target=targets.index), on="user", suffixes=("", "_asked"))
    bought = days[days["position"] == days["position_asked"]].set_index("target")["item"]
    histories = days[days["position"] < days["position_asked"]].assign(user=lambda rows: rows["target"])
    answers = model.recommend(
        targets.index.to_numpy(), Dataset.construct(as_interactions(histories)), k=TOP, filter_viewed=False
    )
    theirs = float((answers[ITEM].astype(str).to_numpy() == bought.loc[answers[USER]].to_numpy()).sum() / len(targets))
    ours = lists.merge(targets, on=["user", "position"])
    return {"targets": len(targets), "HR@10": round(theirs, 4), "HR@10 of the lists": round(hit_rate(ours, log), 4)}


def processor() -> str:
    """The processor's own name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
