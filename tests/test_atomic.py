import os
import stat

import pytest

from m2rec.atomic import atomic_file, atomic_folder, try_to_write


class SaveError(Exception):
    pass


def test_a_file_appears_complete_or_not_at_all(tmp_path):
    path = tmp_path / "deep" / "figures.json"
    with atomic_file(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert os.listdir(path.parent) == ["figures.json"]


def test_an_interrupted_save_keeps_the_old_file(tmp_path):
    path = tmp_path / "figures.json"
    path.write_text("old")

    def save():
        with atomic_file(path) as temporary:
            temporary.write_text("ne")
            raise SaveError

    with pytest.raises(SaveError):
        save()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["figures.json"]


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX permissions")
def test_a_saved_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "plain").write_text("")
    with atomic_file(tmp_path / "saved"):
        pass
    with atomic_file(tmp_path / "replaced") as temporary:
        temporary.unlink()
        temporary.touch(0o600)
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "saved", "replaced")}
    assert len(modes) == 1


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX permissions")
def test_the_files_of_a_saved_folder_can_be_read_as_any_new_file_can(tmp_path):
    (tmp_path / "plain").write_text("")
    with atomic_folder(tmp_path / "saved") as temporary:
        (temporary / "private").touch(0o600)
        (temporary / "program").touch(0o755)
    usual = stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    assert stat.S_IMODE((tmp_path / "saved" / "private").stat().st_mode) == usual
    assert stat.S_IMODE((tmp_path / "saved" / "program").stat().st_mode) == usual | 0o755


def test_a_link_to_a_file_stays_and_the_file_behind_it_is_replaced(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "real").write_text("old")
    (tmp_path / "link").symlink_to("elsewhere/real")
    with atomic_file(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "elsewhere" / "real").read_text() == "new"


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX permissions")
def test_a_save_never_changes_the_umask_which_other_threads_share(tmp_path, monkeypatch):
    before = os.umask(0o077)
    monkeypatch.setattr(os, "umask", None)
    try:
        with atomic_file(tmp_path / "saved") as temporary:
            temporary.write_text("new")
    finally:
        monkeypatch.undo()
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "saved").stat().st_mode) == 0o600


def test_a_folder_replaces_the_old_one_completely(tmp_path):
    folder = tmp_path / "world"
    folder.mkdir()
    (folder / "old").write_text("old")
    with atomic_folder(folder) as fresh:
        (fresh / "new").write_text("new")
        assert os.listdir(folder) == ["old"]
    assert os.listdir(folder) == ["new"]
    assert os.listdir(tmp_path) == ["world"]


@pytest.fixture
def used(tmp_path):
    """A folder with two files of the program and a repository, a note and a link of somebody's."""
    folder = tmp_path / "world"
    (folder / ".git" / "refs").mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text("ref")
    (folder / ".git" / "HEAD").chmod(0o444)
    (folder / "truth").mkdir()
    for name in ("own", "truth/own", "truth/note"):
        (folder / name).write_text("old")
    (folder / "link").symlink_to("nowhere")
    return folder


@pytest.mark.parametrize("linked", [True, False])
def test_a_folder_keeps_the_files_that_are_not_its_own(tmp_path, used, monkeypatch, linked):
    if not linked:
        monkeypatch.setattr("m2rec.atomic.os.link", lambda *_, **__: (_ for _ in ()).throw(OSError("no")))
    with atomic_folder(used, own={"own", "truth/own"}) as fresh:
        (fresh / "new").write_text("new")
    assert sorted(path.relative_to(used).as_posix() for path in used.rglob("*")) == sorted(
        [".git", ".git/HEAD", ".git/refs", "link", "new", "truth", "truth/note"]
    )
    assert (used / ".git" / "HEAD").read_text() == "ref"
    assert stat.S_IMODE((used / ".git" / "HEAD").stat().st_mode) == 0o444
    assert (used / "truth" / "note").read_text() == "old"
    assert os.readlink(used / "link") == "nowhere"
    assert os.listdir(tmp_path) == ["world"]


