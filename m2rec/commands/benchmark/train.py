"""`python -m m2rec benchmark train PLAN`"""

import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from m2rec import paths
from m2rec.commands.output import Json, say, show, table
from m2rec.commands.places import find_checkpoint, find_world, this_command
from m2rec.data.cache import prepared_folder
from m2rec.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from m2rec.benchmark.accuracy.job import Job
    from m2rec.benchmark.accuracy.plan import Plan
    from m2rec.data.prepared import Prepared
    from m2rec.training.resume import EpochReport
    from m2rec.worlds.settings import WorldSettings

LEAST_MINUTES = 0.1
SHOWN = ("HR@10", "NDCG@10")


def train(
    plan: Annotated[
        list[str] | None, typer.Argument(help="Plans to carry out: shipped ones by name, or settings files (.toml).")
    ] = None,
    all_plans: Annotated[bool, typer.Option("--all", help="All shipped plans but those that choose settings.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="Only this model of the plan; may be repeated.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Only this seed of the plan; may be repeated.")] = None,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Runs side by side, each with its share of a GPU.")] = 1,
    budget_minutes: Annotated[
        float | None,
        typer.Option(min=LEAST_MINUTES, help="Stop cleanly after so long; the same command goes on from there."),
    ] = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="Train on the CPU even where there is a GPU.")] = False,
    list_runs: Annotated[
        bool, typer.Option("--list", help="Only say which runs are there and which are to come.")
    ] = False,
    checkpoint: Annotated[
        str | None,
        typer.Option(help="A checkpoint (folder or world) that is one of these runs: measured, not trained again."),
    ] = None,
    here: Annotated[
        bool, typer.Option("--here", help="Run in this process, one run after another, and show epochs.")
    ] = False,
    card_share: Annotated[float, typer.Option(min=0.01, max=1, help="With --here: this much of the GPU's memory.")] = 1,
    runs: Annotated[
        Path | None, typer.Option(help="Folder for finished runs; assets/benchmarks/runs unless said.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the tables; assets/benchmarks unless said.")] = None,
    json_file: Json = None,
) -> None:
    """Train every model of a plan with every seed, rank all held-out events, and make the table of means over seeds.

    Finished runs are kept and not run again, stopped ones go on from their last whole epoch, and a run that fails costs
    the others nothing. The models differ in what the plan says and in nothing else.
    """
    from m2rec.benchmark.accuracy.jobs import benchmark_table, in_turn, jobs_of, write_table
    from m2rec.benchmark.accuracy.queue import STOPPED, run_queue

    if bool(plan) == all_plans:
        raise InputError("Give the plans to carry out, or --all for every one that is published.")
    began = time.monotonic()
    deadline = None if budget_minutes is None else began + 60 * budget_minutes
    folder = runs or paths.benchmarks() / "runs"
    parts = {given: _part(one) for given, one in (_published() if all_plans else _named(plan or [])).items()}
    asked = {given: jobs_of(*part, folder, only or (), seed or ()) for given, part in parts.items()}
    if checkpoint:
        _measure_checkpoint(checkpoint, list(parts.values()), asked)
    waiting = in_turn([job for jobs in asked.values() for job in jobs if job.result() is None])
    if list_runs:
        states = {
            parts[given].plan.name: {job.name: "to come" if job in waiting else "done" for job in jobs}
            for given, jobs in asked.items()
        }
        show(states, json_file, *(_listed(name, runs_of) for name, runs_of in states.items()))
        return
    if here:
        _run_here(waiting, {part.plan.name: part.prepared for part in parts.values()}, card_share, cpu, deadline)
        return
    given_by_plan = {part.plan.name: given for given, part in parts.items()}
    command = partial(_run_command, given_by_plan, at_once=at_once, cpu=cpu, runs=runs)
    outcome = run_queue(waiting, command, at_once=at_once, deadline=deadline, report=say)
    tables = {part.plan.name: benchmark_table(part.plan, jobs_of(*part, folder)) for part in parts.values()}
    for found in tables.values():
        say(f"Wrote {write_table(found, out or paths.benchmarks())}.")
    show(tables, json_file, *(_benchmark(name, found) for name, found in tables.items()))
    incomplete = [job.label for job in (*outcome.failed, *outcome.stopped)]
    if incomplete:
        say(f"Not finished: {', '.join(incomplete)}; the same command goes on from there.")
        raise typer.Exit(STOPPED)


class _Part(NamedTuple):
    """A plan and what its runs read."""

    plan: "Plan"
    world: "WorldSettings"
    prepared: "Prepared"


def _named(plans: list[str]) -> "dict[str, Plan]":
    from m2rec.benchmark.accuracy.plan import load_plan

    found = {given: load_plan(given) for given in plans}
    names = [one.name for one in found.values()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"Two of these plans are called {twice[0]}, and so would be their tables; give one at a time.")
    return found


