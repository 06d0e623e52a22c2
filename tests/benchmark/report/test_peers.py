"""Ranked lists of models from other libraries: graded by our metrics, and shown in our table."""

import json
from argparse import Namespace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from m2rec.benchmark.report.baselines import Shipped, baselines
from m2rec.data.prepared import Prepared
from m2rec.data.windows import Windows
from m2rec.errors import DataError
from m2rec.evaluation.protocol import Evaluation
from m2rec.evaluation.ranks import Ranks, save_ranks
from tests.places import ROOT, script

SCRIPT = ROOT / "assets" / "ml-1m" / "rectools_sasrec.py"
COMMAND = "python assets/ml-1m/rectools_sasrec.py train"
ABOUT = {"model": "RecTools, SASRec", "seed": 0, "hardware": "cpu", "date": "2026-11-26", "epochs": 9, "best_epoch": 7}


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    return script("ml-1m/rectools_sasrec.py")


@pytest.fixture
def graded(recipe: ModuleType, prepared: Prepared, tmp_path: Path) -> Path:
    """Graded lists in which the target is third, twelfth and missing, in turn. → assets with the figures."""
    prepared.save(tmp_path / "prepared")
    users, positions = prepared.split.targets("test")
    targets = prepared.sequences.events[prepared.sequences.offsets[users] + positions]
    lists = np.zeros((len(users), recipe.LENGTH), dtype=np.int64)
    lists[0::3, 2], lists[1::3, 11] = targets[0::3], targets[1::3]
    about = np.array(json.dumps(ABOUT | {"command": COMMAND}))
    np.savez(tmp_path / "lists.npz", users=users, unmasked=lists, masked=lists, about=about)
    out = tmp_path / "assets" / "peers" / "ml-1m.json"
    recipe.grade_lists(Namespace(prepared=tmp_path / "prepared", lists=tmp_path / "lists.npz", out=out, against=None))
    return tmp_path / "assets"


def test_figures_follow_from_the_ranks_in_the_lists(graded: Path, prepared: Prepared) -> None:
    (found,) = json.loads((graded / "peers" / "ml-1m.json").read_text())
    users = len(prepared.split.targets("test")[0])
    third, twelfth = len(range(0, users, 3)), len(range(1, users, 3))
    assert found["targets"] == users
    assert found["unmasked"]["HR@10"]["value"] == pytest.approx(third / users)
    assert found["masked"]["HR@20"]["value"] == pytest.approx((third + twelfth) / users)
    assert found["unmasked"]["NDCG@10"]["value"] == pytest.approx(third / users / np.log2(4))
    assert found["unmasked"]["MRR@10"]["value"] == pytest.approx(third / users / 3)
    assert found["unmasked"]["HR@10"]["low"] < third / users < found["unmasked"]["HR@10"]["high"]


def test_they_are_in_the_worlds_table_with_their_command(graded: Path, prepared: Prepared) -> None:
    users = len(prepared.split.targets("test")[0])
    found = baselines("ml-1m", graded, users)
    assert [(row.model, row.seen) for row in found.rows] == [(ABOUT["model"], "unmasked"), (ABOUT["model"], "masked")]
    note = f"`{COMMAND}` on cpu, 2026-11-26; 9 epochs, best after 7."
    assert any(line.endswith(note) for line in found.notes)
    with pytest.raises(DataError, match="has other targets"):
        baselines("ml-1m", graded, users + 1)
    (graded / "peers" / "ml-1m.json").write_text("[{}]")
    with pytest.raises(DataError, match="is not a readable table of graded lists"):
        baselines("ml-1m", graded, users)


def test_the_lead_over_a_peer_whose_ranks_are_kept_is_in_its_note(graded: Path, prepared: Prepared) -> None:
    users, positions = prepared.split.targets("test")
    table = graded / "peers" / "ml-1m.json"
    (peer,) = json.loads(table.read_text())
    table.write_text(json.dumps([peer | {"ranks": "ml-1m/peer.npz", "key": "its key"}]))
    (graded / "peers" / "ml-1m").mkdir()
    twelfth = np.full(len(users), 12.0)
    theirs = Evaluation(users, positions, {"unmasked": twelfth, "masked": twelfth})
    save_ranks(graded / "peers" / "ml-1m" / "peer.npz", theirs, "its key")
    first = Ranks(users, {"unmasked": np.ones(len(users)), "masked": np.full(len(users), 12.0)})
    found = baselines("ml-1m", graded, len(users), Shipped(ranks=[first]))
    (note,) = [line for line in found.notes if line.startswith(ABOUT["model"])]
    assert "M2Rec's lead over it in HR@10, paired over users: +1.0000 (+1.0000 to +1.0000), p < 0.001 left in" in note
    assert note.endswith(
        " and +0.0000 (+0.0000 to +0.0000), p = 1.000 taken out. It has no repeat bias, which matters left in."
    )
    again = Evaluation(users, positions, {"unmasked": twelfth, "masked": np.where(users == users[0], np.nan, twelfth)})
    save_ranks(graded / "peers" / "ml-1m" / "peer.npz", again, "its key")
    found = baselines("ml-1m", graded, len(users), Shipped(ranks=[first]))
    assert any(line.endswith("p = 1.000 taken out.") for line in found.notes)
    save_ranks(graded / "peers" / "ml-1m" / "peer.npz", theirs, "another key")
    with pytest.raises(DataError, match="belongs to other figures"):
        baselines("ml-1m", graded, len(users), Shipped(ranks=[first]))


def test_lists_of_other_users_are_refused(recipe: ModuleType, graded: Path, prepared: Prepared, tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", users=np.arange(3))
    with pytest.raises(SystemExit, match="is not about the test users"):
        recipe.grade_lists(
            Namespace(prepared=tmp_path / "prepared", lists=tmp_path / "other.npz", out=None, against=None)
        )


def test_rectools_is_trained_on_the_windows_of_our_models(recipe: ModuleType, prepared: Prepared) -> None:
    split = {name: getattr(prepared.split, name) for name in ("train_end", "validation_from", "validation_to")}
    data = {"events": prepared.sequences.events, "offsets": prepared.sequences.offsets} | split
    table = recipe.training_windows(data, 7)
    learned = table[table["weight"] == 1.0].sort_values(["user_id", "datetime"])
    windows = Windows.of_training(prepared.sequences, prepared.split.train_end, 7)
    ours = sorted(tuple(windows.events[s : s + n + 1]) for s, n in zip(windows.starts, windows.sizes, strict=True))
    assert sorted(tuple(items) for _, items in learned.groupby("user_id")["item_id"]) == ours


def test_the_script_does_not_import_this_project_for_training() -> None:
    """It runs in another environment, without this project."""
    before_grading = SCRIPT.read_text().split("def grade_lists")[0]
    assert "import m2rec" not in before_grading
    assert "from m2rec" not in before_grading
