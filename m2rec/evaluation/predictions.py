"""Ranked lists and attributions of any program, read from a file and graded against the causes of the Rhythm Market.

A prediction is a row (user, position, rank, item). Ranks 1 to 10 of every target are read and must all be there; rows
may come in any order, and the file is read in pieces, so that its size does not matter.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from m2rec.branches import CAUSE_OF
from m2rec.errors import InputError
from m2rec.evaluation.figures import figure_of
from m2rec.evaluation.gates import gate_report
from m2rec.evaluation.groups import by_cause, by_cycles, by_period
from m2rec.evaluation.market_report import GAIN, HIT, Group, PredictionGrades
from m2rec.evaluation.metrics import outcomes
from m2rec.text_safety import quoted

TOP = 10
MISSED = TOP + 1.0  # the rank of an item that is not in the list
LARGEST = 2**53  # up to here, whole numbers are exact as floats
ROWS_AT_ONCE = 1 << 18
GATE_CAUSES = tuple(CAUSE_OF.values())  # in the order of the gate; columns may have the branches' keys instead


class Targets:
    """The T targets to be graded: `truth` has the columns of `m2rec.data.market.truth.COLUMNS`."""

    def __init__(self, truth: pd.DataFrame) -> None:
        self.truth = truth
        self.users, names = pd.factorize(truth["user"])  # int64 (T,)
        self._names = pd.Index(names)
        positions = truth["position"].to_numpy()
        self._days = int(positions.max()) + 1
        self._place = np.full((len(names), self._days), -1, dtype=np.int64)
        self._place[self.users, positions] = np.arange(len(truth))

    def __len__(self) -> int:
        return len(self.truth)

    def find(self, table: pd.DataFrame, rows_before: int) -> np.ndarray:
        """The target of each row by `user` and `position`, int64 (n,). Raises InputError that names the first row,
        counted from 1 over the whole file, without one.
        """
        users = self._names.get_indexer(table["user"])
        positions = _whole(table, "position", rows_before)
        known = (users >= 0) & (positions >= 0) & (positions < self._days)
        found = np.where(known, self._place[users, np.where(known, positions, 0)], -1)
        if (found < 0).any():
            row = int(np.argmax(found < 0))
            user, position = table["user"].iloc[row], positions[row]
            what = (
                f"{quoted(str(user))} is not a test customer"
                if users[row] < 0
                else f"position {position} of {user} is not a target"
            )
            raise InputError(f"Row {rows_before + row + 1}: {what}; grade the targets of the test customers only.")
        return found

    def name(self, target: int) -> str:
        """The name of a target in a sentence."""
        return f"{self.truth['user'].iloc[target]} at position {self.truth['position'].iloc[target]}"


def read_ranks(path: Path, targets: Targets, items: set[str]) -> np.ndarray:
    """The rank of what was bought in each list, 11 where the first ten do not hold it: float64 (T,).

    `items` are the ids of the catalogue. Raises InputError in one sentence for the first thing that is wrong.
    """
    bought = targets.truth["item"].to_numpy(dtype=object)
    ranks = np.full(len(targets), MISSED)
    given = np.zeros((len(targets), TOP), dtype=bool)
    rows_before = 0
    for table in _pieces(path, ("user", "position", "rank", "item")):
        found = targets.find(table, rows_before)
        rank = _whole(table, "rank", rows_before)
        if (rank < 1).any():
            row = int(np.argmax(rank < 1))
            raise InputError(f"Row {rows_before + row + 1}: the rank is {rank[row]}; ranks are counted from 1.")
        chosen = table["item"].to_numpy(dtype=object)
        unknown = ~np.isin(chosen.astype(str), list(items))
        if unknown.any():
            row = int(np.argmax(unknown))
            raise InputError(
                f"Row {rows_before + row + 1}: the item {quoted(str(chosen[row]))} is not in the catalogue; "
                "items are named by their ids."
            )
        top = rank <= TOP
        place = found[top] * TOP + rank[top] - 1
        again = _given_again(place, given.ravel())
        if again.any():
            row = int(np.flatnonzero(top)[np.argmax(again)])
            raise InputError(
                f"Row {rows_before + row + 1}: rank {rank[row]} of {targets.name(int(found[row]))} is given twice."
            )
        hit = top & (chosen == bought[found])
        # the best place counts: an item that is listed twice counts once
        np.minimum.at(ranks, found[hit], rank[hit].astype(np.float64))
        rows_before += len(table)
    if not given.all():
        target, rank = np.argwhere(~given)[0]
        lacking = int((~given.all(axis=1)).sum())
        raise InputError(
            f"{lacking:,} of the {len(targets):,} targets lack one of the first {TOP} ranks; the first is rank "
            f"{rank + 1} of {targets.name(int(target))}."
        )
    return ranks


def read_attributions(path: Path, targets: Targets) -> np.ndarray:
    """Three numbers a target, from the columns chain, rhythm, taste or temporal, frequency, semantic: float64 (T, 3).

    Raises InputError in one sentence for the first thing that is wrong.
    """
    found = np.full((len(targets), len(GATE_CAUSES)), np.nan)
    given = np.zeros(len(targets), dtype=bool)
    rows_before = 0
    for table in _pieces(path, ("user", "position"), GATE_CAUSES, tuple(CAUSE_OF)):
        names = GATE_CAUSES if set(GATE_CAUSES) <= set(table) else tuple(CAUSE_OF)
        rows = targets.find(table, rows_before)
        again = _given_again(rows, given)
        if again.any():
            row = int(np.argmax(again))
            raise InputError(f"Row {rows_before + row + 1}: {targets.name(int(rows[row]))} is given twice.")
        values = np.stack([_numbers(table, name, rows_before) for name in names], axis=1)
        found[rows] = values
        rows_before += len(table)
    missing = np.isnan(found).any(axis=1)
    if missing.any():
        first = targets.name(int(np.argmax(missing)))
        raise InputError(
            f"{missing.sum():,} of the {len(targets):,} targets have no attributions; the first is {first}."
        )
    return found


def _given_again(places: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Which of these places were `given` before, or stand above among these; then all are. → bool like places."""
    again: np.ndarray = given[places] | pd.Series(places).duplicated().to_numpy()
    given[places] = True
    return again


