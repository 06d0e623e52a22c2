"""The answers to a batch of histories, as columns: the unit of work of one process, of Ray Data and of Spark."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from m2rec.branches import BRANCHES
from m2rec.checkpoint import Checkpoint
from m2rec.errors import InputError
from m2rec.inference.arrays import softmax
from m2rec.recommend.catalogue import Catalogue
from m2rec.recommend.options import checked_k
from m2rec.recommend.ranking import best_places, weighed

SCHEMA = pa.schema(
    [("user", pa.string()), ("rank", pa.int16()), ("item", pa.string()), ("probability", pa.float32())]
    + [(branch, pa.float32()) for branch in BRANCHES]
    + [(f"gate_{branch}", pa.float32()) for branch in BRANCHES]
)


class Scorer:
    """A checkpoint that answers tables. The items of `Recommender.recommend` for each history, without the
    explanations. Unknown entries, and items of one's own words, are left out.

    For `map_batches` of Ray Data and `mapInPandas` of Spark: made once a worker, by a folder's path, and called with
    batches. A batch has the columns `user` and `items` (a list of item ids or titles, oldest first); the result has
    one row for each of the k items of each user: `user`, `rank`, `item`, `probability`, what each branch contributes to
    it, and the gate weights of each branch, the same in all rows of a user.

    >>> ray.data.read_parquet("histories.parquet").map_batches(  # doctest: +SKIP
    ...     Scorer, fn_constructor_args=["checkpoints/ml-1m"], batch_format="pyarrow", concurrency=2
    ... )
    """

    def __init__(self, checkpoint: str | Path | Checkpoint, k: int = 10, exclude_seen: bool = False) -> None:
        """Raises CheckpointError for a damaged folder and InputError for k outside 1…50."""
        loaded = checkpoint if isinstance(checkpoint, Checkpoint) else Checkpoint.load(Path(checkpoint))
        self.k, self.exclude_seen = checked_k(k), exclude_seen
        self.longest = loaded.config.model.max_length
        self.item_ids = np.array([item.item_id for item in loaded.items], dtype=object)
        self.unknown = 0  # entries of histories so far that the checkpoint has no item for; they are left out
        self._catalogue = Catalogue(loaded.items)
        self._inference = loaded.inference()

    def __call__(self, batch: pa.Table) -> pa.Table:
        """`user`, `items` → SCHEMA, in the order of the batch. Raises InputError for a batch without these columns."""
        lacking = [name for name in ("user", "items") if name not in getattr(batch, "column_names", ())]
        if lacking:
            raise InputError(
                f"A batch is a table of Arrow with the columns user and items, one row a user; this one has no "
                f"{' and no '.join(lacking)}. `python -m m2rec score` also reads tables with one row an event."
            )
        users = batch.column("user").cast(pa.string()).to_numpy()
        answers = [self.answer(indices) for indices in self._histories(batch.column("items"))]
        if not answers:
            return SCHEMA.empty_table()
        counts = [len(best) for best, _, _ in answers]
        best = np.concatenate([best for best, _, _ in answers])
        shares = np.concatenate([part for _, part, _ in answers], axis=1)
        gates = np.array([gate for _, _, gate in answers])
        columns = [
            pa.array(np.repeat(users, counts), pa.string()),
            pa.array(np.concatenate([np.arange(1, count + 1, dtype=np.int16) for count in counts])),
            pa.array(self.item_ids[best], pa.string()),
            *(pa.array(part.astype(np.float32)) for part in (shares.sum(0, dtype=np.float64), *shares)),
            *(pa.array(np.repeat(gate.astype(np.float32), counts)) for gate in gates.T),
        ]
        return pa.table(columns, schema=SCHEMA)

    def answer(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Item indices of a history → places of the best items (k,), the branches' shares (M, k) and the gate (M,)."""
        if not len(indices):
            return self._without_history()
        position = self._inference.last(indices[-self.longest :].tolist())
        seen = self._inference.seen(indices.tolist())
        branches = self._inference.distributions(position, seen)
        shares, ranking = weighed(branches, position.gate, seen if self.exclude_seen else None)
        best = best_places(ranking, self.k, branches)
        return best, shares[:, best], position.gate

    def _histories(self, column: pa.ChunkedArray) -> Iterator[np.ndarray]:
        """Each row's list as item indices, without unknown entries."""
        if pa.types.is_null(column.type):  # no history in the whole batch
            column = column.cast(pa.list_(pa.string()))
        for lists in column.chunks:
            if not len(lists):
                continue
            lengths = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
            named = lists.flatten().dictionary_encode()
            index_of = np.array([self._find(name) for name in named.dictionary.to_pylist()], dtype=np.int64)
            places = named.indices.fill_null(-1).to_numpy(zero_copy_only=False)
            # a blank entry is unknown; it indexes the last place of a longer array
            indices = np.append(index_of, 0)[places]
            self.unknown += int((indices == 0).sum())
            for row in np.split(indices, np.cumsum(lengths)[:-1]):
                yield row[row > 0]

    def _without_history(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The popularity that the model learned, in equal contributions of the branches."""
        probability = softmax(self._inference.bias[None].copy())[0]  # of the items that training histories held
        best = np.argsort(-probability, kind="stable")[: self.k]
        evenly = np.full(len(BRANCHES), 1 / len(BRANCHES))
        return best, probability[best] * evenly[:, None], evenly

    def _find(self, name: object) -> int:
        """Item index of a title or an id, 0 for unknown."""
        if isinstance(name, float) and name.is_integer():
            name = int(name)  # a column of numbers with a blank in it
        return (self._catalogue.find(name) or 0) if isinstance(name, str | int) else 0
