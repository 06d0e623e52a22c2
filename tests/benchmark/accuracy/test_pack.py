"""Archives from a rented machine: complete, limited in size and number, and installed unchanged."""

import tarfile
from pathlib import Path

import numpy as np
import pytest

from m2rec.benchmark.accuracy import pack
from m2rec.benchmark.accuracy.job import Job
from m2rec.benchmark.accuracy.pack import CheckpointArchive, RunArchives
from m2rec.benchmark.accuracy.take import take_checkpoint, take_runs, unpack
from m2rec.checkpoint import Checkpoint
from m2rec.data.prepared import Prepared
from m2rec.errors import CheckpointError, InputError
from m2rec.training.resume import EpochReport, Progress
from m2rec.training.trained import Trained
from tests.benchmark.accuracy.test_table import finish, ranked
from tests.benchmark.conftest import WORLD, MakeJob


@pytest.fixture
def jobs(job: MakeJob) -> list[Job]:
    return [job("sasrec", name=f"run-{number}") for number in range(6)]


def elsewhere(jobs: list[Job], prepared: Prepared, folder: Path) -> list[Job]:
    """The same runs with another folder for results, as on the machine that installs them."""
    return [Job(job.plan, job.entry, job.seed, job.world, prepared.fingerprint, folder) for job in jobs]


def trained(job: Job, prepared: Prepared, score: float) -> Trained:
    validation = {"NDCG@10": score, "HR@10": score}
    epochs = [EpochReport(epoch=1, loss=1.0, validation=validation, seconds=1.0)]
    return Trained(job.make_model(prepared), Progress(key="", epochs=epochs, best_epoch=1), "GPU", True, "abc")


def test_finished_runs_are_packed_and_unpacked_unchanged(jobs: list[Job], prepared: Prepared, tmp_path: Path) -> None:
    for job in jobs[:3]:
        finish(job, ranked(10))
    jobs[0].log_file.parent.mkdir(parents=True, exist_ok=True)
    jobs[0].log_file.write_text("epoch 1")
    assert RunArchives(tmp_path / "out", jobs).write() == 0
    unpack(tmp_path / "out", tmp_path / "unpacked")
    assert (tmp_path / "unpacked" / "logs" / f"{jobs[0].label}.log").read_text() == "epoch 1"
    home = elsewhere(jobs, prepared, tmp_path / "home")
    found = take_runs(tmp_path / "unpacked", home)
    assert [job.label for job in found.taken] == [job.label for job in jobs[:3]]
    for here, there in zip(jobs[:3], home, strict=False):
        assert there.result() == here.result()
        assert there.ranks_file.read_bytes() == here.ranks_file.read_bytes()
    again = take_runs(tmp_path / "unpacked", home)
    assert again.taken == []
    assert set(again.skipped.values()) == {"it is here already"}
    assert len(take_runs(tmp_path / "unpacked", home, force=True).taken) == 3


def test_archives_stay_below_the_largest_size_and_number(
    jobs: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for job in jobs:
        finish(job, ranked(10))
    one = sum(pack._padded(path.stat().st_size) for path in (jobs[0].result_file, jobs[0].ranks_file))
    monkeypatch.setattr(pack, "LIMIT", 2 * one + pack.END)
    monkeypatch.setattr(pack, "MOST_ARCHIVES", 3)
    archives = RunArchives(tmp_path / "out", jobs)
    assert archives.write() == 2  # two archives of two runs each, and one for the logs
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "out").iterdir()}
    assert set(sizes) == {"runs-0.tar", "runs-1.tar", "logs.tar"}
    assert all(size <= pack.LIMIT for size in sizes.values())


