"""`python -m m2rec embed WORLD`"""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from m2rec.commands.output import Json, show, table
from m2rec.commands.places import find_world
from m2rec.errors import InputError
from m2rec.text_safety import printable

if TYPE_CHECKING:
    import numpy as np


def embed(
    world: Annotated[str, typer.Argument(help="A world's name or a settings file (.toml).")],
    out: Annotated[
        Path | None, typer.Option(help="Also write the vectors to this .safetensors file, with item ids in its header.")
    ] = None,
    like: Annotated[
        str | None, typer.Option(metavar="TEXT", help="List the items whose texts are closest in meaning to TEXT.")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=50, help="How many items to list.")] = 10,
    json_file: Json = None,
) -> None:
    """Encode the texts of a world's items with the language model, and cache the vectors for `prepare`.

    A vector depends only on its text and is computed once. --like searches the vectors.
    """
    from m2rec.data.sources.registry import load_dataset
    from m2rec.data.text import TextEncoder

    if like is not None and not printable(like).strip():
        raise InputError("--like has no words; give a text, such as the title of an item.")
    settings = find_world(world)
    items = load_dataset(settings.data, settings.name).items
    encoder = TextEncoder()
    began = time.monotonic()
    vectors = encoder.encode(items["text"].tolist())  # (n, 384)
    summary = {
        "world": settings.name,
        "items": len(items),
        "without_text": int((~vectors.any(axis=1)).sum()),
        "width": vectors.shape[1],
        "seconds": round(time.monotonic() - began, 2),
    }
    if out:
        _write(out, items["item"].tolist(), vectors)
    if like is None:
        shown = table(f"Texts of {settings.name}", "what", "value")
        for name, value in summary.items():
            shown.add_row(name.replace("_", " "), str(value))
        show(summary, json_file, shown)
        return
    closeness = vectors @ encoder.encode([like])[0]
    rows = [
        {"item_id": items["item"].iloc[row], "title": items["title"].iloc[row], "cosine": float(closeness[row])}
        for row in closeness.argsort(kind="stable")[::-1][:k]
    ]
    shown = table(f"Nearest to “{like}” in {settings.name}", "item", "title", "cosine", text=2)
    for row in rows:
        shown.add_row(row["item_id"], row["title"], f"{row['cosine']:.3f}")
    show(summary | {"like": like, "nearest": rows}, json_file, shown)


def _write(path: Path, item_ids: list[str], vectors: "np.ndarray") -> None:
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    from m2rec.atomic import atomic_file

    try:
        with atomic_file(path) as temporary:
            save_file({"vectors": vectors}, temporary, {"items": json.dumps(item_ids)})
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path} cannot be written ({error}); give --out another file.") from error
