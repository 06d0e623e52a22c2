"""All commands under one name, and how errors become one line and an exit code."""

import errno
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from m2rec.commands import benchmark, data, market
from m2rec.commands.embed import embed
from m2rec.commands.evaluate import evaluate
from m2rec.commands.lessons import lessons
from m2rec.commands.output import replace_what_cannot_be_written
from m2rec.commands.page import page
from m2rec.commands.prepare import prepare
from m2rec.commands.recommend import recommend
from m2rec.commands.score import score
from m2rec.commands.train import train
from m2rec.commands.worlds import worlds
from m2rec.errors import M2RecError, TableError
from m2rec.paths import how_to_install
from m2rec.text_safety import sentence

BAD_INPUT = 2
INTERRUPTED = 130  # 128 + SIGINT, as in shells

app = typer.Typer(
    help="M2Rec: what comes next, by order, rhythm and meaning. Every command has its own --help.",
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
for command in (worlds, prepare, embed, train, evaluate, recommend, score, page, lessons):
    app.command()(command)
app.add_typer(benchmark.app, name="benchmark")
app.add_typer(data.app, name="data")
app.add_typer(market.app, name="market")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, by default that of the process. → its exit code: 0, 2 for bad input, 130 if interrupted."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("m2rec").setLevel(logging.INFO)
    replace_what_cannot_be_written()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        given = with_default_address(given)
        code = app(given or ["--help"], prog_name=_called(), standalone_mode=False)
    except TableError as error:
        return _refuse(*error.problems)
    except M2RecError as error:
        return _refuse(str(error))
    except typer.TyperException as error:
        message = error.format_message().rstrip(".").replace("Value error, ", "")
        return _refuse(f"{message}; see {_called()} {_command(given)}--help.")
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return _refuse("A name in this command is longer than the system allows for a file; give a shorter one.")
        if not error.filename or not error.strerror:
            raise
        return _refuse(f"{error.filename} cannot be read or written ({error.strerror}); give another path.")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "m2rec"):
            raise
        needed = f"run {how_to_install()}, and to train also {how_to_install('train')}."
        return _refuse(f"This needs the package {package}, which is not installed; {needed}")
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:
        typer.echo("Interrupted.", err=True)
    return code or 0


def with_default_address(given: Sequence[str]) -> list[str]:
    """Add the address "local" to a `--ray` without one, because a typer option always takes a value."""
    result: list[str] = []
    for place, word in enumerate(given):
        result.append(word)
        if word == "--ray" and (place + 1 == len(given) or given[place + 1].startswith("-")):
            result.append("local")
    return result


def _called() -> str:
    """How this process was started, for usage lines: `m2rec` or `python -m m2rec`."""
    return "m2rec" if Path(sys.argv[0]).stem == "m2rec" else "python -m m2rec"


def _refuse(*messages: str) -> int:
    for message in messages:
        typer.echo(sentence(message), err=True)
    return BAD_INPUT


def _command(given: Sequence[str]) -> str:
    """The command whose --help explains a command line with a mistake; empty for an unknown command."""
    first, second = (*given, "", "")[:2]
    inner = next((group.typer_instance for group in app.registered_groups if group.name == first), None)
    if inner and second in _names(inner):
        return f"{first} {second} "
    return f"{first} " if first in _names(app) else ""


def _names(of: typer.Typer) -> set[str]:
    commands = {command.name or command.callback.__name__ for command in of.registered_commands if command.callback}
    return commands | {group.name for group in of.registered_groups if group.name}
