"""Distributes the rows of a table of any size over files by a number that each row has, in the order of the rows.

Few files are open at a time: where there are more numbers, rows go into groups of numbers first, and each group is
distributed again.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa

from m2rec.data.tables.parquet_batches import BATCH

MOST_OPEN = 64  # files being written at a time
PART = "part"  # the column with the number
# the files live for minutes and are read once, from the beginning
WRITTEN = pa.ipc.IpcWriteOptions(compression="lz4")


def deal(tables: Iterable[pa.Table], parts: range, folder: Path) -> Iterator[pa.Table]:
    """The rows of each part, whole and in their order; parts by number, without those that have no rows.

    Needs a column PART with numbers in `parts`. The files in the folder are deleted once they are read.
    """
    size = -(-len(parts) // MOST_OPEN)  # numbers that share a file
    groups = [parts[start : start + size] for start in range(0, len(parts), size)]
    for group, file in _written(tables, groups, folder):
        if len(group) == 1:
            with pa.ipc.open_stream(file.read_bytes()) as stream:
                yield stream.read_all()
        else:
            yield from deal(_read(file), group, folder)
        file.unlink()


def _written(tables: Iterable[pa.Table], groups: list[range], folder: Path) -> list[tuple[range, Path]]:
    """A file for each group that has rows."""
    files: dict[int, tuple[Path, pa.ipc.RecordBatchStreamWriter]] = {}
    with ExitStack() as stack:
        for table in tables:
            group_of = (table.column(PART).to_numpy() - groups[0].start) // len(groups[0])
            for number in np.unique(group_of).tolist():
                if number not in files:
                    file = folder / f"rows-{groups[number].start:05}-{len(groups[number]):05}.arrow"
                    sink = stack.enter_context(pa.OSFile(str(file), "wb"))
                    files[number] = file, stack.enter_context(pa.ipc.new_stream(sink, table.schema, options=WRITTEN))
                files[number][1].write_table(table.filter(pa.array(group_of == number)))
    return [(groups[number], files[number][0]) for number in sorted(files)]


def _read(file: Path) -> Iterator[pa.Table]:
    """The rows of a file in tables of about the size of a batch: it was written in many small pieces."""
    gathered: list[pa.RecordBatch] = []
    with pa.OSFile(str(file), "rb") as source, pa.ipc.open_stream(source) as stream:
        for batch in stream:
            gathered.append(batch)
            if sum(one.num_rows for one in gathered) >= BATCH:
                yield pa.Table.from_batches(gathered)
                gathered = []
    if gathered:
        yield pa.Table.from_batches(gathered)
