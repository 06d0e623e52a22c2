"""A world on disk: settings, weights, catalogue, figures and card, in one folder. Safetensors only, read strictly.

config.json         what the model is, what it was trained on and by, hashes of the other files
model.safetensors   weights and frozen text vectors
items.csv           id, title, text, group; for worlds whose titles may not be shipped, ids only
metrics.json        every figure, and
ranks.npz           the rank of every test target (both written by `evaluate --record`)
README.md           model card
"""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from safetensors.numpy import load, save

from m2rec.atomic import atomic_folder
from m2rec.branches import GATE_LABELS
from m2rec.checkpoint_folder import as_saved, read_file
from m2rec.errors import CheckpointError
from m2rec.inference.engine import InferenceEngine
from m2rec.inference.registry import expected_shapes, without_answers
from m2rec.item_ids import INVENTED, LONGEST_ID
from m2rec.model.config import ModelConfig
from m2rec.own_folder import OwnFolder
from m2rec.worlds.name import plain_name

if TYPE_CHECKING:
    from m2rec.model.m2rec import M2Rec

FLOATS = ("F32", "F64", "F16")
HASHED = ("model.safetensors", "items.csv")
CONFIG = "config.json"
ITEM_COLUMNS = ("item", "title", "text", "group")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataRecord(_Strict):
    """Which data the weights belong to."""

    source: str
    split: str
    fingerprint: str
    users: int
    events: int


class TrainingRecord(_Strict):
    """How the weights were trained."""

    settings: dict
    command: str
    epochs: int
    best_epoch: int
    seconds: float
    peak_memory_mib: float
    git_revision: str
    date: str
    validation: dict[str, float] | None = None  # of the best epoch, seen items left in; None in older checkpoints
    before: "TrainingRecord | None" = None  # how the weights that this run started from were trained


class CheckpointConfig(_Strict):
    """config.json."""

    format: Literal[1] = 1  # of the folder
    world: Annotated[str, AfterValidator(plain_name)]
    trained_on: str  # the device's own name
    titles: Literal["shipped", "local"] = "shipped"  # local: read on the user's machine, not shipped
    gate_labels: dict[str, str] = GATE_LABELS
    model: ModelConfig
    data: DataRecord
    training: TrainingRecord
    sha256: dict[str, str] = {}  # of model.safetensors, items.csv, and of the rest of this file


@dataclass(frozen=True)
class Item:
    """One row of the catalogue; title, text and group are empty where they may not be shipped."""

    item_id: str
    title: str = ""
    text: str = ""
    group: str = ""


@dataclass(frozen=True)
class Checkpoint:
    """A loaded world. Item index i (1…V) is `items[i - 1]`."""

    config: CheckpointConfig
    weights: dict[str, np.ndarray]
    items: list[Item]
    card: str = field(default="", repr=False)

    def model(self) -> "M2Rec":
        """The network in PyTorch, in evaluation mode. Raises CheckpointError when the weights do not fit."""
        _check_shapes(self.config, self.weights)
        import torch  # takes a second, and answers do not need it

        from m2rec.model.m2rec import M2Rec

        model = M2Rec(self.config.model)
        model.load_state_dict({name: torch.tensor(array) for name, array in self.weights.items()}, strict=True)
        return model.eval()

    def inference(self) -> InferenceEngine:
        """The network in NumPy, for answers to one history at a time. Raises CheckpointError like `model`, and where a
        branch has no counterpart in `m2rec.inference`.
        """
        missing = without_answers(self.config.model)
        if missing:
            raise CheckpointError(
                f"{self.config.world} has a branch, {missing[0]}, that is trained and evaluated with PyTorch alone; "
                "answers need its counterpart in m2rec/inference."
            )
        _check_shapes(self.config, self.weights)
        weights = {name: array.astype(np.float32, copy=False) for name, array in self.weights.items()}
        return InferenceEngine(self.config.model, weights)

    def save(self, folder: Path) -> None:
        """Write the folder whole, or leave what was there. Figures of older weights are removed, and files that are
        none of a checkpoint's stay. Raises InputError where the folder is neither empty nor a checkpoint.
        """
        CHECKPOINT_FOLDER.refuse_others(folder)
        weights = save({name: np.asarray(array, order="C") for name, array in self.weights.items()})
        items = _items_csv(self.items, self.config.titles)
        _read_items(folder / "items.csv", items)  # nothing is written that could not be read again
        digests = {"model.safetensors": _sha256(weights), "items.csv": _sha256(items)}
        config = self.config.model_copy(update={"sha256": digests})
        own = _own_sha256(json.loads(config.model_dump_json()))
        config = self.config.model_copy(update={"sha256": digests | {CONFIG: own}})
        try:
            with atomic_folder(folder, CHECKPOINT_FOLDER.files) as fresh:
                (fresh / "model.safetensors").write_bytes(weights)
                (fresh / "items.csv").write_bytes(items)
                (fresh / CONFIG).write_text(config.model_dump_json(indent=2) + "\n", encoding="utf-8")
                (fresh / "README.md").write_text(self.card, encoding="utf-8")
        except OSError as error:
            raise CheckpointError(
                f"The checkpoint could not be saved to {folder} ({error}); free some space, the old one is unchanged."
            ) from error

    @classmethod
    def load(cls, folder: Path) -> "Checkpoint":
        """Read a folder and check all of it. Raises CheckpointError that names the file and what is wrong with it."""
        config = _read_config(folder)
        contents = {}
        for name in HASHED:
            path = folder / name
            contents[name] = as_saved(path, read_file(path), config.sha256.get(name))
        weights = _read_weights(folder / "model.safetensors", contents["model.safetensors"])
        items = _read_items(folder / "items.csv", contents["items.csv"])
        if len(items) != config.model.items:
            raise CheckpointError(
                f"{folder / 'items.csv'} has {len(items)} items, the weights were trained for {config.model.items}."
            )
        card = folder / "README.md"
        return cls(config, weights, items, read_file(card).decode("utf-8", "replace") if card.is_file() else "")


