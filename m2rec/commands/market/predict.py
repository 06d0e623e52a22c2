"""`python -m m2rec market predict`"""

from pathlib import Path
from typing import Annotated

import typer

from m2rec.commands.output import say
from m2rec.commands.places import find_checkpoint
from m2rec.errors import InputError
from m2rec.world_names import MARKET


def predict(
    folder: Annotated[Path, typer.Argument(help="An exported market.")],
    predictions: Annotated[Path, typer.Argument(help="The Parquet file to write the ranked lists to.")],
    checkpoint: Annotated[
        str | None, typer.Option(help="A world's name or a checkpoint folder; the shipped market's by default.")
    ] = None,
    gates: Annotated[Path | None, typer.Option(help="Also write the gate before each target to this file.")] = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="Use the CPU even if there is a GPU.")] = False,
) -> None:
    """Write a trained M2Rec's ten best items for every target, in the format that `grade` reads."""
    import numpy as np
    import torch

    from m2rec.checkpoint import Checkpoint
    from m2rec.data.market.export import read_export, read_items
    from m2rec.evaluation.ranked_lists import write_gates, write_lists

    for path in (predictions, gates):
        if path is not None and path.suffix in (".csv", ".tsv", ".txt", ".json"):
            raise InputError(f"{path} would be Parquet and not what its name says; end the name in .parquet.")
    loaded = Checkpoint.load(find_checkpoint(checkpoint or MARKET))
    model = loaded.model().to(torch.device("cuda" if torch.cuda.is_available() and not cpu else "cpu"))
    ids = [item.item_id for item in loaded.items]
    prepared = read_export(folder, ids, model.config.warm_items)
    sold = np.isin(ids, list(read_items(folder)))
    count = write_lists(model, prepared, sold, predictions)
    say(f"Wrote ranked lists for {count:,} targets to {predictions}.")
    if gates:
        write_gates(model, prepared, gates)
        say(f"Wrote the gate before each target to {gates}.")
