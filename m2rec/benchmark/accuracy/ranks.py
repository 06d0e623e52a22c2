"""The rank of every target, saved beside a run's figures: exact for all figures up to k = 127, in one byte.

A rank is a whole number or a half one (a tie), so twice the rank is whole; no rank is 0. Ranks above 127 are stored as
127.5: HR@k, NDCG@k and MRR@k are the same for all of these with any k up to 127. The compressed file of the Rhythm
Market's 245,007 targets takes about .3 MB, where all ranks in full would take half a megabyte.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from m2rec.atomic import atomic_file
from m2rec.checkpoint import CheckpointConfig
from m2rec.errors import DataError
from m2rec.evaluation.protocol import Evaluation, Seen

LARGEST_CUTOFF = 127  # the largest k whose figures the stored ranks give exactly
BEYOND = 255  # twice 127.5: every rank above
OF_CHECKPOINT = "ranks.npz"  # beside a checkpoint's figures: its ranks of the test targets


def checkpoint_key(config: CheckpointConfig) -> str:
    """Identifies a checkpoint's ranks: its weights and its data."""
    return f"{config.sha256.get('model.safetensors', '')} {config.data.fingerprint}"


@dataclass(frozen=True)
class Ranks:
    """T targets, by user, oldest first."""

    users: np.ndarray  # int64 (T,) the user of each target
    by_seen: dict[Seen, np.ndarray]  # float64 (T,) each; "unmasked", "masked"; NaN for a target without a rank


def save_ranks(path: Path, evaluation: Evaluation, key: str) -> None:
    """Replace `path` by the ranks of the run, or the checkpoint, with this key.

    Raises OSError when the disk does not take it.
    """
    stored = {
        seen: np.nan_to_num(np.minimum(2 * ranks, BEYOND), nan=0.0).astype(np.uint8)
        for seen, ranks in evaluation.ranks.items()
    }
    users = evaluation.users.astype(np.min_scalar_type(int(evaluation.users.max())))
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, key=np.array(key), users=users, unmasked=stored["unmasked"], masked=stored["masked"])


def load_ranks(path: Path, key: str) -> Ranks:
    """Read the ranks of the run, or the checkpoint, with this key.

    Raises DataError when the file is of another run or checkpoint, or damaged.
    """
    again = "delete it to run it again"
    try:
        with np.load(path, allow_pickle=False) as file:
            found, users = str(file["key"]), file["users"].astype(np.int64)
            ways: tuple[Seen, ...] = ("unmasked", "masked")
            by_seen = {seen: np.where(file[seen] > 0, file[seen] / 2, np.nan) for seen in ways}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} holds no readable ranks ({error}); {again}.") from error
    if found != key:
        raise DataError(f"{path} holds other ranks than those of what lies beside it; {again}.")
    return Ranks(users, by_seen)
