"""A save never costs a file that the program did not write."""

from pathlib import Path

import pytest

from m2rec.errors import InputError
from m2rec.own_folder import OwnFolder

KIND = OwnFolder("a world", frozenset({"world.json"}), lambda folder: (folder / "world.json").is_file())


def test_a_new_folder_an_empty_one_and_an_older_one_of_its_kind_are_taken(tmp_path: Path) -> None:
    KIND.refuse_others(tmp_path / "new")
    (tmp_path / "empty").mkdir()
    KIND.refuse_others(tmp_path / "empty")
    (tmp_path / "empty" / "world.json").write_text("{}")
    (tmp_path / "empty" / "notes.txt").write_text("mine")
    KIND.refuse_others(tmp_path / "empty")


def test_a_repository_without_files_counts_as_empty(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitattributes").write_text("")
    KIND.refuse_others(tmp_path)


def test_a_folder_of_somebody_else_is_refused_and_one_of_its_files_is_named(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match=r"not empty and not a world \(it holds thesis\.txt\).* new or empty folder"):
        KIND.refuse_others(tmp_path)


def test_a_file_is_refused_also_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        with pytest.raises(InputError, match="is a file; give a new or empty folder for a world"):
            KIND.refuse_others(tmp_path / name)


def test_a_link_is_judged_by_the_folder_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "thesis.txt").write_text("mine")
    (tmp_path / "link").symlink_to("docs")
    with pytest.raises(InputError, match="is not empty"):
        KIND.refuse_others(tmp_path / "link")
    (tmp_path / "to nothing").symlink_to("nowhere")
    KIND.refuse_others(tmp_path / "to nothing")


def test_a_place_that_takes_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be written \(Not a directory\); give another folder"):
        KIND.refuse_others(tmp_path / "file" / "world")
