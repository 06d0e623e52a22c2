"""`python -m m2rec recommend WORLD ITEM …`"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from m2rec.commands.output import Json, say, show, table
from m2rec.commands.places import find_checkpoint
from m2rec.errors import InputError


def recommend(
    world: Annotated[str, typer.Argument(help="A world's name, a checkpoint folder, or a model's id on the hub.")],
    items: Annotated[list[str] | None, typer.Argument(help="The history: titles or item ids, oldest first.")] = None,
    history: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Read the history from FILE, one title or id a line; - for input."),
    ] = None,
    k: Annotated[int, typer.Option("-k", help="How many items to show, 1 to 50.")] = 10,
    exclude_seen: Annotated[
        bool, typer.Option("--exclude-seen", help="Leave out what is already in the history.")
    ] = False,
    json_file: Json = None,
) -> None:
    """Say what comes after a history, and how much of each answer is order, rhythm and meaning.

    For instance `python -m m2rec recommend rhythm-market "Ground coffee" "Oat milk"`.
    """
    if items and history is not None:
        raise InputError("Give the history either as items or as --history FILE, not both.")
    given = _lines(history) if history is not None else list(items or [])

    from m2rec.recommend.answer import MODALITIES
    from m2rec.recommend.recommender import Recommender

    answer = Recommender.from_pretrained(_model(world)).recommend(given, k=k, exclude_seen=exclude_seen)
    for note in answer.notes:
        say(note)
    shown = table(f"What comes next in {answer.world}", "", "title", "group", "probability", *MODALITIES, text=3)
    for item in answer.items:
        shares = [f"{item.contributions[modality]:.2%}" for modality in MODALITIES]
        shown.add_row(str(item.rank), item.title, item.group, f"{item.probability:.2%}", *shares)
    weights = ", ".join(f"{modality} {answer.gates[modality]:.1%}" for modality in MODALITIES)
    show(answer.model_dump(), json_file, shown, f"Gate now: {weights}.")


def _model(world: str) -> str:
    """A folder on this machine, or the id of a model on the hub, which has one slash and is no folder here."""
    if world.count("/") == 1 and not Path(world).exists() and not world.startswith((".", "/")):
        return world
    return str(find_checkpoint(world))


def _lines(file: str) -> list[str]:
    """The lines of a text file that are not blank."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); give --history a text file.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not text in UTF-8; give --history a text file.") from error
    return [line.strip() for line in text.splitlines() if line.strip()]
