"""`python -m m2rec benchmark worker`: a process that `benchmark train` starts, one for each run at a time."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from m2rec.commands.benchmark.plans import PlanInputs, plan_inputs, runs_folder
from m2rec.commands.output import say_epoch

if TYPE_CHECKING:
    from m2rec.benchmark.accuracy.job import Job


def worker(
    plan: Annotated[list[str], typer.Argument(help="The plans of the runs, by name or path.")],
    memory: Annotated[float, typer.Option(min=0.01, max=1, help="The fraction of the GPU's memory to use.")] = 1,
    cpu: Annotated[bool, typer.Option("--cpu", help="Train on the CPU even if there is a GPU.")] = False,
    runs: Annotated[Path | None, typer.Option(help="Folder for finished runs.")] = None,
    pack: Annotated[Path | None, typer.Option(help="Folder for archives of checkpoints.")] = None,
) -> None:
    """Run the jobs named on standard input, one after another. `benchmark train` starts this command."""
    from m2rec.benchmark.accuracy.pack import CheckpointArchive
    from m2rec.benchmark.accuracy.worker import limit_memory, work
    from m2rec.training.start import finished_run

    inputs = {one.plan.name: one for one in plan_inputs(plan, all_plans=False)}

    def do(job: "Job", deadline: float | None) -> None:
        one = inputs[job.plan.name]
        command = run_command(one, job, cpu)
        if pack is None or not job.trains_checkpoint:
            job.run(one.prepared, command=command, cpu=cpu, deadline=deadline, on_epoch=say_epoch)
            return
        before = finished_run(job.before.weights_file).record if job.before else None
        world = one.world.model_copy(update={"training": job.training})
        archive = CheckpointArchive(pack, world, one.prepared, command, before)
        job.run(
            one.prepared,
            command=command,
            cpu=cpu,
            deadline=deadline,
            on_epoch=say_epoch,
            on_better=archive.update,
            keep=archive.write,
        )

    limit_memory(memory)
    work({job.label: job for one in inputs.values() for job in one.jobs(runs_folder(runs))}, do)


def run_command(inputs: PlanInputs, job: "Job", cpu: bool) -> str:
    """The command that repeats this run, for its record."""
    arguments = [inputs.given, "--only", job.entry.name, "--seed", str(job.seed), *["--cpu"] * cpu]
    return shlex.join(["python", "-m", "m2rec", "benchmark", "train", *arguments])
