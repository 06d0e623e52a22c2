"""A campaign against the command line, in this process: exit code 0, or 2 and one line that says what is wrong."""

import contextlib
import io
import os
import random
import tempfile
from pathlib import Path

from m2rec.commands.app import main
from tests.fuzz import inputs, verdict
from tests.tiny_world import save_tiny_world


def _arguments(chance: random.Random, world: str, folder: Path) -> list[str]:
    """A command line, some words of which are hostile."""

    def word(usual: str) -> str:
        return usual if chance.random() < 0.5 else inputs.text(chance).replace("~", "")[:2000]

    history = folder / "history.txt"
    history.write_bytes(chance.choice((b"Honey\n", b"\xff\xfe", b"\0", b"", b"=1+1\n")))
    own = ["--interactions", word(str(history)), "--items", word(str(history))]
    return chance.choice(
        (
            ["recommend", world, word("Ground coffee"), word("i03"), "-k", word("5"), "--json", "-"],
            ["recommend", world, "Honey", "-k", str(chance.choice(inputs.NUMBERS))[:3000]],
            ["recommend", word(world), word("Honey"), "--exclude-seen"],
            ["recommend", world, "--history", word(str(history)), "--json", word("-")],
            ["prepare", word("my-shop"), *own, "--min-count", word("3")],
            ["prepare", word(f"{folder}/no.toml")],
            ["train", word("no-world"), "--epochs", word("1"), "--set", word("model.width=8")],
            ["evaluate", word(world), "--split", word("test")],
            ["data", "download", word("ml-0m")],
            [word("worlds"), word("--json"), word("-")],
        )
    )


def commands(count: int, seed: int = 0) -> verdict.Tally:
    """Command lines with hostile words in them."""
    chance, tally = random.Random(seed), verdict.Tally()
    before = os.environ.get("M2REC_CACHE")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        world = str(save_tiny_world(folder / "tiny-shop"))
        os.environ["M2REC_CACHE"] = str(folder / "cache")
        here = Path.cwd()
        os.chdir(folder)  # where a word may be taken for a file's name
        try:
            for _ in range(count):
                given = [
                    part.replace("\0", "") for part in _arguments(chance, world, folder)
                ]  # no system passes NUL on
                tally[_run([part.encode("utf-8", "ignore").decode() for part in given])] += 1
        finally:
            os.chdir(here)
            os.environ.pop("M2REC_CACHE")
            if before is not None:
                os.environ["M2REC_CACHE"] = before
    return tally


def _run(arguments: list[str]) -> str:
    out, errors = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            code = main(arguments)
    except Exception as error:
        raise AssertionError(f"{ascii(arguments)[:1500]} is not survived") from error
    assert code in (0, 2), (code, ascii(arguments))
    if code == 0:
        return "answered"
    lines = errors.getvalue().strip().splitlines()
    verdict.sentence(lines[-1])
    assert "Traceback" not in errors.getvalue()
    return "refused"
