"""The command line on consoles and in files of any encoding."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from m2rec.checkpoint import Checkpoint
from m2rec.paths import PACKAGE
from tests.tiny_world import save_tiny_world

TITLE = "抹茶 – Crème “brûlée” 🍵"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world whose titles few encodings can represent."""
    folder = save_tiny_world(tmp_path_factory.mktemp("worlds") / "tiny-shop")
    whole = Checkpoint.load(folder)
    items = [replace(item, title=f"{TITLE} {number}") for number, item in enumerate(whole.items)]
    Checkpoint(whole.config, whole.weights, items).save(folder)
    return folder


def m2rec(*arguments: object, encoding: str, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(PACKAGE.parent), "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "m2rec", *map(str, arguments)]
    return subprocess.run(command, env=environment, input=content, capture_output=True, check=False)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_characters_missing_in_an_encoding_are_replaced_and_files_complete(
    world: Path, tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "answer.json"
    done = m2rec("recommend", world, "i00", "--json", file, encoding=encoding)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    done.stdout.decode(encoding)
    assert json.loads(file.read_bytes())["items"][0]["title"].startswith(TITLE)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_json_on_standard_output_loses_nothing(world: Path, encoding: str) -> None:
    done = m2rec("recommend", world, "i00", "--json", "-", encoding=encoding)
    assert done.returncode == 0
    assert json.loads(done.stdout.decode(encoding))["items"][0]["title"].startswith(TITLE)


def test_a_refusal_and_a_history_from_input_work_in_any_encoding(world: Path) -> None:
    done = m2rec("recommend", world, "抹", encoding="cp1252:strict")
    assert done.returncode == 2
    assert b"is not in this world" in done.stderr
    content = f"title\n{TITLE} 3\n".encode("utf-16")
    done = m2rec("recommend", world, "--history", "-", "--json", "-", encoding="cp1252", content=content)
    assert (done.returncode, json.loads(done.stdout)["history"]) == (0, ["i03"])
