"""A peer's own SASRec, that of RecTools, on this project's split: so that nobody has to take our word for the baseline.

    python assets/ml-1m/rectools_sasrec.py train PREPARED LISTS.npz           in RecTools' environment
    python assets/ml-1m/rectools_sasrec.py grade PREPARED LISTS.npz --out FILE.json      in this project's

RecTools holds older versions of numpy and pandas than this project, so it gets an environment of its own:

    python -m venv rectools && rectools/bin/pip install "rectools[torch]" safetensors

Grading imports `m2rec`: `pip install .` first. PREPARED is the folder that `python -m m2rec prepare ml-1m` wrote
(`python -m m2rec data ml-1m` names it). Model, loss (full softmax), optimiser and training loop are RecTools'; ours are
the split, the figures, and that histories are cut into windows so that no event is lost (by itself, RecTools learns
from a user's newest window alone). Training stops when the loss on the users' second last events has not fallen for
`--patience` epochs, and the weights of the best epoch are taken. The histories that are answered hold everything before
the test event, the validation event too. A run that was killed resumes after its last whole epoch when the command is
run again.
"""

import argparse
import json
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

LENGTH = 100  # of the ranked lists: no metric of ours looks further than 20
SEEN = ("unmasked", "masked")
USER, ITEM, WEIGHT, CLOCK, RANK = "user_id", "item_id", "weight", "datetime", "rank"  # as RecTools names them
HELD_OUT = 1.001  # weight by which the events of validation are told apart; the loss hardly notices it


def main() -> None:
    """Train and write ranked lists, or grade lists that were written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    train = commands.add_parser("train", help="train RecTools' SASRec and write its ranked lists")
    train.set_defaults(run=train_and_recommend)
    grade = commands.add_parser("grade", help="grade ranked lists with this project's metrics")
    grade.set_defaults(run=grade_lists)
    for one in (train, grade):
        one.add_argument("prepared", type=Path)
        one.add_argument("lists", type=Path)
    for name, default in (("epochs", 200), ("patience", 10), ("batch", 32), ("length", 200), ("seed", 0)):
        train.add_argument(f"--{name}", type=int, default=default)
    for name, default in (("factors", 128), ("blocks", 2), ("heads", 2), ("threads", 1)):
        train.add_argument(f"--{name}", type=int, default=default)
    for name, standard in (("dropout", 0.2), ("rate", 1e-3)):
        train.add_argument(f"--{name}", type=float, default=standard)
    train.add_argument("--bf16", action="store_true", help="mixed precision, where the processor is quicker with it")
    grade.add_argument(
        "--out", type=Path, help="the figures as JSON, assets/benchmarks/peers/ml-1m.json for the README"
    )
    grade.add_argument("--against", type=Path, help="ranks of one of our runs (.npz): paired difference and p")
    arguments = parser.parse_args()
    arguments.run(arguments)


def arrays_of(folder: Path) -> dict[str, np.ndarray]:
    """Events, offsets and split of a prepared data set, read without this project's code."""
    from safetensors.numpy import load_file

    found: dict[str, np.ndarray] = load_file(folder / "arrays.safetensors")
    return found


def say(text: str) -> None:
    """A line on standard output, at once also where that is a file."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


# ── in RecTools' environment ────────────────────────────────────────────────────────────────────────────────────────


def train_and_recommend(arguments: argparse.Namespace) -> None:
    """Train until validation stalls, then rank for every user with a test event, seen items left in and taken out."""
    import torch
    from pytorch_lightning import seed_everything
    from rectools import __version__ as rectools_version
    from rectools.dataset import Dataset
    from rectools.models import SASRecModel

    torch.set_num_threads(arguments.threads)
    seed_everything(arguments.seed)
    data = arrays_of(arguments.prepared)
    model = SASRecModel(
        n_blocks=arguments.blocks,
        n_heads=arguments.heads,
        n_factors=arguments.factors,
        dropout_rate=arguments.dropout,
        session_max_len=arguments.length,
        loss="softmax",
        lr=arguments.rate,
        batch_size=arguments.batch,
        get_val_mask_func=validation_mask,
        get_trainer_func=lambda: trainer_of(arguments),
    )
    model.fit(Dataset.construct(training_windows(data, arguments.length)))
    course = next(callback for callback in model.fit_trainer.callbacks if hasattr(callback, "best_weights"))
    model.lightning_model.load_state_dict(course.best_weights)

    users = np.flatnonzero(data["test_to"] > data["test_from"])
    histories = Dataset.construct(events_of(data, users, data["test_from"][users]))
    known = histories.item_id_map.size
    lists: dict[str, np.ndarray] = {"users": users}
    for seen in SEEN:
        table = model.recommend(users, histories, k=min(LENGTH, known), filter_viewed=seen == "masked")
        places = np.searchsorted(users, table[USER])
        ranked = np.zeros((len(users), LENGTH), dtype=np.int64)  # 0 where there is nothing left to recommend
        ranked[places, table[RANK] - 1] = table[ITEM]
        lists[seen] = ranked
    about = {
        "model": f"RecTools {rectools_version}, SASRec",
        "seed": arguments.seed,
        "settings": settings_of(arguments),
        "epochs": course.epochs,
        "best_epoch": course.best_epoch,
        "seconds": round(course.seconds, 1),
        "hardware": f"cpu ({processor()}, {arguments.threads} threads)",
        "date": datetime.now(UTC).date().isoformat(),
        "command": "python assets/ml-1m/rectools_sasrec.py train",
    }
    arguments.lists.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(arguments.lists, about=np.array(json.dumps(about)), **lists)
    state_file(arguments).unlink(missing_ok=True)
    say(json.dumps(about, indent=2))


def settings_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the run was told, as plain values."""
    return {name: value for name, value in vars(arguments).items() if isinstance(value, int | float | bool)}