def grade_predictions(targets: Targets, ranks: np.ndarray, attributions: np.ndarray | None = None) -> PredictionGrades:
    """Figures overall, by cause, by period, by cycles seen and for new arrivals, each beside the fair oracle's.

    ranks float (T,) as `read_ranks` gives them, attributions float (T, 3) as `read_attributions` does.
    """
    truth = targets.truth
    causes = truth["cause"].to_numpy(dtype=object)
    periods, cycles = truth["period"].to_numpy(), truth["cycles"].to_numpy()
    groups = {"all": np.ones(len(truth), dtype=bool)} | by_cause(causes, truth["arrival"].to_numpy())
    groups |= {f"period {period}": group for period, group in by_period(causes, periods).items()}
    groups |= {f"{count} cycles seen": group for count, group in by_cycles(causes, cycles).items()}
    oracle = truth["oracle_rank"].to_numpy()
    gates = None
    if attributions is not None:
        best = truth[[f"oracle_{cause}" for cause in GATE_CAUSES]].to_numpy()
        gates = gate_report(attributions, causes.astype(str), periods, cycles, best)
    return PredictionGrades(
        groups={name: _group(ranks[rows], oracle[rows], targets.users[rows]) for name, rows in groups.items()},
        gates=gates,
    )


def _group(ranks: np.ndarray, oracle: np.ndarray, users: np.ndarray) -> Group:
    ceiling = {metric: float(outcomes(oracle, metric).mean()) for metric in (HIT, GAIN)}
    figures = {metric: figure_of(outcomes(ranks, metric), users) for metric in (HIT, GAIN)}
    share = figures[HIT].value / ceiling[HIT] if ceiling[HIT] else None
    return Group(targets=len(ranks), figures=figures, oracle=ceiling, share_of_ceiling=share)


def _pieces(path: Path, needed: tuple[str, ...], *either: tuple[str, ...]) -> Iterator[pd.DataFrame]:
    """A CSV or Parquet file (recognised by its first bytes) as tables of some rows, ids as text.

    All of `needed` must be among its columns, and one of `either` where there are such.
    """
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        source: Iterator[pa.RecordBatch]
        if is_parquet:
            parquet = pa.parquet.ParquetFile(path)
            names, source = parquet.schema_arrow.names, parquet.iter_batches(batch_size=ROWS_AT_ONCE)
        else:
            as_text = pa.csv.ConvertOptions(column_types={"user": pa.string(), "item": pa.string()})
            opened = pa.csv.open_csv(path, convert_options=as_text)
            names, source = opened.schema.names, iter(opened)
        absent = [name for name in needed if name not in names]
        if not absent and either and not any(set(group) <= set(names) for group in either):
            absent = [" or ".join(", ".join(group) for group in either)]
        if absent:
            raise InputError(f"{path} lacks {', '.join(absent)}; it has the columns {', '.join(map(quoted, names))}.")
        for batch in source:
            table = batch.to_pandas()
            for name in {"user", "item"} & set(table.columns):
                table[name] = table[name].astype(str)
            yield table
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a readable CSV or Parquet file ({str(error).splitlines()[0]}).") from error


def _whole(table: pd.DataFrame, name: str, rows_before: int) -> np.ndarray:
    values = _numbers(table, name, rows_before)
    whole = (values == np.floor(values)) & (np.abs(values) <= LARGEST)
    if not whole.all():
        row = int(np.argmax(~whole))
        what = "too large" if abs(values[row]) > LARGEST else "not a whole number"
        raise InputError(f"Row {rows_before + row + 1}: the {name} {values[row]} is {what}.")
    return values.astype(np.int64)


def _numbers(table: pd.DataFrame, name: str, rows_before: int) -> np.ndarray:
    values = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=np.float64)
    broken = ~np.isfinite(values)
    if broken.any():
        row = int(np.argmax(broken))
        given = quoted(str(table[name].iloc[row]))
        raise InputError(f"Row {rows_before + row + 1}: the {name} {given} is not a number.")
    return values
