"""A trained model's own ranked lists and gate weights for an exported market, in the form that is graded.

So the shipped model is graded by the same files as any other program.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import torch

from m2rec.atomic import atomic_file
from m2rec.branches import BRANCHES
from m2rec.data.prepared import Prepared
from m2rec.data.progress import progress
from m2rec.errors import DataError
from m2rec.evaluation.gates import gate_weights
from m2rec.evaluation.predictions import TOP
from m2rec.evaluation.protocol import batches, device_of, evaluation_mode, seen_before
from m2rec.model.m2rec import M2Rec


def write_lists(model: M2Rec, prepared: Prepared, sold: np.ndarray, path: Path) -> int:
    """The ten best items for every test target, as Parquet with user, position, rank, item. → how many targets.

    `sold` bool (V,) marks the items that are ranked. Equal scores are ranked by item index. Raises DataError when the
    disk does not take the file.
    """
    users, positions = prepared.split.targets("test")
    names, items = np.array(prepared.user_ids, dtype=object), np.array(prepared.item_ids, dtype=object)
    schema = pa.schema([("user", pa.string()), ("position", pa.int64()), ("rank", pa.int64()), ("item", pa.string())])
    device = device_of(model)
    absent = torch.from_numpy(~sold).to(device)
    try:
        with (
            atomic_file(path) as temporary,
            pa.parquet.ParquetWriter(temporary, schema) as writer,
            progress("Ranking", len(users)) as advance,
            evaluation_mode(model),
        ):
            for batch in batches(prepared, "test", model.config.max_length):
                rows, where = torch.from_numpy(batch.items).to(device), torch.from_numpy(batch.where).to(device)
                seen = seen_before(prepared, users[batch.targets], positions[batch.targets]).to(device)
                scores = model.log_scores(rows, where, seen).masked_fill(absent, -torch.inf)
                best = scores.sort(dim=1, descending=True, stable=True).indices[:, :TOP].cpu().numpy()
                columns = [
                    np.repeat(names[users[batch.targets]], TOP),
                    np.repeat(positions[batch.targets], TOP),
                    np.tile(np.arange(1, TOP + 1), len(best)),
                    items[best.ravel()],
                ]
                writer.write_table(pa.table(columns, schema=schema))
                advance(len(best))
    except OSError as error:
        raise DataError(f"{path} could not be written ({error}); free some space and try again.") from error
    return len(users)


def write_gates(model: M2Rec, prepared: Prepared, path: Path) -> None:
    """The gate before every test target, as Parquet with user, position and the three weights.

    Raises DataError when the disk does not take the file.
    """
    users, positions = prepared.split.targets("test")
    weights = gate_weights(model, prepared, "test", model.config.max_length)
    columns = {"user": np.array(prepared.user_ids, dtype=object)[users], "position": positions}
    columns |= {branch: weights[:, place] for place, branch in enumerate(BRANCHES)}
    try:
        with atomic_file(path) as temporary:
            pd.DataFrame(columns).to_parquet(temporary, index=False)
    except OSError as error:
        raise DataError(f"{path} could not be written ({error}); free some space and try again.") from error