def test_a_later_run_goes_into_the_last_archive_and_full_ones_are_not_rewritten(
    jobs: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for job in jobs[:3]:
        finish(job, ranked(10))
    one = sum(pack._padded(path.stat().st_size) for path in (jobs[0].result_file, jobs[0].ranks_file))
    monkeypatch.setattr(pack, "LIMIT", 2 * one + pack.END)
    archives = RunArchives(tmp_path / "out", jobs)
    archives.write()
    before = (tmp_path / "out" / "runs-0.tar").stat().st_mtime_ns
    finish(jobs[3], ranked(20))
    archives.write()
    assert (tmp_path / "out" / "runs-0.tar").stat().st_mtime_ns == before
    with tarfile.open(tmp_path / "out" / "runs-1.tar") as last:
        assert sorted(last.getnames()) == sorted(
            f"runs/trial/{job.name}{suffix}" for job in jobs[2:4] for suffix in (".json", ".npz")
        )


def test_runs_with_other_settings_and_damaged_runs_are_not_installed(
    job: MakeJob, jobs: list[Job], prepared: Prepared, tmp_path: Path
) -> None:
    for one in jobs[:3]:
        finish(one, ranked(10))
    jobs[1].ranks_file.write_bytes(b"PK")
    RunArchives(tmp_path / "out", jobs).write()
    unpack(tmp_path / "out", tmp_path / "unpacked")
    changed = job("sasrec", name="run-0", settings={"heads": 1})
    found = take_runs(tmp_path / "unpacked", elsewhere([changed, jobs[1]], prepared, tmp_path / "home"))
    assert found.taken == []
    assert found.skipped["trial/run-0-0"] == "its settings, data or seed are not the plan's"
    assert found.skipped["trial/run-1-0"].startswith("its files are damaged")
    assert found.skipped["trial/run-2-0"] == "it is in no plan whose world is prepared here"


def test_a_checkpoint_with_better_validation_is_installed(job: MakeJob, prepared: Prepared, tmp_path: Path) -> None:
    reference = job("m2rec")
    assert reference.trains_checkpoint
    assert not job("m2rec", settings={"gate": "equal"}).trains_checkpoint
    assert not job("m2rec", seed=1).trains_checkpoint
    assert not job("sasrec").trains_checkpoint
    unpacked, home = tmp_path / "unpacked", tmp_path / "home" / "small"
    for score, force, taken in ((0.3, False, True), (0.3, False, False), (0.2, False, False), (0.2, True, True)):
        archive = CheckpointArchive(tmp_path / "out", WORLD, prepared, "python -m m2rec …")
        archive.write(trained(reference, prepared, score))
        unpack(tmp_path / "out", unpacked)
        found = take_checkpoint(unpacked / "checkpoints" / "small", home, prepared, force=force)
        assert found.taken == taken, (score, force)
        assert found.new == score
    recorded = Checkpoint.load(home).config.training.validation
    assert recorded is not None
    assert recorded["NDCG@10"] == 0.2


def test_a_checkpoint_without_a_recorded_validation_is_evaluated(
    job: MakeJob, prepared: Prepared, tmp_path: Path
) -> None:
    archive = CheckpointArchive(tmp_path / "out", WORLD, prepared, "python -m m2rec …")
    archive.write(trained(job("m2rec"), prepared, 0.9999))
    unpack(tmp_path / "out", tmp_path / "unpacked")
    source, home = tmp_path / "unpacked" / "checkpoints" / "small", tmp_path / "home"
    old = Checkpoint.load(source)
    record = old.config.training.model_copy(update={"validation": None})
    Checkpoint(old.config.model_copy(update={"training": record}), old.weights, old.items).save(home)
    found = take_checkpoint(source, home, prepared)
    assert 0 < found.old < 0.9999
    assert found.taken


def test_a_damaged_checkpoint_does_not_replace_the_one_here(job: MakeJob, prepared: Prepared, tmp_path: Path) -> None:
    archive = CheckpointArchive(tmp_path / "out", WORLD, prepared, "python -m m2rec …")
    archive.write(trained(job("m2rec"), prepared, 0.3))
    unpack(tmp_path / "out", tmp_path / "unpacked")
    source, home = tmp_path / "unpacked" / "checkpoints" / "small", tmp_path / "home"
    take_checkpoint(source, home, prepared)
    weights = source / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(CheckpointError):
        take_checkpoint(source, home, prepared, force=True)
    assert Checkpoint.load(home)


def test_a_folder_without_archives_and_a_damaged_archive_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no archives"):
        unpack(tmp_path / "nowhere", tmp_path / "into")
    (tmp_path / "runs-0.tar").write_bytes(np.random.default_rng(0).bytes(4000))
    with pytest.raises(InputError, match=r"runs-0\.tar is not a readable archive"):
        unpack(tmp_path, tmp_path / "into")


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [("../outside", tarfile.REGTYPE, "lies outside"), ("runs/link", tarfile.SYMTYPE, "is not a file")],
)
def test_an_archive_writes_files_into_its_own_folder_only(name: str, kind: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with tarfile.open(tmp_path / "out" / "runs-0.tar", "w") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, "/etc/hostname"
        archive.addfile(member)
    with pytest.raises(InputError, match=reason):
        unpack(tmp_path / "out", tmp_path / "unpacked")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
