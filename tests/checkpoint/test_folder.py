"""Where checkpoints come from, and the errors if they are missing or were changed on the way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from m2rec import Recommender
from m2rec.checkpoint import Checkpoint
from m2rec.errors import CheckpointError
from m2rec.paths import checkout
from tests.tiny_world import save_tiny_world

LFS_POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 123456\n"
REPOSITORY = checkout()


@pytest.fixture
def world(tmp_path: Path) -> Path:
    return save_tiny_world(tmp_path / "checkpoints" / "rhythm-market")


@pytest.mark.parametrize("name", ["model.safetensors", "items.csv", "config.json"])
def test_a_git_lfs_pointer_is_recognised(world: Path, name: str) -> None:
    (world / name).write_text(LFS_POINTER)
    with pytest.raises(CheckpointError, match=rf"{name} is the pointer that Git LFS left .*git lfs pull"):
        Checkpoint.load(world)


def test_windows_line_ends_are_not_damage(world: Path) -> None:
    whole = Checkpoint.load(world)
    for name in ("items.csv", "config.json", "README.md"):
        (world / name).write_bytes((world / name).read_bytes().replace(b"\n", b"\r\n"))
    assert Checkpoint.load(world).items == whole.items
    (world / "items.csv").write_bytes((world / "items.csv").read_bytes().replace(b"Honey", b"Money"))
    with pytest.raises(CheckpointError, match=r"items\.csv is not the file that config\.json describes"):
        Checkpoint.load(world)


def test_a_mistyped_folder_is_not_searched_on_the_hub(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.parents[1])
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: pytest.fail("the hub was asked"))
    for name in ("checkpoints/rythm-market", "./checkpoints/rythm-market", str(world) + "s"):
        with pytest.raises(CheckpointError, match=r"did you mean .*checkpoints/rhythm-market\?"):
            Recommender.from_pretrained(name)
    with pytest.raises(CheckpointError, match="There is no checkpoint folder checkpoints/xyz; give a folder"):
        Recommender.from_pretrained("checkpoints/xyz")


def test_offline_mode_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(CheckpointError, match=r"someone/x, offline mode is on \(HF_HUB_OFFLINE\)"):
        Recommender.from_pretrained("someone/x", cache_dir=tmp_path)


def test_a_hub_that_cannot_be_reached_and_a_wrong_id_are_different_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("no route")

    with pytest.raises(CheckpointError, match="nor the id of a model on the hub"):
        Recommender.from_pretrained("some one/x")
    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    with pytest.raises(CheckpointError, match=r"someone/x, and the hub could not be searched .*\(ConnectionError\)"):
        Recommender.from_pretrained("someone/x")


@pytest.mark.skipif(REPOSITORY is None or not (REPOSITORY / ".git").exists(), reason="needs a clone of the repository")
def test_a_clone_with_windows_line_ends_has_the_same_checkpoints(tmp_path: Path) -> None:
    """A clone with the default of Git for Windows and this tree's attributes, committed or not."""
    assert REPOSITORY is not None
    clone, plain = tmp_path / "clone", {"stdin": subprocess.DEVNULL, "check": True, "capture_output": True}
    git = ["git", "-c", "core.autocrlf=true", "-c", "advice.detachedHead=false"]
    subprocess.run([*git, "clone", "-q", "--no-hardlinks", "--no-checkout", str(REPOSITORY), str(clone)], **plain)
    subprocess.run([*git, "config", "core.autocrlf", "true"], cwd=clone, **plain)
    (clone / ".git" / "info" / "attributes").write_bytes((REPOSITORY / ".gitattributes").read_bytes())
    subprocess.run([*git, "checkout", "-q", "HEAD"], cwd=clone, **plain)
    assert b"\r\n" in (clone / "app.py").read_bytes()  # the clone is what it is meant to be
    for path in (clone / "checkpoints").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (REPOSITORY / path.relative_to(clone)).read_bytes(), path
    answer = "Recommender.from_pretrained('checkpoints/rhythm-market').recommend(['Ground coffee'])"
    code = f"from m2rec import Recommender; {answer}"
    subprocess.run([sys.executable, "-c", code], cwd=clone, env={**os.environ, "PYTHONPATH": ""}, **plain)
