"""The wheel has what an installed M2Rec needs, and works in a fresh environment outside the repository."""

import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import tomllib
import venv
import zipfile
from email.parser import HeaderParser
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
import yaml
from packaging.requirements import Requirement

import m2rec
from tests.places import CHECKPOINTS, ROOT

PATIENCE = 300  # seconds; a busy machine is slow
pytestmark = pytest.mark.slow


def tracked(*where: str) -> list[str]:
    """The tracked files, as paths from the root."""
    listed = subprocess.run(["git", "ls-files", "-z", *where], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from only the tracked files."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in tracked("m2rec", "*.toml", "*.txt", "README.md", "LICENSE"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    build = ["-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-q", "-w", out, source]
    subprocess.run([sys.executable, *build], check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, and with the other packages of this environment. → its folder of programs."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    paths = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
    Path(paths["purelib"], "others.pth").write_text(sysconfig.get_path("purelib"))
    programs = Path(paths["scripts"])
    install = ["-m", "pip", "--python", programs / "python", "install", "-q", "--no-deps", "--no-index", wheel]
    subprocess.run([sys.executable, *install], check=True, capture_output=True)
    return programs


def in_folder(folder: Path, *command: object) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder outside the repository."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "M2REC_DATA")}
    return subprocess.run(
        [str(word) for word in command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_wheel_has_exactly_the_files_of_the_package(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == set(tracked("m2rec"))


def test_the_wheel_requires_the_packages_of_the_requirements_files(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        (name,) = [name for name in file.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = HeaderParser().parsestr(file.read(name).decode())
    assert metadata["Version"] == m2rec.__version__
    wanted = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    listed = {Requirement(line).name for line in (line.partition("#")[0].strip() for line in lines) if line}
    assert {one.name for one in wanted if "extra" not in str(one.marker)} == listed
    assert set(metadata.get_all("Provides-Extra", [])) == {"train", "gpu", "dev", "scale"}


def test_the_command_works_from_another_folder(installed: Path, tmp_path: Path) -> None:
    done = in_folder(tmp_path, installed / "m2rec", "worlds", "--json", "-")
    assert done.returncode == 0, done.stderr
    assert "rhythm-market" in done.stdout
    refused = in_folder(tmp_path, installed / "m2rec", "wrolds")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "see m2rec --help" in refused.stderr


def test_without_checkpoints_the_searched_folder_is_named(installed: Path, tmp_path: Path) -> None:
    done = in_folder(tmp_path, installed / "m2rec", "recommend", "rhythm-market", "Ground coffee")
    assert done.returncode == 2
    assert str(tmp_path / "checkpoints") in done.stderr


def test_checkpoints_in_the_working_folder_are_found(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(CHECKPOINTS / "rhythm-market", tmp_path / "checkpoints" / "rhythm-market")
    done = in_folder(tmp_path, installed / "m2rec", "recommend", "rhythm-market", "Ground coffee")
    assert done.returncode == 0, done.stderr


def test_recommender_answers_from_another_folder(installed: Path, tmp_path: Path) -> None:
    script = (
        "import m2rec, sys; from m2rec import Recommender; from m2rec.ui.render.templating import render; "
        f"world = Recommender.from_pretrained({str(ROOT / 'checkpoints' / 'rhythm-market')!r}); "
        "print(m2rec.__file__); print(len(world.recommend(['Ground coffee'], k=10).items))"
    )
    done = in_folder(tmp_path, installed / "python", "-c", script)
    assert done.returncode == 0, done.stderr
    where, count = done.stdout.split()
    assert ROOT not in Path(where).parents
    assert count == "10"


def test_the_page_opens_from_another_folder(installed: Path, tmp_path: Path) -> None:
    refused = in_folder(tmp_path, installed / "m2rec", "page")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1), refused.stderr
    shutil.copytree(CHECKPOINTS / "rhythm-market", tmp_path / "checkpoints" / "rhythm-market")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "M2REC_DATA")}
    environment |= {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
    said = (tmp_path / "said").open("w+")
    running = subprocess.Popen(
        [installed / "m2rec", "page"], cwd=tmp_path, env=environment, stdout=said, stderr=subprocess.STDOUT
    )
    try:
        until = time.monotonic() + PATIENCE
        while not (shown := shown_at(f"http://127.0.0.1:{port}/")):
            assert running.poll() is None, (tmp_path / "said").read_text()
            assert time.monotonic() < until
            time.sleep(0.2)
        assert "Rhythm Market" in shown
        style = re.search(r'href="([^"]*m2rec\.css[^"]*)"', shown)
        assert style
        reply = httpx.get(urljoin(f"http://127.0.0.1:{port}/", style[1]), timeout=PATIENCE)
        assert (reply.status_code, reply.headers["content-type"].split(";")[0]) == (200, "text/css")
    finally:
        running.terminate()
        running.wait(30)
        said.close()


def shown_at(url: str) -> str:
    """The page's HTML, or "" while it does not answer."""
    try:
        reply = httpx.get(url, timeout=PATIENCE)
    except httpx.TransportError:
        return ""
    return reply.text if reply.is_success else ""


def test_the_citation_has_full_names_and_the_current_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == m2rec.__version__
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for author in citation["preferred-citation"]["authors"]:
        assert f"{author['family-names']}, {author['given-names']}" in readme
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(m2rec.__version__)}$", changes, re.M)


def test_the_python_versions_are_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    tried = workflow["jobs"]["ci"]["strategy"]["matrix"]["python"]
    assert [f"Programming Language :: Python :: {version}" in project["classifiers"] for version in tried] == [True] * 2
