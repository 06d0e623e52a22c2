"""`python -m m2rec recommend WORLD ITEM …`"""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from m2rec.branches import BRANCHES
from m2rec.commands.output import Json, say, show, table
from m2rec.commands.places import find_checkpoint
from m2rec.data.tables.file_format import BYTE_ORDER_MARKS, file_format
from m2rec.data.tables.pasted import Entry, Pasted, read_list
from m2rec.errors import InputError

if TYPE_CHECKING:
    from m2rec.recommend.recommender import Recommender


def recommend(
    world: Annotated[str, typer.Argument(help="A world's name, a checkpoint folder, or the id of a model on the hub.")],
    items: Annotated[list[str] | None, typer.Argument(help="The history: titles or item ids, oldest first.")] = None,
    history: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Read the history from FILE, one title or id per line or a table; - is standard input.",
        ),
    ] = None,
    k: Annotated[int, typer.Option("-k", help="How many items to show, 1 to 50.")] = 10,
    exclude_seen: Annotated[bool, typer.Option("--exclude-seen", help="Leave out items of the history.")] = False,
    json_file: Json = None,
) -> None:
    """Recommend what comes next after a history, with the contributions of order, rhythm and meaning.

    Example: `python -m m2rec recommend rhythm-market "Ground coffee" "Oat milk"`.
    """
    if items and history is not None:
        raise InputError("Give the history either as items or as --history FILE, not both.")
    written = _written(history) if history is not None else Pasted([Entry(item) for item in items or []])
    for note in written.notes:
        say(note)

    from m2rec.recommend.recommender import Recommender

    shipped = Recommender.from_pretrained(_model(world))
    recommender = shipped.with_titles()
    if recommender is shipped and shipped.config.titles == "local":
        from m2rec.data.sources.registry import how_to_get

        how = how_to_get(shipped.config.data.source)
        say(f"The titles of {shipped.name} may not be shipped, so items are named by ids; for titles, {how}.")
    given = [_named(entry, recommender) for entry in written.entries]
    answer = recommender.recommend(given, k=k, exclude_seen=exclude_seen)
    for note in answer.notes:
        say(note)
    shown = table(f"What comes next in {answer.world}", "", "title", "group", "probability", *BRANCHES, text=3)
    for item in answer.items:
        shares = [f"{item.contributions[branch]:.2%}" for branch in BRANCHES]
        shown.add_row(str(item.rank), item.title, item.group, f"{item.probability:.2%}", *shares)
    weights = ", ".join(f"{branch} {answer.gates[branch]:.1%}" for branch in BRANCHES)
    show(answer.model_dump(), json_file, shown, f"Gate now: {weights}.")


def _model(world: str) -> str:
    """A checkpoint folder, or the id of a model on the hub: a name with one slash that is not a path here."""
    folder = Path(world).parent
    if world.count("/") == 1 and not world.startswith((".", "/", "~")) and not folder.is_dir():
        if folder != Path("checkpoints"):
            return world
        world = Path(world).name
    return str(find_checkpoint(world))


def _named(entry: Entry, recommender: "Recommender") -> str:
    """The entry's title as in the catalogue: with the year that the table gives, or without it."""
    if entry.text != entry.title:
        with suppress(InputError):
            recommender.catalogue.index(entry.text)
            return entry.text
    return entry.title


def _written(file: str) -> Pasted:
    """The entries of a text file, a table or standard input. Raises InputError if they cannot be read."""
    try:
        if file == "-":
            content = sys.stdin.buffer.read() if hasattr(sys.stdin, "buffer") else sys.stdin.read().encode()
        elif Path(file).is_file():
            content = file_format(Path(file)).read()
        else:
            content = Path(file).read_bytes()  # a pipe, or an error if there is none
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); give --history a text file.") from error
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    try:
        return read_list(content.decode(encoding))
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not text in UTF-8; give --history a text file.") from error
