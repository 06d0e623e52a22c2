"""The three kinds of evidence: key, name, label, cause, colour, order and classes, here alone. Imports no PyTorch.

A fourth is added to `BranchName` and, last, to `EVIDENCE`; the order of this table is used everywhere.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

BranchName = Literal["temporal", "frequency", "semantic"]
NEWEST_ITEM = "newest_item"  # the newest item at each position: in a branch's detail if its softmax has a bias for it


@dataclass(frozen=True)
class Variant:
    """Where one variant of a branch is written: the class in PyTorch that is trained (`m2rec.model.branch.Branch`), the
    class in NumPy that answers (`m2rec.inference.branch.Branch`), None where it cannot answer, and the function that
    takes an item's probability apart (`m2rec.inference.terms`), None where it has no terms to show.
    """

    network: str
    inference: str | None = None
    terms: str | None = None


@dataclass(frozen=True)
class Evidence:
    """One kind of evidence: its names, and its look: Okabe–Ito colour, pattern and mark, never colour alone.

    `pattern` is Plotly's name of the fill; the style sheet draws the same one on bars.
    """

    key: BranchName
    name: str
    plain: str  # as part of a sentence
    asks: str
    label: str  # what its gate weight means, for a checkpoint's config.json
    cause: str | None  # the market's cause that its gate weight should predict; None where it has none
    colour: str
    pattern: str
    mark: str
    variants: dict[str, Variant]  # by the value of the setting that has the branch's name


EVIDENCE: dict[BranchName, Evidence] = {
    "temporal": Evidence(
        key="temporal",
        name="Temporal",
        plain="recent order",
        asks="what came just before",
        label="what followed what: order and recency",
        cause="chain",
        colour="#0072B2",
        pattern="",
        mark="●",
        variants={
            "mamba": Variant(
                network="m2rec.model.temporal.mamba.TemporalBranch",
                inference="m2rec.inference.temporal.Temporal",
                terms="m2rec.inference.terms.memories.temporal_terms",
            ),
        },
    ),
    "frequency": Evidence(
        key="frequency",
        name="Frequency",
        plain="rhythm",
        asks="what keeps coming back",
        label="rhythm: what comes back after a period",
        cause="rhythm",
        colour="#E69F00",
        pattern="/",
        mark="▲",
        variants={
            "periodic": Variant(
                network="m2rec.model.frequency.periodic.PeriodicBranch",
                inference="m2rec.inference.frequency.periodic.Periodic",
                terms="m2rec.inference.terms.due.due_terms",
            ),
            "spectral": Variant(
                network="m2rec.model.frequency.spectral.SpectralBranch",
                inference="m2rec.inference.frequency.spectral.Spectral",
                terms="m2rec.inference.terms.filtered.filter_terms",
            ),
        },
    ),
    "semantic": Evidence(
        key="semantic",
        name="Semantic",
        plain="meaning",
        asks="what the items are about",
        label="meaning: what the texts of the history are about",
        cause="taste",
        colour="#009E73",
        pattern=".",
        mark="◆",
        variants={
            "means": Variant(
                network="m2rec.model.semantic.means.MeansBranch",
                inference="m2rec.inference.semantic.means.Means",
                terms="m2rec.inference.terms.tastes.means_terms",
            ),
            "themes": Variant(
                network="m2rec.model.semantic.themes.ThemesBranch",
                inference="m2rec.inference.semantic.themes.Themes",
                terms="m2rec.inference.terms.tastes.theme_terms",
            ),
        },
    ),
}
ORDERED: tuple[Evidence, ...] = tuple(EVIDENCE.values())
BRANCHES: tuple[BranchName, ...] = tuple(EVIDENCE)  # their keys, in the order that is used everywhere
GATE_LABELS: dict[str, str] = {kind.key: kind.label for kind in ORDERED}
CAUSE_OF: dict[str, str] = {kind.key: kind.cause for kind in ORDERED if kind.cause is not None}


def import_name(path: str) -> Any:
    """What a dotted name in `Variant` stands for; its module is imported when it is first asked for."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)