def _is_checkpoint(folder: Path) -> bool:
    """Whether a checkpoint was saved there, by any version of the program: an older one may be trained again."""
    path = folder / CONFIG
    if not path.exists():  # the hub's mixin removes it before it saves, if the checkpoint is pushed to the hub
        return all((folder / name).is_file() for name in HASHED)
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.keys() >= {"format", "world", "model", "training"}


CHECKPOINT_FOLDER = OwnFolder(
    "a checkpoint", frozenset({CONFIG, *HASHED, "metrics.json", "ranks.npz", "README.md"}), _is_checkpoint
)


def _read_config(folder: Path) -> CheckpointConfig:
    path = folder / CONFIG
    try:
        content = json.loads(read_file(path).decode("utf-8"))
        config = CheckpointConfig.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "as a whole"
        raise CheckpointError(f"{path} is not a valid configuration: {where}: {first['msg']}.") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not readable JSON ({error}).") from error
    if config.sha256.keys() - {*HASHED, CONFIG}:
        raise CheckpointError(f"{path} has a SHA-256 of a file that no checkpoint holds; fetch it again.")
    if config.sha256.get(CONFIG, found := _own_sha256(content)) != found:  # the first checkpoints have none
        raise CheckpointError(f"{path} is not as it was saved (its SHA-256 differs); fetch it again.")
    return config


def _read_weights(path: Path, content: bytes) -> dict[str, np.ndarray]:
    try:
        kinds = _kinds(content)
        weights = load(content) if all(kind in FLOATS for kind in kinds.values()) else {}
    except Exception as error:  # the reader raises several errors, which mean the same to a person
        raise CheckpointError(f"{path} is not a readable safetensors file ({error}).") from error
    for name, kind in kinds.items():
        if kind not in FLOATS:
            raise CheckpointError(
                f"{path} holds {kind} in {name}, where weights must be floating-point numbers ({', '.join(FLOATS)})."
            )
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise CheckpointError(f"{path} holds numbers that are not finite, in {name}.")
    return weights


def _kinds(content: bytes) -> dict[str, str]:
    """The kind of number of each weight, from the header of the file."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length].decode("utf-8"))
    return {name: entry["dtype"] for name, entry in header.items() if name != "__metadata__"}


def _read_items(path: Path, content: bytes) -> list[Item]:
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CheckpointError(f"{path} is not readable CSV in UTF-8 ({error}).") from error
    if not rows or tuple(rows[0]) not in (ITEM_COLUMNS, ITEM_COLUMNS[:1]):
        raise CheckpointError(f"{path} must start with the columns {','.join(ITEM_COLUMNS)}, or with item alone.")
    if any(len(row) != len(rows[0]) for row in rows):
        raise CheckpointError(f"{path} has rows of different lengths.")
    items = [Item(*row) for row in rows[1:]]
    if len({item.item_id for item in items}) != len(items):
        raise CheckpointError(f"{path} names an item twice.")
    for line, item in enumerate(items, start=2):
        if not 1 <= len(item.item_id) <= LONGEST_ID or item.item_id.startswith(INVENTED):
            raise CheckpointError(
                f"{path} has an item in row {line} whose id is not 1 to {LONGEST_ID} characters without a “~” in front."
            )
    return items


def _items_csv(items: list[Item], titles: str) -> bytes:
    columns = ITEM_COLUMNS if titles == "shipped" else ITEM_COLUMNS[:1]
    rows = [columns, *([item.item_id, item.title, item.text, item.group][: len(columns)] for item in items)]
    try:
        return "".join(map(_csv_line, rows)).encode("utf-8")
    except UnicodeEncodeError as error:
        raise CheckpointError(
            f"items.csv cannot be written in UTF-8 ({error}); correct the item's title or text."
        ) from error


def _csv_line(row: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(row)  # only with its own line end, \r\n, does it quote both when they are in a title
    return out.getvalue().removesuffix("\r\n") + "\n"


def _check_shapes(config: CheckpointConfig, weights: Mapping[str, np.ndarray]) -> None:
    """Refuse a configuration that needs other weights than the file holds, before the model is made."""
    wrong = _first_misfit(config.model, weights)
    if wrong:
        raise CheckpointError(f"The weights of {config.world} do not fit its configuration: {wrong}.")


def _first_misfit(config: ModelConfig, weights: Mapping[str, np.ndarray]) -> str | None:
    if config.temporal_layers > len(weights):  # each has several; a billion of them need not be listed
        return f"there are not so many as {config.temporal_layers} layers have"
    expected = expected_shapes(config)
    for name in (*expected, *weights):
        if name not in weights:
            return f"{name} is missing"
        if name not in expected:
            return f"{name} is none of the network's"
        if weights[name].shape != expected[name]:
            return f"{name} is of shape {weights[name].shape}, and not {expected[name]}"
    return None


def _own_sha256(content: dict) -> str:
    """Of config.json without this hash itself; blanks and the order of keys do not matter."""
    hashes = {name: digest for name, digest in content.get("sha256", {}).items() if name != CONFIG}
    return _sha256(json.dumps({**content, "sha256": hashes}, sort_keys=True).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