def _published() -> "dict[str, Plan]":
    """The published plans whose worlds are prepared here; which are not is said."""
    from m2rec.benchmark.accuracy.jobs import published_plans

    plans = published_plans()
    there = {one.name: one for one in plans if prepared_folder(find_world(one.world).name).is_dir()}
    for one in plans:
        if one.name not in there:
            say(f"Left out: {one.name}, which is not prepared here (python -m m2rec prepare {one.world}).")
    if not there:
        raise InputError(f"No published plan's world is prepared here; begin with prepare {plans[0].world}.")
    return there


def _part(plan: "Plan") -> _Part:
    from m2rec.data.prepared import Prepared

    world = find_world(plan.world)
    return _Part(plan, world, Prepared.load(prepared_folder(world.name)))


def _measure_checkpoint(name: str, parts: "list[_Part]", asked: "dict[str, list[Job]]") -> None:
    """Measure a checkpoint as the run that it is, unless that is there."""
    from m2rec.benchmark.accuracy.from_checkpoint import matching_job, measure_checkpoint
    from m2rec.checkpoint import Checkpoint

    checkpoint = Checkpoint.load(find_checkpoint(name))
    world = checkpoint.config.world
    part = next((part for part in parts if part.world.name == world), None)
    if part is None:
        raise InputError(f"The checkpoint is of {world}, which none of these plans is about.")
    jobs = [job for of_plan in asked.values() for job in of_plan if job.plan.name == part.plan.name]
    job = matching_job(checkpoint, jobs, part.prepared)
    if job.result() is None:
        say(f"{job.label} is what the checkpoint of {world} is; measuring it …")
        measure_checkpoint(checkpoint, job, part.prepared)


def _run_here(
    jobs: "list[Job]", prepared: "dict[str, Prepared]", card_share: float, cpu: bool, deadline: float | None
) -> None:
    """In this process, one after another, showing epochs; leaves with STOPPED when the time is up."""
    from m2rec.benchmark.accuracy.job import OutOfTimeError
    from m2rec.benchmark.accuracy.jobs import limit_memory
    from m2rec.benchmark.accuracy.queue import STOPPED

    limit_memory(card_share)
    try:
        for job in jobs:
            job.run(
                prepared[job.plan.name],
                command=this_command(),
                cpu=cpu,
                show=True,
                deadline=deadline,
                on_epoch=_say_epoch,
            )
    except OutOfTimeError:
        raise typer.Exit(STOPPED) from None


def _run_command(
    given: dict[str, str], job: "Job", left: float | None, *, at_once: int, cpu: bool, runs: Path | None
) -> list[str]:
    """One run as a command of its own, with `left` seconds for it. `given` is how the command line named each plan."""
    arguments = [sys.executable, "-m", "m2rec", "benchmark", "train", given[job.plan.name], "--here"]
    arguments += ["--only", job.entry.name, "--seed", str(job.seed), "--card-share", f"{1 / at_once:.3f}"]
    arguments += ["--cpu"] * cpu
    if left is not None:
        arguments += ["--budget-minutes", f"{max(left / 60, LEAST_MINUTES):.3f}"]
    return arguments + (["--runs", str(runs)] if runs else [])


def _say_epoch(epoch: "EpochReport") -> None:
    figures = ", ".join(f"{name} {value:.4f}" for name, value in epoch.validation.items())
    say(f"epoch {epoch.epoch}: loss {epoch.loss:.4f}, validation {figures}, {epoch.seconds:.1f} s")


def _listed(name: str, states: dict[str, str]) -> "Table":
    shown = table(f"Runs of {name}", "run", "state", text=2)
    for run, state in states.items():
        shown.add_row(run, state)
    return shown


def _benchmark(name: str, found: dict[str, Any]) -> "Table":
    """Test figures, or validation where the test set stays shut; the p of the reference being no better."""
    opened = any("unmasked" in row for row in found["rows"])
    parts = ("unmasked", "masked") if opened else ("validation",)
    columns = [f"{metric}, {part}" for part in parts for metric in SHOWN]
    shown = table(f"{name}: {found['targets']:,} targets", "model", *columns, "p", "seeds")
    chances = {
        one["against"]: one["p"]
        for one in found["comparisons"]
        if (one["seen"], one["metric"]) == ("unmasked", SHOWN[0])
    }
    for row in found["rows"]:
        figures = [_figure(row, part, metric) for part in parts for metric in SHOWN]
        p = chances.get(row["model"])
        shown.add_row(row["model"], *figures, "" if p is None else f"{p:.4f}", str(len(row["seeds"])))
    return shown


def _figure(row: dict[str, Any], part: str, metric: str) -> str:
    """A mean, and its spread where there are several seeds."""
    mean = f"{row[part][metric]:.4f}"
    return f"{mean} ± {row[f'{part}_sd'][metric]:.4f}" if len(row["seeds"]) > 1 else mean
