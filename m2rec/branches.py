"""The three kinds of evidence: key, name, label, cause, colour, order and classes, here alone. Imports no PyTorch.

A fourth is added to `BranchName` and, last, to `EVIDENCE`; the order of this table is used everywhere.
"""

from dataclasses import dataclass
from typing import Literal

BranchName = Literal["temporal", "frequency", "semantic"]


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
    variants: dict[str, str]  # the class in PyTorch, by the value of the setting that has the branch's name


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
        variants={"mamba": "m2rec.model.temporal.mamba.TemporalBranch"},
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
            "periodic": "m2rec.model.frequency.periodic.PeriodicBranch",
            "spectral": "m2rec.model.frequency.spectral.SpectralBranch",
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
            "means": "m2rec.model.semantic.means.MeansBranch",
            "themes": "m2rec.model.semantic.themes.ThemesBranch",
        },
    ),
}
ORDERED: tuple[Evidence, ...] = tuple(EVIDENCE.values())
BRANCHES: tuple[BranchName, ...] = tuple(EVIDENCE)  # their keys, in the order that is used everywhere
GATE_LABELS: dict[str, str] = {kind.key: kind.label for kind in ORDERED}
CAUSE_OF: dict[str, str] = {kind.key: kind.cause for kind in ORDERED if kind.cause is not None}
