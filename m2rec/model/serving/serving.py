"""One history, one answer, on a CPU: the same weights arranged for the visitor who waits.

With a batch of one, time goes into calling operations rather than into what they compute. Two things are done about
it, and neither changes what is answered:

* What depends on one item alone is worked out once per item: norm and in-projection of the temporal branch, Δ and the
  decay; the identity or the habit in the frequency branch; the salience in the semantic one. An answer looks these up.
* What is left is small, and small arrays are NumPy's: a call costs it a fraction of what it costs PyTorch. The few
  large operations stay with PyTorch and the threads it was given: convolution and sum over a history, and the scores.

Glossary (otherwise as in the branches)
    tail      the newest items of a history, the newest last, zeros before the first

`M2Rec.encode_last`, `M2Rec.step` and `M2Rec.shares` are the plain twins (tests/model/test_serving.py); they answer
batches, and they run on a GPU.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from m2rec.model.frequency.periodic import ReturnBranch
from m2rec.model.frequency.recurrence import due_log_probabilities
from m2rec.model.items import ItemTable
from m2rec.model.m2rec import Encoded, M2Rec
from m2rec.model.semantic.themes import InterestBranch, theme_log_probabilities
from m2rec.model.serving.frequency import FilterState, ServedFrequency
from m2rec.model.serving.head import ServedHead
from m2rec.model.serving.interests import Meaning, ServedInterests
from m2rec.model.serving.returns import CountState, ServedReturns
from m2rec.model.serving.rhythm import unexplained
from m2rec.model.serving.semantic import ServedSemantic
from m2rec.model.serving.temporal import ServedTemporal


@dataclass(frozen=True)
class ServingState:
    """What `Serving.step` carries; its size does not depend on how long the history is."""

    tail: np.ndarray  # int64 (W or the convolution's width,)
    scan: np.ndarray  # (H, P, N), the temporal branch's hidden state
    rhythm: FilterState | CountState
    taste: np.ndarray  # (K, d + 1), decayed sums of weighted text vectors and weights, or (1, K, K), belief over themes


class Serving:
    """Answers with a model whose weights do not change any more. Safe to share between threads."""

    def __init__(self, model: M2Rec, table: ItemTable | None = None) -> None:
        """`model` on the CPU, in evaluation mode, with one temporal layer; `table` its item table, where there is one.

        Raises ValueError for any other model: a second layer does not read items one at a time.
        """
        if model.training or model.bias.is_cuda or len(model.temporal.layers) != 1:
            raise ValueError("Serving takes a model on the CPU, in evaluation mode, with one temporal layer.")
        self.model = model
        with torch.no_grad():
            self.table = table or model.item_table()
            self._temporal = ServedTemporal(model, self.table)
            self._frequency: Any  # either branch, each with its own state
            if isinstance(model.frequency, ReturnBranch):
                self._frequency = ServedReturns(model.frequency, self.table)
            else:
                self._frequency = ServedFrequency(model.frequency, self.table)
            self._semantic: Any  # either branch
            if isinstance(model.semantic, InterestBranch):
                self._semantic = ServedInterests(model.semantic, self.table)
            else:
                self._semantic = ServedSemantic(model.semantic, self.table)
            self._head = ServedHead(model)
            ranked = self.table.scoring[1 : model.config.items + 1]
            width = model.config.width
            self._vectors = ranked[:, :width].T.contiguous()  # (d, V)
            emissions = self.table.emissions
            self._emissions = None if emissions is None else emissions[1 : model.config.items + 1]  # (V, K)
            self._texts = self.table.text[1 : model.config.items + 1].T.contiguous()
            self._popular = model.per_branch("popularity")[:, None] * ranked[:, -1]  # (M, V)
            self._repeat = model.per_branch("repeat_bias")[:, None]

    @torch.inference_mode()
    def last(self, items: np.ndarray, keep: np.ndarray | None = None) -> Encoded:
        """After a whole history. items int (L,), L ≥ 1, no padding; keep (b,) mutes bands → Encoded over (1,)."""
        items = np.asarray(items, dtype=np.int64)
        rhythm = self._frequency.last(items, keep)
        if self.model.by_theme:
            meaning = self._semantic.last(items, *(rhythm.explained or unexplained(len(items))))
        else:
            meaning = Meaning(self._semantic.last(items))
        return self._head(self._temporal.last(items), rhythm, meaning)

    def step(self, item: int, state: ServingState, keep: np.ndarray | None = None) -> tuple[Encoded, ServingState]:
        """One more item. → Encoded over (1,) and the new state; the old one stays as it was."""
        tail = np.append(state.tail[1:], item)
        temporal, scan = self._temporal.step(tail, state.scan)
        frequency, rhythm = self._frequency.step(tail, state.rhythm, keep)
        if self.model.by_theme:
            meaning, taste = self._semantic.step(item, *(frequency.explained or unexplained(1)), state.taste)
        else:
            y, taste = self._semantic.step(item, state.taste)
            meaning = Meaning(y)
        after = replace(state, tail=tail, scan=scan, rhythm=rhythm, taste=taste)
        return self._head(temporal, frequency, meaning), after

    def start(self) -> ServingState:
        """The state before the first item."""
        return ServingState(
            np.zeros(max(self._frequency.taps, self._temporal.taps), dtype=np.int64),
            np.zeros((*self._temporal.per_head, self._temporal.state), dtype=np.float32),
            self._frequency.start(),
            self._semantic.start(),
        )

    def seen(self, items: np.ndarray) -> Tensor:
        """Which items a history holds. items int (L,) → bool (1, V)."""
        seen = np.zeros((1, len(self.table.unit)), dtype=bool)
        seen[0, items] = True
        return torch.from_numpy(seen[:, 1 : self.model.config.items + 1])

    @torch.inference_mode()
    def shares(self, encoded: Encoded, seen: Tensor) -> Tensor:
        """What each branch adds to each item's probability, as `M2Rec.shares` has it. seen (1, V) → (1, M, V)."""
        if self.model.config.gate == "features":
            return self.model.shares(encoded, seen, self.table)
        # popularity and readiness to repeat first, then what the branches say is added to them
        scores = torch.addcmul(self._popular, self._repeat, seen)  # (M, V)
        features, width = encoded.features[0], len(self._vectors)
        scores[0].addmv_(self._vectors.T, features[0, :width])
        if encoded.due is None:
            scores[1].addmv_(self._vectors.T, features[1, :width])
        if self.model.config.semantic_by_text and encoded.themes is None:
            scores[2].addmv_(self._texts.T, features[2, width : 2 * width])
        elif encoded.themes is None:
            scores[2].addmv_(self._vectors.T, features[2, :width])
        shares = scores.softmax(-1)
        if encoded.due is not None:
            shares[1] = due_log_probabilities(encoded.due, shares.shape[1])[0].exp()
        if encoded.themes is not None and self._emissions is not None:
            shares[2] = theme_log_probabilities(encoded.themes, self._emissions)[0].exp()
        return shares.mul_(encoded.log_gate.exp().T)[None]
