"""`python -m m2rec train WORLD`"""

from pathlib import Path
from typing import Annotated

import typer

from m2rec import paths
from m2rec.commands.output import Json, say_epoch, show, table
from m2rec.commands.places import find_world, in_cache, this_command
from m2rec.data.cache import prepared_folder
from m2rec.worlds.settings import changed


def train(
    world: Annotated[str, typer.Argument(help="A prepared world's name, or its settings file (.toml).")],
    out: Annotated[Path | None, typer.Option(help="Folder for the checkpoint; checkpoints/WORLD by default.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Replaces the seed in the world's settings.")] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="At most this many; replaces the number in the settings.")
    ] = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="Train on the CPU even if there is a GPU.")] = False,
    start_from: Annotated[
        Path | None,
        typer.Option(
            help="Start from these weights instead of random ones: a checkpoint, also with fewer temporal layers, or a "
            "finished mamba2 run of a plan (runs/PLAN/….best.safetensors, which is looked for in the cache)."
        ),
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change one setting, such as model.dropout=0.1; may be repeated."
        ),
    ] = None,
    finish: Annotated[
        bool, typer.Option("--finish", help="Train nothing more, and write the checkpoint of the best epoch so far.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Start over even if a killed run could be resumed.")
    ] = False,
    json_file: Json = None,
) -> None:
    """Train a world's model until validation NDCG@10 stops rising, and write its checkpoint.

    A killed run resumes from its last complete epoch when the same command is run again. A checkpoint in the folder is
    replaced, with its figures; other files stay. On several devices: `accelerate launch -m m2rec train WORLD`.
    """
    settings = changed(find_world(world), change or [])
    chosen = {name: value for name, value in {"seed": seed, "epochs": epochs}.items() if value is not None}
    settings = settings.model_copy(update={"training": settings.training.model_copy(update=chosen)})

    from m2rec.data.prepared import Prepared
    from m2rec.training.world import train_world

    prepared = Prepared.load(prepared_folder(settings.name))
    folder = out or paths.checkpoints() / settings.name

    trained = train_world(
        settings,
        prepared,
        folder,
        command=this_command(leave_out=("--finish", "--restart")),  # without them, it trains the same model anywhere
        cpu=cpu,
        start_from=in_cache(start_from) if start_from else None,
        restart=restart,
        finish=finish,
        on_epoch=say_epoch,
    )
    if not trained.lead:
        return
    progress = trained.progress
    best = progress.epochs[progress.best_epoch - 1]
    summary = {
        "world": settings.name,
        "folder": str(folder),
        "trained_on": trained.device,
        "seed": settings.training.seed,
        "epochs": len(progress.epochs),
        "best_epoch": progress.best_epoch,
        "validation": best.validation,
        "seconds": round(progress.seconds, 1),
        "peak_memory_mib": round(progress.peak_memory_mib, 1),
    }
    shown = table(f"Trained {settings.name}", "what", "value")
    for name, value in (summary | best.validation).items():
        if name != "validation":
            shown.add_row(name.replace("_", " "), f"{value:.4f}" if name in best.validation else str(value))
    show(summary, json_file, shown)