def test_an_interrupted_save_keeps_every_file(tmp_path, used):
    def save():
        with atomic_folder(used, own={"own"}):
            raise SaveError

    with pytest.raises(SaveError):
        save()
    assert sorted(os.listdir(used)) == [".git", "link", "own", "truth"]
    assert os.listdir(tmp_path) == ["world"]


def test_a_file_that_is_written_again_is_new(tmp_path, used):
    with atomic_folder(used, own=()) as fresh:
        (fresh / "own").write_text("new")
    assert (used / "own").read_text() == "new"


def test_a_folder_of_somebody_where_a_file_belongs_stops_the_save(tmp_path, used):
    def save():
        with atomic_folder(used, own={".git"}) as fresh:
            (fresh / ".git").write_text("new")

    with pytest.raises(OSError, match=r"\.git"):
        save()
    assert (used / ".git" / "HEAD").read_text() == "ref"


def test_a_link_stays_and_the_folder_behind_it_is_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "world").symlink_to("real")
    with atomic_folder(tmp_path / "world") as fresh:
        (fresh / "new").write_text("new")
    assert (tmp_path / "world").is_symlink()
    assert os.listdir(tmp_path / "real") == ["new"]


def test_an_interrupted_save_keeps_the_old_folder(tmp_path):
    folder = tmp_path / "world"
    folder.mkdir()
    (folder / "old").write_text("old")

    def save():
        with atomic_folder(folder) as fresh:
            (fresh / "new").write_text("new")
            raise SaveError

    with pytest.raises(SaveError):
        save()
    assert os.listdir(folder) == ["old"]
    assert os.listdir(tmp_path) == ["world"]


def test_a_folder_is_put_back_when_the_last_move_fails(tmp_path, monkeypatch):
    folder = tmp_path / "world"
    folder.mkdir()
    (folder / "old").write_text("old")
    moves = os.replace
    calls = []

    def second_fails(source, target):
        calls.append(target)
        if len(calls) == 2:
            raise OSError("no")
        moves(source, target)

    monkeypatch.setattr("m2rec.atomic._exchange", lambda *_: False)
    monkeypatch.setattr("m2rec.atomic.os.replace", second_fails)

    def save():
        with atomic_folder(folder) as fresh:
            (fresh / "new").write_text("new")

    with pytest.raises(OSError, match="no"):
        save()
    assert os.listdir(folder) == ["old"]


@pytest.mark.parametrize("exchanged", [True, False])
def test_a_folder_is_replaced_whether_or_not_the_system_can_exchange_two(tmp_path, monkeypatch, exchanged):
    if not exchanged:
        monkeypatch.setattr("m2rec.atomic.ctypes.CDLL", lambda *_, **__: object())
    for text in ("one", "two"):
        with atomic_folder(tmp_path / "world") as fresh:
            (fresh / text).write_text(text)
    assert os.listdir(tmp_path / "world") == ["two"]
    assert os.listdir(tmp_path) == ["world"]


def test_only_leftovers_of_a_kill_are_removed_after_a_day(tmp_path):
    names = [".world.saving-abcd1234", ".world.saving-backup-of-mine", ".world.original", ".other.saving-abcd1234"]
    for name in names:
        (tmp_path / name / "new").mkdir(parents=True)
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / ".world.saving-stillnew").mkdir()
    with atomic_folder(tmp_path / "world") as fresh:
        (fresh / "new").write_text("new")
    assert sorted(os.listdir(tmp_path)) == sorted([*names[1:], ".world.saving-stillnew", "world"])


def test_a_place_that_takes_files_is_left_as_it_was(tmp_path):
    try_to_write(tmp_path / "new" / "deep")
    assert os.listdir(tmp_path) == []


def test_a_place_below_a_file_takes_none(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        try_to_write(tmp_path / "file" / "deep")
