"""The load measurement: warm-up, steady visitors, a rush, recovery, and many visitors one after another."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from m2rec.benchmark.page.crowd import Phase, crowd, in_turn, recovery
from m2rec.benchmark.page.host import Host

ONE_BY_ONE_LIMIT = 1800.0  # seconds
PHASE_OFFSET = 1_000_000  # between visitors' numbers of two phases, so that no two visitors have the same history


@dataclass(frozen=True)
class Plan:
    """How many visitors come, how often they click and how long they stay. Phases without visitors are left out."""

    visitors: int
    seconds: float
    pace: float = 2.0  # seconds between two clicks of one visitor
    warm_up: float = 30.0  # seconds that do not count, in which caches fill and memory grows to its size
    rush: int = 3  # factor on the number of visitors
    rush_seconds: float = 30.0
    one_by_one: int = 1000


@dataclass(frozen=True)
class Load:
    """The figures of all phases. `recovery_s` is None when the server did not recover within a minute."""

    plan: Plan
    start_s: float | None
    steady: Phase
    rush: Phase | None = None
    recovery_s: float | None = None
    in_turn: Phase | None = None

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return asdict(self)

    @property
    def phases(self) -> dict[str, Phase]:
        """The measured phases, by name."""
        found = {"steady": self.steady, "rush": self.rush, "one by one": self.in_turn}
        return {name: phase for name, phase in found.items() if phase}


def measure(host: Host, plan: Plan, report: Callable[[str], None]) -> Load:
    """Measure the server under the plan's load. `report` is called with the name of each phase."""
    return asyncio.run(_measure(host, plan, report))


async def _measure(host: Host, plan: Plan, report: Callable[[str], None]) -> Load:
    report(f"{plan.visitors} visitors for {plan.warm_up:.0f} s to warm up, then {plan.seconds:.0f} s …")
    await crowd(host, plan.visitors, plan.warm_up, plan.pace, first=PHASE_OFFSET)
    steady = await crowd(host, plan.visitors, plan.seconds, plan.pace, first=2 * PHASE_OFFSET)
    rush = recovered = turns = None
    if plan.rush:
        report(f"{plan.rush * plan.visitors} visitors for {plan.rush_seconds:.0f} s …")
        rush = await crowd(host, plan.rush * plan.visitors, plan.rush_seconds, plan.pace, first=3 * PHASE_OFFSET)
        recovered = await recovery(host, 4 * PHASE_OFFSET)
    if plan.one_by_one:
        report(f"{plan.one_by_one} visitors one after another …")
        turns = await in_turn(host, plan.one_by_one, ONE_BY_ONE_LIMIT, first=5 * PHASE_OFFSET)
    return Load(plan, host.start_s, steady, rush, recovered, turns)
