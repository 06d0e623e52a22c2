"""`python -m m2rec benchmark train PLAN`"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from m2rec import paths
from m2rec.commands.benchmark.plans import PlanInputs, plan_inputs, runs_folder
from m2rec.commands.benchmark.worker import run_command
from m2rec.commands.output import Json, say, say_epoch, show, table
from m2rec.commands.places import find_checkpoint
from m2rec.errors import InputError
from m2rec.evaluation.seen import SEEN

if TYPE_CHECKING:
    from rich.table import Table

    from m2rec.benchmark.accuracy.job import Job

LEAST_MINUTES = 0.1
SHOWN = ("HR@10", "NDCG@10")


def train(
    plan: Annotated[
        list[str] | None, typer.Argument(help="Plans to run: shipped ones by name, others by their file (.toml).")
    ] = None,
    all_plans: Annotated[
        bool, typer.Option("--all", help="All shipped plans except those that choose settings.")
    ] = False,
    only: Annotated[list[str] | None, typer.Option(help="Only this model of the plan; may be repeated.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Only this seed of the plan; may be repeated.")] = None,
    at_once: Annotated[
        int, typer.Option(min=1, max=64, help="Runs at the same time, each with a part of the GPU.")
    ] = 1,
    budget_minutes: Annotated[
        float | None,
        typer.Option(min=LEAST_MINUTES, help="Stop after this many minutes; the same command resumes."),
    ] = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="Train on the CPU even if there is a GPU.")] = False,
    list_runs: Annotated[
        bool, typer.Option("--list", help="Only list the runs that are finished and those that are not.")
    ] = False,
    checkpoint: Annotated[
        str | None,
        typer.Option(help="A checkpoint (folder or world) to evaluate as one of these runs, instead of training it."),
    ] = None,
    here: Annotated[
        bool, typer.Option("--here", help="Run in this process, one run after another, and show epochs.")
    ] = False,
    finish: Annotated[
        bool,
        typer.Option(
            "--finish",
            help="Train nothing more, and rank the best epoch so far of those runs that were stopped.",
        ),
    ] = False,
    pack: Annotated[
        Path | None,
        typer.Option(
            help="For a rented machine: keep finished runs and the best checkpoints so far in archives in this folder, "
            "from which `benchmark take` installs them. No tables are written. On a GPU, a world's own model is "
            "trained again if it was trained on a CPU."
        ),
    ] = None,
    runs: Annotated[
        Path | None, typer.Option(help="Folder for finished runs; assets/benchmarks/runs by default.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the tables; assets/benchmarks by default.")] = None,
    json_file: Json = None,
) -> None:
    """Train every model of a plan with every seed, rank all held-out events, and write the table of means over seeds.

    The worlds' own models come first, then baselines, then further seeds, then ablations. Finished runs are not
    repeated, stopped ones resume from their last complete epoch, and a run that fails does not affect the others.
    """
    from m2rec.benchmark.accuracy.jobs import by_importance
    from m2rec.benchmark.accuracy.queue import STOPPED, run_queue

    deadline = None if budget_minutes is None else time.monotonic() + 60 * budget_minutes
    inputs, folder = plan_inputs(plan or [], all_plans), runs_folder(runs)
    asked = [job for one in inputs for job in one.jobs(folder, tuple(only or ()), tuple(seed or ()))]
    if checkpoint:
        _measure_checkpoint(checkpoint, inputs, asked)
    waiting = by_importance([job for job in asked if _to_be_run(job, again=pack is not None and not cpu)])
    if list_runs:
        states: dict[str, dict[str, str]] = {one.plan.name: {} for one in inputs}
        for job in asked:
            states[job.plan.name][job.name] = "to come" if job in waiting else "done"
        show(states, json_file, *(_listed(name, runs_of) for name, runs_of in states.items()))
        return
    if done := len(asked) - len(waiting):
        say(f"{done} of {len(asked)} runs are finished already; to train one again, delete its files in {folder}.")
    if finish:
        _run_here(_stopped(waiting), inputs, cpu, finish=True)
        _write_tables(inputs, runs, out, json_file)
        return
    if here:
        _run_here(waiting, inputs, cpu, deadline=deadline)
        return
    command = [sys.executable, "-m", "m2rec", "benchmark", "worker", *(one.given for one in inputs)]
    command += ["--memory", f"{1 / at_once:.3f}", *["--cpu"] * cpu]
    command += [part for name, given in (("--runs", runs), ("--pack", pack)) if given for part in (name, str(given))]
    with _packing(pack, asked) as update:
        outcome = run_queue(waiting, command, at_once=at_once, deadline=deadline, report=say, while_waiting=update)
    if pack is None:  # a rented machine may lack the packages for tables; `benchmark take` makes them
        _write_tables(inputs, runs, out, json_file)
    incomplete = [job.label for job in (*outcome.failed, *outcome.stopped)]
    if incomplete:
        say(f"Not finished: {', '.join(incomplete)}; the same command resumes them.")
        raise typer.Exit(STOPPED)


def _to_be_run(job: "Job", *, again: bool) -> bool:
    """Whether the job has no result yet. With `again`, also whether it is a world's own model that was trained on a CPU
    and there is a GPU now, on which it is trained for a new checkpoint.
    """
    result = job.result()
    if result is None or not (again and job.trains_checkpoint and result.hardware.startswith("cpu")):
        return result is None
    import torch

    return torch.cuda.is_available()


def _measure_checkpoint(name: str, inputs: list[PlanInputs], asked: "list[Job]") -> None:
    """Evaluate a checkpoint as the run with its settings, unless that run is finished."""
    from m2rec.benchmark.accuracy.from_checkpoint import matching_job, measure_checkpoint
    from m2rec.checkpoint import Checkpoint

    checkpoint = Checkpoint.load(find_checkpoint(name))
    world = checkpoint.config.world
    one = next((one for one in inputs if one.world.name == world), None)
    if one is None:
        raise InputError(f"The checkpoint is of {world}, but none of these plans is for that world.")
    job = matching_job(checkpoint, [job for job in asked if job.plan.name == one.plan.name], one.prepared)
    if job.result() is None:
        say(f"The checkpoint of {world} is the run {job.label}; evaluating it …")
        measure_checkpoint(checkpoint, job, one.prepared)


def _stopped(jobs: "list[Job]") -> "list[Job]":
    """Those with a finished epoch. Raises InputError if there are none."""
    stopped = [job for job in jobs if job.state_file.is_file()]
    if not stopped:
        raise InputError("None of these runs was stopped after an epoch; train them without --finish.")
    return stopped


def _run_here(
    jobs: "list[Job]", inputs: list[PlanInputs], cpu: bool, *, finish: bool = False, deadline: float | None = None
) -> None:
    """Run the jobs in this process, showing epochs, or `finish` them. Exits with STOPPED when time runs out."""
    from m2rec.benchmark.accuracy.job import OutOfTimeError
    from m2rec.benchmark.accuracy.queue import STOPPED

    by_plan = {one.plan.name: one for one in inputs}
    try:
        for job in jobs:
            one = by_plan[job.plan.name]
            job.run(
                one.prepared,
                command=run_command(one, job, cpu),
                cpu=cpu,
                show=True,
                finish=finish,
                deadline=deadline,
                on_epoch=say_epoch,
            )
    except OutOfTimeError:
        raise typer.Exit(STOPPED) from None


@contextmanager
def _packing(folder: Path | None, jobs: "list[Job]") -> Iterator[Callable[[], None]]:
    """Yield a function that updates the archives in `folder` and is to be called often. Updates them at the end too."""
    from m2rec.benchmark.accuracy.pack import RunArchives

    if folder is None:
        yield lambda: None
        return
    archives = RunArchives(folder, jobs)
    try:
        yield archives.update
    finally:
        left_out = archives.write()
        if left_out:
            say(f"{left_out} runs did not fit into the archives; they are on this machine only.")


def _write_tables(inputs: list[PlanInputs], runs: Path | None, out: Path | None, json_file: str | None) -> None:
    from m2rec.benchmark.accuracy.jobs import benchmark_table, write_table

    tables = {
        one.plan.name: benchmark_table(one.plan, one.jobs(runs_folder(runs)), paths.checkpoints() / one.plan.world)
        for one in inputs
    }
    for found in tables.values():
        say(f"Wrote {write_table(found, out or paths.benchmarks())}.")
    show(tables, json_file, *(_benchmark(name, found) for name, found in tables.items()))


def _listed(name: str, states: dict[str, str]) -> "Table":
    shown = table(f"Runs of {name}", "run", "state", text=2)
    for run, state in states.items():
        shown.add_row(run, state)
    return shown


def _benchmark(name: str, found: dict[str, Any]) -> "Table":
    """Test figures, or validation if the plan does not use the test set, and p values against the reference."""
    compared: Mapping[str, str] = {
        seen: words for seen, words in SEEN.items() if all(seen in row for row in found["rows"])
    }
    parts: Mapping[str, str] = compared or {"validation": "validation"}
    columns = [f"{metric}, {words}" for words in parts.values() for metric in SHOWN]
    chances = {
        (one["against"], one["seen"]): f"{one['p']:.4f}" for one in found["comparisons"] if one["metric"] == SHOWN[0]
    }
    heads = [*columns, *(f"p, {words}" for words in compared.values())]
    shown = table(f"{name}: {found['targets']:,} targets", "model", *heads, "seeds")
    for row in found["rows"]:
        figures = [_figure(row, part, metric) for part in parts for metric in SHOWN]
        p_values = [chances.get((row["model"], part), "") for part in compared]
        shown.add_row(row["model"], *figures, *p_values, str(len(row["seeds"])))
    return shown


def _figure(row: dict[str, Any], part: str, metric: str) -> str:
    """A mean, with its standard deviation if there are several seeds."""
    mean = f"{row[part][metric]:.4f}"
    return f"{mean} ± {row[f'{part}_sd'][metric]:.4f}" if len(row["seeds"]) > 1 else mean