def state_file(arguments: argparse.Namespace) -> Path:
    """Where the state of an unfinished run is kept, beside its lists."""
    lists: Path = arguments.lists
    return lists.with_suffix(".state.safetensors")


def trainer_of(arguments: argparse.Namespace) -> Any:
    """A Lightning trainer that stops when validation stalls, keeps the best weights and resumes after a kill."""
    import torch
    from pytorch_lightning import Callback, Trainer
    from safetensors import safe_open
    from safetensors.torch import save_file

    path, settings = state_file(arguments), json.dumps(settings_of(arguments))

    class Course(Callback):
        """How the run goes: its epochs, its best weights, and both in a file after every epoch."""

        def __init__(self) -> None:
            self.epochs, self.best_epoch, self.best_loss, self.seconds = 0, 0, float("inf"), 0.0
            self.best_weights: dict[str, torch.Tensor] = {}

        def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
            if trainer.current_epoch == 0:  # not `on_train_start`, after which RecTools draws the first weights
                self.since = time.monotonic()
                self.resume(trainer, module)

        def resume(self, trainer: Any, module: Any) -> None:
            """Continue from the file of an earlier run, if there is one."""
            if not path.exists():
                return
            with safe_open(path, framework="pt") as file:
                about = file.metadata()
                if about["settings"] != settings:
                    sys.exit(f"{path} belongs to a run with other settings; remove it to start from the beginning.")
                parts = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 – not a dict
            self.epochs, self.best_epoch = int(about["epochs"]), int(about["best_epoch"])
            self.best_loss, self.seconds = float(about["best_loss"]), float(about["seconds"])
            self.best_weights = part_of(parts, "best.")
            module.load_state_dict(part_of(parts, "model."))
            moments: dict[int, dict[str, torch.Tensor]] = {}
            for name, tensor in part_of(parts, "optimizer.").items():
                index, _, moment = name.partition(".")
                moments.setdefault(int(index), {})[moment] = tensor
            optimizer = trainer.optimizers[0]
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": moments, "param_groups": groups})
            say(f"resuming after epoch {self.epochs}")

        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:  # after validation
            loss, now = float(trainer.callback_metrics["val_loss"]), time.monotonic()
            self.epochs += 1
            self.seconds, self.since = self.seconds + now - self.since, now
            say(f"epoch {self.epochs}: validation loss {loss:.4f}")
            weights = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
            if loss < self.best_loss:
                self.best_loss, self.best_epoch, self.best_weights = loss, self.epochs, weights
            stalled = self.epochs - self.best_epoch >= arguments.patience
            trainer.should_stop = stalled or self.epochs >= arguments.epochs
            parts = {f"model.{name}": tensor for name, tensor in weights.items()}
            parts |= {f"best.{name}": tensor.clone() for name, tensor in self.best_weights.items()}
            for index, moments in trainer.optimizers[0].state_dict()["state"].items():
                parts |= {f"optimizer.{index}.{name}": tensor.clone() for name, tensor in moments.items()}
            about = {name: str(getattr(self, name)) for name in ("epochs", "best_epoch", "best_loss", "seconds")}
            whole = path.with_suffix(".part")
            save_file(parts, whole, about | {"settings": settings})
            whole.replace(path)

    return Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=arguments.epochs,
        precision="bf16-mixed" if arguments.bf16 else "32-true",
        callbacks=[Course()],
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        logger=False,
    )


