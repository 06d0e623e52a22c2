import pytest

from m2rec import paths
from m2rec.errors import InputError
from tests.places import CHECKPOINTS, ROOT


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The package as installed, and a working folder."""
    monkeypatch.setattr(paths, "PACKAGE", tmp_path / "site-packages" / "m2rec")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def test_in_a_clone_paths_do_not_depend_on_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert paths.checkout() == ROOT
    assert paths.checkpoints() == CHECKPOINTS
    assert paths.benchmarks() == ROOT / "assets" / "benchmarks"
    assert paths.pictures() == ROOT / "assets"
    assert paths.in_checkout("app.py").is_file()
    assert paths.how_to_install() == "pip install -r requirements.txt"
    for extra in ("train", "gpu", "dev"):
        assert (ROOT / paths.how_to_install(extra).split()[-1]).is_file()


def test_an_installed_package_uses_the_working_folder(installed):
    assert paths.checkout() is None
    assert paths.checkpoints() == installed / "checkpoints"
    assert paths.benchmarks() == installed / "assets" / "benchmarks"
    assert paths.how_to_install() == "pip install m2rec"
    assert paths.how_to_install("train") == "pip install 'm2rec[train]'"


def test_files_of_the_repository_are_refused_in_an_installed_package(installed):
    with pytest.raises(InputError, match=r"app\.py is part of M2Rec's repository.*clone"):
        paths.in_checkout("app.py")
