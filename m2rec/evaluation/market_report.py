"""The report of `market grade`: what a program is and what it reached in the Rhythm Market; for README and page."""

import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from m2rec.data.market.settings import CAUSES
from m2rec.errors import DataError
from m2rec.evaluation.report import Figure, GateReport

FOLDER = "market"  # of the published reports, in assets/benchmarks
HIT, GAIN = "HR@10", "NDCG@10"
BANDS = ((2, 7), (8, 14), (15, 28))  # days: the periods that are shown together
OTHER_GROUPS = ("chain", "taste", "arrivals")  # the groups that are shown beside them


class Group(BaseModel):
    """Figures of some of the targets, beside those of the fair oracle on the same ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    targets: int
    figures: dict[str, Figure]  # HR@10 and NDCG@10; the intervals are over users
    oracle: dict[str, FiniteFloat]
    share_of_ceiling: FiniteFloat | None  # HR@10 over the oracle's; None where the oracle finds nothing either


class PredictionGrades(BaseModel):
    """`groups` by name: "all", each cause, "arrivals", "period 7", "3 cycles seen", …"""

    model_config = ConfigDict(frozen=True, extra="forbid")

    groups: dict[str, Group]
    gates: GateReport | None = None

    def rate(self, name: str) -> float | None:
        """HR@10 of one group; None where there is no such group."""
        group = self.groups.get(name)
        return None if group is None else group.figures[HIT].value

    def rate_of_periods(self, first: int, last: int, *, oracle: bool = False) -> float | None:
        """HR@10, or the fair oracle's, over the rhythm purchases with a period from `first` to `last` days."""
        found = [
            self.groups[name] for name in (f"period {days}" for days in range(first, last + 1)) if name in self.groups
        ]
        targets = sum(group.targets for group in found)
        hits = sum(group.targets * (group.oracle[HIT] if oracle else group.figures[HIT].value) for group in found)
        return hits / targets if targets else None

    def most_lost(self) -> str | None:
        """The cause on which most targets are lost against the fair oracle; None where nothing is."""
        lost = {
            name: group.targets * (group.oracle[HIT] - group.figures[HIT].value)
            for name in CAUSES
            if (group := self.groups.get(name))
        }
        worst = max(lost, key=lambda name: lost[name], default=None)
        return worst if worst and lost[worst] > 0 else None


class MarketReport(PredictionGrades):
    """The grades of one program with its name."""

    name: Annotated[str, Field(min_length=1)]
    about: dict[str, Any] = Field(default_factory=dict)  # settings, epochs, hardware, …: whatever its maker says
    market: dict[str, Any] = Field(default_factory=dict)  # the constants that differ from the shipped world's
    date: datetime.date
    command: str  # that graded it


def read_reports(folder: Path) -> list[MarketReport]:
    """The reports in `folder` about the shipped world, the best HR@10 first; none where there is no such folder.

    Raises DataError that names the file which is none.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            report = MarketReport.model_validate_json(path.read_bytes())
            report.groups["all"].figures[HIT], report.groups["all"].figures[GAIN]
        except (OSError, ValidationError, KeyError) as error:
            raise DataError(f"{path} is not a readable report of `market grade`; grade the lists again.") from error
        if not report.market:
            found.append(report)
    return sorted(found, key=lambda report: -report.groups["all"].figures[HIT].value)