def part_of(parts: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in parts.items() if name.startswith(prefix)}


def training_windows(data: dict[str, np.ndarray], length: int) -> Any:
    """Everything up to the validation event, in windows of `length` targets, each as a user of its own.

    The newest window keeps its user's number, and so does the validation event (marked by its weight).
    """
    import pandas as pd

    lengths = np.diff(data["offsets"])
    user = np.repeat(np.arange(len(lengths)), lengths)
    position = np.arange(len(user)) - np.repeat(data["offsets"][:-1], lengths)
    end = data["train_end"][user]
    window = (end - 1 - position) // length  # in which an event is a target, 0 for the newest
    following = (end - 2 - position) // length  # in which the event after it is one
    target = (position > 0) & (position < end)
    opening = (position < end - 1) & ((position == 0) | (window != following))  # read before a window's first target
    held_out = (position >= data["validation_from"][user]) & (position < data["validation_to"][user])
    parts = ((target, window, 1.0), (opening, following, 1.0), (held_out, np.zeros_like(window), HELD_OUT))
    tables = [
        pd.DataFrame(
            {
                USER: (user + len(lengths) * place)[rows],
                "place": position[rows],
                ITEM: data["events"][rows],
                WEIGHT: weight,
            }
        )
        for rows, place, weight in parts
    ]
    return as_interactions(pd.concat(tables))


def events_of(data: dict[str, np.ndarray], users: np.ndarray, end: np.ndarray) -> Any:
    """Whole histories up to position `end` of each of the users."""
    import pandas as pd

    parts = [data["events"][data["offsets"][u] : data["offsets"][u] + e] for u, e in zip(users, end, strict=True)]
    table = pd.DataFrame(
        {
            USER: np.repeat(users, end),
            "place": np.concatenate([np.arange(e) for e in end]),
            ITEM: np.concatenate(parts),
            WEIGHT: 1.0,
        }
    )
    return as_interactions(table)


def as_interactions(table: Any) -> Any:
    """RecTools wants a clock: an event's place stands for its second, so that the stable order is kept."""
    import pandas as pd

    clock = pd.Timestamp("2000-01-01") + pd.to_timedelta(table.pop("place"), unit="s")
    return table.assign(**{CLOCK: clock, ITEM: table[ITEM].astype(int)})


def validation_mask(interactions: Any, **_: Any) -> np.ndarray:
    """Which rows are targets of validation and not learned from."""

    return np.asarray(interactions[WEIGHT] > 1.0)


def processor() -> str:
    """The processor's own name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


# ── in this project's environment ───────────────────────────────────────────────────────────────────────────────────


def grade_lists(arguments: argparse.Namespace) -> None:
    """Ranks of the test events in the lists, and the figures that this project shows of any model."""
    from m2rec.data.prepared import Prepared
    from m2rec.evaluation.bootstrap import paired_difference
    from m2rec.evaluation.figures import figure_of
    from m2rec.evaluation.metrics import METRICS, outcomes

    prepared = Prepared.load(arguments.prepared)
    users, positions = prepared.split.targets("test")
    lists = np.load(arguments.lists)
    if not np.array_equal(lists["users"], users):
        raise SystemExit(f"{arguments.lists} is not about the test users of {arguments.prepared}.")
    targets = prepared.sequences.events[prepared.sequences.offsets[users] + positions]
    found: dict[str, Any] = json.loads(str(lists["about"])) | {"targets": len(users)}
    for seen in SEEN:
        hit = lists[seen] == targets[:, None]
        ranks = np.where(hit.any(1), hit.argmax(1) + 1.0, LENGTH + 1.0)
        found[seen] = {metric: figure_of(outcomes(ranks, metric), users).model_dump() for metric in METRICS}
        if arguments.against:
            ours = np.load(arguments.against)[seen] / 2  # as stored by `m2rec.evaluation.ranks`
            for metric in ("HR@10", "NDCG@10"):
                lead = paired_difference(outcomes(ours, metric), outcomes(ranks, metric), users)
                say(f"{seen}, {metric}: ours {lead.value:+.4f} ({lead.low:+.4f} to {lead.high:+.4f}), p = {lead.p:.4f}")
    text = json.dumps([found], indent=2) + "\n"
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(text, encoding="utf-8")
    say(text.rstrip())


if __name__ == "__main__":
    main()
