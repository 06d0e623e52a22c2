"""The rank of every target, saved beside a run's figures in one byte each: exact for all figures up to k = 127.

Ranks are whole numbers, or halves in a tie, so twice the rank is stored; 0 stands for a target without a rank. Ranks
above 127 are stored as 127.5, which gives the same HR@k, NDCG@k and MRR@k for every k up to 127. Compressed, the Rhythm
Market's 245,007 targets take about .3 MB; exact ranks would take half a megabyte.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from m2rec.atomic import atomic_file
from m2rec.checkpoint import CheckpointConfig
from m2rec.errors import DataError
from m2rec.evaluation.protocol import Evaluation
from m2rec.evaluation.seen import Seen

LARGEST_CUTOFF = 127  # the largest k for which stored ranks give exact figures
BEYOND = 255  # twice 127.5, for every rank above 127
OF_CHECKPOINT = "ranks.npz"  # in a checkpoint's folder: its ranks of the test targets


def checkpoint_key(config: CheckpointConfig) -> str:
    """The key of a checkpoint's ranks: hashes of its weights and its data."""
    return f"{config.sha256.get('model.safetensors', '')} {config.data.fingerprint}"


@dataclass(frozen=True)
class Ranks:
    """The ranks of T targets, ordered by user and oldest first."""

    users: np.ndarray  # int64 (T,) the user of each target
    by_seen: dict[Seen, np.ndarray]  # float64 (T,) each; "unmasked", "masked"; NaN for a target without a rank


def save_ranks(path: Path, evaluation: Evaluation, key: str) -> None:
    """Save the ranks of the run or checkpoint with this key. Raises OSError when they cannot be written."""
    stored = {
        seen: np.nan_to_num(np.minimum(2 * ranks, BEYOND), nan=0.0).astype(np.uint8)
        for seen, ranks in evaluation.ranks.items()
    }
    users = evaluation.users.astype(np.min_scalar_type(int(evaluation.users.max())))
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, key=np.array(key), users=users, unmasked=stored["unmasked"], masked=stored["masked"])


def load_ranks(path: Path, key: str) -> Ranks:
    """Read the ranks of the run or checkpoint with this key.

    Raises DataError when the file is damaged or belongs to another run or checkpoint.
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
        raise DataError(f"{path} belongs to other figures than those beside it; {again}.")
    return Ranks(users, by_seen)
