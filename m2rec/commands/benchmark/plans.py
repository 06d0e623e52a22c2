"""The plans given on a command line, with their world and prepared data."""

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
    """A plan with its world and prepared data. `given` is its name or path on the command line."""

    given: str
    plan: "Plan"
    world: "WorldSettings"
    prepared: "Prepared"

    def jobs(self, runs: Path, only: tuple[str, ...] = (), seeds: tuple[int, ...] = ()) -> "list[Job]":
        """The plan's runs with results in the folder `runs`; `only` and `seeds` select models and seeds."""
        from m2rec.benchmark.accuracy.jobs import jobs_of

        return jobs_of(self.plan, self.world, self.prepared, runs, only, seeds)


def runs_folder(given: Path | None) -> Path:
    """The folder of finished runs, by default assets/benchmarks/runs."""
    return given or paths.benchmarks() / "runs"


def plan_inputs(given: list[str], all_plans: bool) -> list[PlanInputs]:
    """The plans given by name or path, or all published ones. Raises InputError for none, and for two of one name."""
    if bool(given) == all_plans:
        raise InputError("Give either the plans to run, or --all for all published ones.")
    return [_inputs(name, plan) for name, plan in (_published() if all_plans else _named(given)).items()]


def _named(plans: list[str]) -> "dict[str, Plan]":
    from m2rec.benchmark.accuracy.plan import load_plan

    found = {given: load_plan(given) for given in plans}
    names = [one.name for one in found.values()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"Two of these plans are called {twice[0]}, so their tables would have one name; give one at a time."
        )
    return found


def _published() -> "dict[str, Plan]":
    """The published plans whose worlds are prepared here; the others are listed on standard error."""
    from m2rec.benchmark.accuracy.jobs import published_plans

    plans = published_plans()
    there = {one.name: one for one in plans if prepared_folder(find_world(one.world).name).is_dir()}
    for one in plans:
        if one.name not in there:
            say(f"Left out: {one.name}, whose world is not prepared here (python -m m2rec prepare {one.world}).")
    if not there:
        raise InputError(
            f"None of the published plans' worlds is prepared here; start with `prepare {plans[0].world}`."
        )
    return there


def _inputs(given: str, plan: "Plan") -> PlanInputs:
    from m2rec.data.prepared import Prepared

    world = find_world(plan.world)
    return PlanInputs(given, plan, world, Prepared.load(prepared_folder(world.name)))
