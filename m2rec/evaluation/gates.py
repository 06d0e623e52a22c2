"""How well gate weights predict causes, for worlds in which the cause of every event is known.

A gate's weight is read as a forecast: "the next event comes from this kind of evidence". Its AUC is the chance that the
weight is higher before an event with that cause than before one without: .5 is a coin, 1 is perfect. No gate can be
perfect, since causes are random given the history; the oracle with the world's own probabilities is the limit.
"""

import numpy as np
import torch
from scipy.stats import mannwhitneyu

from m2rec.branches import BRANCHES, CAUSE_OF
from m2rec.data.prepared import Prepared
from m2rec.evaluation.groups import Groups, by_cycles, by_period
from m2rec.evaluation.protocol import Part, batches, device_of, evaluation_mode
from m2rec.evaluation.report import Agreement, GateReport
from m2rec.model.m2rec import M2Rec

GRADED = [BRANCHES.index(branch) for branch in CAUSE_OF]  # columns of `gate_weights` whose branch has a cause


def gate_weights(model: M2Rec, prepared: Prepared, part: Part, max_length: int) -> np.ndarray:
    """The gate before each target of one part, float32 (T, 3), columns as in `BRANCHES`, rows as in `Split.targets`."""
    weights = np.empty((len(prepared.split.targets(part)[0]), len(BRANCHES)), dtype=np.float32)
    device = device_of(model)
    with evaluation_mode(model):
        for batch in batches(prepared, part, max_length):
            items, where = torch.from_numpy(batch.items).to(device), torch.from_numpy(batch.where).to(device)
            weights[batch.targets] = model.encode(items).log_gate[where].exp().cpu().numpy()
    return weights


def auc(scores: np.ndarray, positive: np.ndarray) -> float:
    """P(positive scores higher than negative) + half P(equal), the Mann-Whitney statistic. scores, positive (N,)."""
    if positive.all() or not positive.any():
        raise ValueError("An AUC needs at least one event with the cause and one without.")
    a, b = scores[positive], scores[~positive]
    return float(mannwhitneyu(a, b).statistic / (len(a) * len(b)))


def gate_report(
    gates: np.ndarray,
    causes: np.ndarray,
    periods: np.ndarray,
    cycles: np.ndarray,
    oracle: np.ndarray | None = None,
) -> GateReport:
    """Compare the gate before each of N events with the cause of the event.

    gates and oracle float (N, C), columns as in `CAUSE_OF`; causes str (N,), "chain", "rhythm", "taste" or another that
    no branch explains; periods int (N,), the period of the rhythm behind a rhythm event, in interactions; cycles int
    (N,), how often that rhythm had occurred before. Both are read for rhythm events only, each group of which is
    compared with all events of other causes. A cause that no event has, or that all have, is left out.
    """

    def agreement(branch: str, group: np.ndarray) -> Agreement:
        others = causes != CAUSE_OF[branch]
        kept, column = group | others, list(CAUSE_OF).index(branch)
        return Agreement(
            auc=auc(gates[kept, column], group[kept]),
            oracle=None if oracle is None else auc(oracle[kept, column], group[kept]),
            weight_with=float(gates[group, column].mean()),
            weight_without=float(gates[others, column].mean()),
            targets=int(group.sum()),
        )

    own = {branch: causes == cause for branch, cause in CAUSE_OF.items()}
    graded = {branch: group for branch, group in own.items() if group.any() and not group.all()}

    def by(groups: Groups) -> dict[str, Agreement]:
        return {name: agreement("frequency", group) for name, group in groups.items() if "frequency" in graded}

    return GateReport(
        gates={branch: agreement(branch, group) for branch, group in graded.items()},
        by_period=by(by_period(causes, periods)),
        by_cycles=by(by_cycles(causes, cycles)),
    )
