"""`python -m m2rec benchmark take FOLDER`"""

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from m2rec import paths
from m2rec.commands.benchmark.plans import plan_inputs, runs_folder
from m2rec.commands.output import Json, say, show, table
from m2rec.errors import CheckpointError

if TYPE_CHECKING:
    from rich.table import Table

    from m2rec.benchmark.accuracy.take import TakenCheckpoint, TakenRuns


def take(
    folder: Annotated[Path, typer.Argument(help="The folder with the archives of `benchmark train --pack`.")],
    plan: Annotated[
        list[str] | None,
        typer.Option(help="A plan that was run; may be repeated. All published plans by default."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also replace existing results, and checkpoints that are better.")
    ] = False,
    runs: Annotated[Path | None, typer.Option(help="Folder for runs; assets/benchmarks/runs by default.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the tables; assets/benchmarks by default.")] = None,
    checkpoints: Annotated[Path | None, typer.Option(help="Folder for checkpoints; checkpoints by default.")] = None,
    json_file: Json = None,
) -> None:
    """Install the results of training on another machine, and write the tables.

    Runs are installed if they belong to the plans, and a checkpoint if its validation is better. The last lines printed
    are the commands that measure a new checkpoint.
    """
    from m2rec.benchmark.accuracy.jobs import benchmark_table, write_table
    from m2rec.benchmark.accuracy.take import take_checkpoint, take_runs, unpack

    inputs = plan_inputs(plan or [], all_plans=not plan)
    jobs = [job for one in inputs for job in one.jobs(runs_folder(runs))]
    by_world = {one.world.name: one for one in inputs}
    with tempfile.TemporaryDirectory() as temporary:
        unpacked = Path(temporary)
        unpack(folder, unpacked)
        found = []
        for source in sorted((unpacked / "checkpoints").glob("*")):
            if source.name not in by_world:
                say(f"Not installed: the checkpoint of {source.name}, whose world is in none of these plans.")
                continue
            target = (checkpoints or paths.checkpoints()) / source.name
            try:
                found.append(take_checkpoint(source, target, by_world[source.name].prepared, force=force))
            except CheckpointError as error:
                say(f"Not installed: the checkpoint of {source.name}. {error}")
        worlds = {one.world for one in found if one.taken}
        taken = take_runs(unpacked, jobs, worlds=worlds, force=force)
    for label, reason in taken.skipped.items():
        say(f"Not installed: {label}, because {reason}.")
    for one in inputs:
        if any(job.plan.name == one.plan.name for job in taken.taken):
            made = benchmark_table(
                one.plan, one.jobs(runs_folder(runs)), (checkpoints or paths.checkpoints()) / one.plan.world
            )
            say(f"Wrote {write_table(made, out or paths.benchmarks())}.")
    payload = {
        "checkpoints": {
            one.world: {"trained_on": one.trained_on, "taken": one.taken, "reason": one.reason} for one in found
        },
        "runs": [job.label for job in taken.taken],
        "left": taken.skipped,
    }
    show(payload, json_file, *([_checkpoints(found)] if found else []), *([_runs(taken)] if taken.taken else []))
    if not (found or taken.taken):
        say(f"Nothing in {folder} could be installed.")
    for world in sorted(worlds):
        say(f"Now: python -m m2rec evaluate {world} --record{' --gates' * (world == 'rhythm-market')}")
    if worlds or taken.taken:
        say("Then: python -m m2rec benchmark readme")


def _checkpoints(found: "list[TakenCheckpoint]") -> "Table":
    shown = table("Checkpoints, validation NDCG@10", "world", "trained on", "", "here", "new", text=3)
    for one in found:
        scores = ["–" if math.isnan(score) else f"{score:.4f}" for score in (one.old, one.new)]
        shown.add_row(one.world, one.trained_on, "installed" if one.taken else f"not installed: {one.reason}", *scores)
    return shown


def _runs(found: "TakenRuns") -> "Table":
    shown = table("Runs installed", "run", "HR@10", "NDCG@10")
    for job in found.taken:
        result = job.result()
        assert result is not None
        figures = (result.test or result.validation)["unmasked"]
        shown.add_row(job.label, f"{figures['HR@10']:.4f}", f"{figures['NDCG@10']:.4f}")
    return shown
