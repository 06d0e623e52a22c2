"""The plans that a command line names, with what their runs read."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from m2rec import paths
from m2rec.commands.output import say
from m2rec.commands.places import find_world
from m2rec.data.cache import prepared_folder
from m2rec.errors import InputError

if TYPE_CHECKING:
    from m2rec.benchmark.accuracy.job import Job
    from m2rec.benchmark.accuracy.plan import Plan
    from m2rec.data.prepared import Prepared
    from m2rec.worlds.settings import WorldSettings


class PlanInputs(NamedTuple):
    """A plan and what its runs read. `given` is how the command line named the plan."""

    given: str
    plan: "Plan"
    world: "WorldSettings"
    prepared: "Prepared"

    def jobs(self, runs: Path, only: tuple[str, ...] = (), seeds: tuple[int, ...] = ()) -> "list[Job]":
        """The plan's runs, or those of these models and seeds, kept in the folder `runs`."""
        from m2rec.benchmark.accuracy.jobs import jobs_of

        return jobs_of(self.plan, self.world, self.prepared, runs, only, seeds)


def runs_folder(given: Path | None) -> Path:
    """The folder of finished runs."""
    return given or paths.benchmarks() / "runs"


def plan_inputs(given: list[str], all_plans: bool) -> list[PlanInputs]:
    """The plans by name or path, or all published ones. Raises InputError for none, or for two of one name."""
    if bool(given) == all_plans:
        raise InputError("Give the plans to carry out, or --all for every one that is published.")
    return [_inputs(name, plan) for name, plan in (_published() if all_plans else _named(given)).items()]


def _named(plans: list[str]) -> "dict[str, Plan]":
    from m2rec.benchmark.accuracy.plan import load_plan

    found = {given: load_plan(given) for given in plans}
    names = [one.name for one in found.values()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"Two of these plans are called {twice[0]}, and so would their tables be; give one at a time.")
    return found


def _published() -> "dict[str, Plan]":
    """The published plans whose worlds are prepared here; the others are named on standard error."""
    from m2rec.benchmark.accuracy.jobs import published_plans

    plans = published_plans()
    there = {one.name: one for one in plans if prepared_folder(find_world(one.world).name).is_dir()}
    for one in plans:
        if one.name not in there:
            say(f"Left out: {one.name}, which is not prepared here (python -m m2rec prepare {one.world}).")
    if not there:
        raise InputError(f"No published plan's world is prepared here; begin with prepare {plans[0].world}.")
    return there


def _inputs(given: str, plan: "Plan") -> PlanInputs:
    from m2rec.data.prepared import Prepared

    world = find_world(plan.world)
    return PlanInputs(given, plan, world, Prepared.load(prepared_folder(world.name)))
