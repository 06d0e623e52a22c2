"""Links and paths in the documents exist, and their commands are valid."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import typer
from packaging.requirements import Requirement

from m2rec.commands.app import app
from tests.places import ROOT

LISTED = subprocess.run(["git", "ls-files", "-z", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
DOCUMENTS = [ROOT / name for name in LISTED.split("\0") if name and (ROOT / name).is_file()]
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
SHELL = re.compile(r"^```(?:bash|sh)\n(.*?)^```", re.M | re.S)
PATH = re.compile(
    r"(?:m2rec|tests|checkpoints|assets|\.ci)/[\w./*<>-]*|[\w.-]+/[\w./-]+\.\w+|[\w-]+\.(?:py|toml|txt|md)"
)
MADE_UP = {"mine.toml"}  # of the reader's own
OURS = "python -m m2rec"

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def prose(document: Path) -> str:
    """The text without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)


def is_there(document: Path, place: str) -> bool:
    """Whether a path exists from the root or the document's folder. * and <…> stand for any name."""
    pattern = re.sub(r"<[^>]*>", "*", place).rstrip("/")
    return any(any(folder.glob(pattern)) for folder in (ROOT, document.parent))


@every_document
def test_links_exist(document: Path) -> None:
    links = LINK.findall(prose(document))
    assert [link for link in links if not (document.parent / link).exists()] == []


@every_document
def test_paths_in_code_exist(document: Path) -> None:
    text = re.sub(r"\[[^\]]*\]\([^)]*\)", "", prose(document))  # the text of a link need not be a path
    named = {code for code in CODE.findall(text) if PATH.fullmatch(code)} - MADE_UP
    assert [place for place in sorted(named) if not is_there(document, place)] == []


def test_a_broken_path_is_found() -> None:
    assert PATH.fullmatch("m2rec/utils.py")
    assert not is_there(ROOT / "README.md", "m2rec/utils.py")
    assert is_there(ROOT / "README.md", "m2rec/worlds/*.toml")
    assert is_there(ROOT / "README.md", "checkpoints/<world>/config.json")


def commands() -> Iterator[tuple[str, str]]:
    """All commands with their document: lines of fenced blocks, and `python -m m2rec` in running text."""
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        fenced = "".join(SHELL.findall(text)).replace("\\\n", " ")
        for line in fenced.splitlines():
            for command in line.partition("#")[0].split("&&"):
                if command.strip():
                    yield document.name, command.strip()
        for code in CODE.findall(prose(document)):
            if code.startswith(OURS):
                yield document.name, code


@pytest.mark.parametrize(("document", "command"), sorted(set(commands())), ids=str)
def test_commands_are_valid(document: str, command: str) -> None:
    words = shlex.split(command.replace("…", "rhythm-market"))
    while re.fullmatch(r"[A-Z0-9_]+=\S*", words[0]):  # settings for the one command
        words.pop(0)
    match words:
        case ["python", "-m", "m2rec", *rest] | ["accelerate", "launch", "-m", "m2rec", *rest]:
            check_ours(rest)
        case ["pip", "install", *rest]:
            check_install(rest)
        case ["python", "app.py"]:
            assert (ROOT / "app.py").is_file()  # `tests/test_space.py` runs it
        case ["pytest", "-m", "not slow", *_]:
            pass  # the mark is registered, and pytest is strict about marks
        case ["pytest", *files]:
            assert [file for file in files if not (ROOT / file).exists()] == []
        case ["ruff", *_] | ["mypy", "m2rec"]:
            assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
        case ["hf", "upload", _, ".", "--repo-type", "space"]:
            pass  # needs an account
        case _:
            pytest.fail(f"{document} gives a command that no test knows: {command}")


def check_ours(arguments: list[str]) -> None:
    """The command line accepts all options and arguments. The command does not run."""
    command = typer.main.get_command(app)
    context = None
    while arguments != ["--help"]:
        context = command.make_context(command.name or "m2rec", list(arguments), parent=context)
        if not hasattr(command, "resolve_command"):
            return
        _, command, arguments = command.resolve_command(context, list(arguments))


def check_install(arguments: list[str]) -> None:
    """Its requirements files exist, and packages it names have the version that CI installs."""
    lists = [after for before, after in pairwise(arguments) if before == "-r"]
    for name in lists:
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            wanted = line.partition("#")[0].strip()
            if wanted and not wanted.startswith("-r "):
                assert Requirement(wanted).specifier, f"{wanted} has no bounds"
    for name in arguments:
        if "==" in name:
            assert name in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_readmes_python_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    found: dict[str, object] = {}
    for block in blocks:  # each block continues the one before it
        exec(compile(block, "README.md", "exec"), found)
    assert len(found["answer"].items) == 10  # type: ignore[attr-defined]


@pytest.mark.parametrize("words", [["nonsense"], ["train"], ["train", "ml-1m", "--colour"], ["benchmark", "speeed"]])
def test_an_invalid_command_is_found(words: list[str]) -> None:
    with pytest.raises(typer.TyperException):
        check_ours(words)
