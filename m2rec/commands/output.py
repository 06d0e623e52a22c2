"""Output of commands: a table for people, and the same figures as JSON for programs."""

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from rich.console import Console, RenderableType
from rich.table import Table

from m2rec.atomic import atomic_file, try_to_write
from m2rec.errors import InputError

if TYPE_CHECKING:
    from m2rec.evaluation.report import Figure
    from m2rec.training.resume import EpochReport

STANDARD_OUTPUT = "-"
WIDTH_WITHOUT_TERMINAL = 120


def _writable(file: str | None) -> str | None:
    """Refuse a file that cannot be written before the command starts to compute."""
    if file and file != STANDARD_OUTPUT:
        folder = Path(file).parent
        if Path(file).is_dir() or not folder.is_dir():
            raise typer.BadParameter(f"{file} is not a file in a folder that exists")
        try:
            try_to_write(folder)
        except OSError as error:
            raise typer.BadParameter(f"{file} cannot be written ({error.strerror})") from error
    return file


Json = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="FILE",
        callback=_writable,
        help="Also write the figures as JSON to FILE; - prints JSON instead of the table.",
    ),
]


def table(title: str, *columns: str, text: int = 1) -> Table:
    """An empty table. The first `text` columns are left-aligned for words, the others right-aligned for numbers."""
    made = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        made.add_column(column, justify="left" if index < text else "right")
    return made


def figure_cell(figure: "Figure") -> str:
    """A figure with its interval, if it has one."""
    if figure.low is None or figure.high is None:
        return f"{figure.value:.4f}"
    return f"{figure.value:.4f} ({figure.low:.4f}–{figure.high:.4f})"


def show(payload: Any, json_file: str | None, *parts: RenderableType) -> None:
    """Print the parts, and write `payload` to --json. Raises InputError when the file cannot be written."""
    if json_file == STANDARD_OUTPUT:
        # escaped to ASCII in other encodings, so that programs can read it from any console
        typer.echo(json.dumps(payload, indent=2, ensure_ascii=not _in_utf8(sys.stdout), allow_nan=False))
        return
    console = Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
    for part in parts:
        console.print(part, highlight=False)
    if json_file:
        write_json(payload, json_file)


def write_json(payload: Any, json_file: str) -> None:
    """Write `payload` to the file of --json, whole or not at all. Raises InputError when it cannot be written."""
    try:
        with atomic_file(Path(json_file)) as temporary:
            text = json.dumps(payload, indent=2, ensure_ascii=False, allow_nan=False)
            temporary.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{json_file} cannot be written ({error.strerror}); give --json another file.") from error


def replace_what_cannot_be_written() -> None:
    """Make standard output and error replace characters that their encoding lacks, instead of raising an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def _in_utf8(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "").startswith("utf")


def say(sentence: str) -> None:
    """Print a sentence on standard error, so that the output stays clean."""
    Console(stderr=True, soft_wrap=True).print(sentence, highlight=False, markup=False)


def say_epoch(epoch: "EpochReport") -> None:
    """Print a line on a finished epoch on standard error."""
    figures = ", ".join(f"{name} {value:.4f}" for name, value in epoch.validation.items())
    say(f"epoch {epoch.epoch}: loss {epoch.loss:.4f}, validation {figures}, {epoch.seconds:.1f} s")
