"""Every target of a split ranked twice: among all items, and, where it is new to the user, among what is new.

"Unmasked" leaves the items of the history in. "Masked" takes them out, and then only targets that the user had not
chosen before have a rank: otherwise a repeat would be the only item of its history that competes, and any model that
favours repeats would rank it first.

Histories are the newest `max_length` events before each target, as the model reads them in use. Where a user's whole
history fits, one window serves all of that user's targets: the model is causal, so its output at a position does not
depend on later items.

Which items were already chosen depends on the whole history, also on the part that is too old to be read: masking
leaves all of them out, and the repeat bias counts all of them. `recommend` follows the same rule.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from m2rec.data.prepared import Prepared
from m2rec.errors import DataError
from m2rec.evaluation.metrics import ranks, summary
from m2rec.evaluation.seen import Seen

Part = Literal["validation", "test"]

ROWS_AT_ONCE = {"cpu": 128, "cuda": 1024}  # windows in a batch
SCORES_AT_ONCE = 2**23  # targets × items in a batch: 32 MiB a copy, in float32


class Scorer(Protocol):
    """Any model: M2Rec, a baseline, or counts."""

    def log_scores(self, items: Tensor, where: Tensor, seen: Tensor | None = None) -> Tensor:
        """Scores of items 1…V as the next one after each marked position.

        items int (B, L), right-padded with 0; where bool (B, L) → (N, V), marked positions in row-major order.
        seen bool (N, V) marks the items of each whole history, which may be longer than `items`; None means those
        in `items` up to the marked position.
        """


@dataclass(frozen=True)
class Evaluation:
    """T targets and their ranks, by user, oldest first."""

    users: np.ndarray  # int64 (T,) whose target it is
    positions: np.ndarray  # int64 (T,) its place in that user's sequence
    ranks: dict[Seen, np.ndarray]  # float64 (T,) each; masked, NaN for a target that was already chosen

    @property
    def figures(self) -> dict[Seen, dict[str, float]]:
        """`{"unmasked": {"HR@5": …}, "masked": {…}}`, means over the targets that have a rank."""
        return {seen: summary(values) for seen, values in self.ranks.items() if np.isfinite(values).any()}

    def count(self, seen: Seen) -> int:
        """How many targets have a rank."""
        return int(np.isfinite(self.ranks[seen]).sum())


@dataclass(frozen=True)
class Batch:
    """B windows and their N targets."""

    items: np.ndarray  # int64 (B, L), right-padded with 0
    where: np.ndarray  # bool (B, L): after these positions comes a target
    targets: np.ndarray  # int64 (N,) rows of `Split.targets`, in row-major order of `where`


def evaluate(model: Scorer, prepared: Prepared, part: Part, max_length: int) -> Evaluation:
    """Rank every target of one part of the split; cold items compete like any other.

    The model is put into evaluation mode, and back. Raises DataError when the part has no targets.
    """
    users, positions = prepared.split.targets(part)
    if len(users) == 0:
        raise DataError(f"{prepared.name} has no {part} targets; choose a split that keeps some back.")
    found: dict[Seen, np.ndarray] = {"unmasked": np.empty(len(users)), "masked": np.empty(len(users))}
    events = prepared.sequences.events
    places = prepared.sequences.offsets[users] + positions  # (T,) index of each target in `events`
    device = device_of(model)
    with evaluation_mode(model):
        for batch in batches(prepared, part, max_length, ROWS_AT_ONCE.get(device.type, ROWS_AT_ONCE["cpu"])):
            items, where = torch.from_numpy(batch.items).to(device), torch.from_numpy(batch.where).to(device)
            seen = seen_before(prepared, users[batch.targets], positions[batch.targets]).to(device)
            scores = model.log_scores(items, where, seen)  # (N, V)
            chosen = torch.from_numpy(events[places[batch.targets]].astype(np.int64)).to(device)
            found["unmasked"][batch.targets] = ranks(scores, chosen).cpu().numpy()
            again = seen.gather(1, chosen[:, None] - 1)[:, 0]
            found["masked"][batch.targets] = ranks(scores, chosen, seen).masked_fill(again, torch.nan).cpu().numpy()
    return Evaluation(users, positions, found)


def batches(
    prepared: Prepared, part: Part, max_length: int, rows_at_once: int = ROWS_AT_ONCE["cpu"]
) -> Iterator[Batch]:
    """Windows that cover every target of one part exactly once, shortest first so that little is padding."""
    if max_length < 1:
        raise ValueError(f"max_length must be at least 1, not {max_length}.")
    users, positions = prepared.split.targets(part)
    if (positions < 1).any():
        raise DataError(f"The split of {prepared.name} has a user's first event as a target, which has no history.")
    # a target opens a new window unless it shares its user's first max_length events with the target before it
    opens = np.ones(len(users), dtype=bool)
    opens[1:] = (users[1:] != users[:-1]) | (positions[1:] > max_length)
    first = np.flatnonzero(opens)  # (W,) each window's oldest target
    counts = np.diff(np.append(first, len(users)))  # (W,)
    ends = positions[first + counts - 1]  # (W,) events [starts, ends) of the user are the window
    starts = np.maximum(ends - max_length, 0)
    sizes = ends - starts

    order = np.argsort(sizes, kind="stable")
    for rows in _groups(order, counts, rows_at_once, SCORES_AT_ONCE // prepared.item_count):
        items = np.zeros((len(rows), sizes[rows].max()), dtype=np.int64)
        where = np.zeros(items.shape, dtype=bool)
        targets = []
        for row, window in enumerate(rows):
            served = np.arange(first[window], first[window] + counts[window])
            items[row, : sizes[window]] = prepared.sequences[users[first[window]]][starts[window] : ends[window]]
            where[row, positions[served] - starts[window] - 1] = True
            targets.append(served)
        yield Batch(items, where, np.concatenate(targets))


def _groups(order: np.ndarray, counts: np.ndarray, most_rows: int, most_targets: int) -> Iterator[np.ndarray]:
    """Runs of `order` with at most `most_rows` windows and, unless it is one window alone, `most_targets` targets."""
    group: list[int] = []
    load = 0
    for window in order:
        if group and (len(group) == most_rows or load + counts[window] > most_targets):
            yield np.array(group)
            group, load = [], 0
        group.append(int(window))
        load += int(counts[window])
    if group:
        yield np.array(group)


def seen_before(prepared: Prepared, users: np.ndarray, positions: np.ndarray) -> Tensor:
    """Which items occur anywhere before each event, also further back than the model reads.

    users, positions int (N,) → bool (N, V).
    """
    seen = torch.zeros(len(users), prepared.item_count + 1, dtype=torch.bool)
    rows = np.repeat(np.arange(len(users)), positions)
    history = np.concatenate([prepared.sequences[user][:end] for user, end in zip(users, positions, strict=True)])
    seen[torch.from_numpy(rows), torch.from_numpy(history.astype(np.int64))] = True
    return seen[:, 1:]


def device_of(model: object) -> torch.device:
    """The device of a model's tensors; the CPU for a model without any."""
    if isinstance(model, nn.Module):
        for tensor in chain(model.parameters(), model.buffers()):
            return tensor.device
    return torch.device("cpu")


@contextmanager
def evaluation_mode(model: object) -> Iterator[None]:
    """No gradients and no dropout inside; afterwards the model is as it was."""
    training = isinstance(model, nn.Module) and model.training
    if isinstance(model, nn.Module):
        model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        if isinstance(model, nn.Module):
            model.train(training)
