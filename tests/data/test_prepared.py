import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file, save_file

from m2rec.data.prepare import prepare
from m2rec.data.prepared import Prepared
from m2rec.data.split import leave_one_out
from m2rec.errors import DataError


@pytest.fixture
def prepared(toy, encoder) -> Prepared:
    return prepare(toy, leave_one_out, encoder)


@pytest.fixture
def folder(prepared, tmp_path):
    prepared.save(tmp_path / "toy")
    return tmp_path / "toy"


def test_what_is_saved_is_what_is_loaded(prepared, folder):
    loaded = Prepared.load(folder)
    assert loaded.fingerprint == prepared.fingerprint
    for name in ("name", "user_ids", "item_ids", "titles", "texts", "groups", "warm_items"):
        assert getattr(loaded, name) == getattr(prepared, name)
    for name in ("train_counts", "text_vectors", "timestamps"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(prepared, name), strict=True)
    for name, array in vars(prepared.split).items():
        np.testing.assert_array_equal(getattr(loaded.split, name), array, strict=True)
    np.testing.assert_array_equal(loaded.sequences.events, prepared.sequences.events, strict=True)


def test_a_data_set_without_a_clock_stays_without_one(prepared, tmp_path):
    replace(prepared, timestamps=None).save(tmp_path / "toy")
    assert Prepared.load(tmp_path / "toy").timestamps is None


def test_the_fingerprint_follows_the_data_and_not_the_titles(prepared):
    retitled = replace(prepared, titles=["another"] * 5, text_vectors=np.zeros((6, 2), np.float32))
    assert retitled.fingerprint == prepared.fingerprint
    renamed = replace(prepared, item_ids=["b", "c", "a", "e", "d"])
    split = replace(prepared.split, train_end=np.array([2, 2, 1]))
    other_events = replace(prepared.sequences, events=prepared.sequences.events[::-1].copy())
    others = [renamed, replace(prepared, split=split), replace(prepared, sequences=other_events)]
    assert len({prepared.fingerprint, *(other.fingerprint for other in others)}) == 4


def test_a_missing_folder_says_how_to_make_it(tmp_path):
    with pytest.raises(DataError, match=r"no prepared data in .*ml-1m; make it with `python -m m2rec prepare ml-1m`"):
        Prepared.load(tmp_path / "ml-1m")


def _truncate(name):
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size // 2)


def _change_json(**changes):
    def change(folder):
        path = folder / "prepared.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def _change_array(name, change):
    def apply(folder):
        arrays = load_file(folder / "arrays.safetensors")
        arrays[name] = change(arrays[name].copy())
        save_file(arrays, folder / "arrays.safetensors")

    return apply


def _drop_array(folder):
    arrays = load_file(folder / "arrays.safetensors")
    del arrays["test_to"]
    save_file(arrays, folder / "arrays.safetensors")


def _set(index, value):
    def change(array):
        array[index] = value
        return array

    return change


def _drop_last_item(folder):
    table = pq.read_table(folder / "items.parquet")
    pq.write_table(table.slice(0, table.num_rows - 1), folder / "items.parquet")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_truncate("arrays.safetensors"), None),
        (_truncate("items.parquet"), None),
        (_truncate("prepared.json"), None),
        (lambda folder: (folder / "users.parquet").unlink(), None),
        (_change_json(format=99), "format 99, this version reads 1"),
        (_change_json(warm_items=5), "warm_items must end where"),
        (_change_json(fingerprint="0"), "do not match its fingerprint"),
        (lambda folder: (folder / "prepared.json").write_text("{}"), "'format' is missing"),
        (_drop_array, "'test_to' is missing"),
        (_drop_last_item, "titles has 4 rows|there are 4|train_counts has 5 rows, expected 4"),
        (_change_array("events", _set(0, 2)), "do not match its fingerprint"),
        (_change_array("events", _set(0, 6)), "the sequences name item 6, there are 5"),
        (_change_array("train_end", _set(0, 5)), "a target must not lie in the training part"),
        (_change_array("text_vectors", _set((1, 1), np.nan)), "text_vectors must be finite"),
    ],
)
def test_damage_is_noticed_and_named_in_one_sentence(folder, damage, reason):
    damage(folder)
    with pytest.raises(DataError, match=reason) as caught:
        Prepared.load(folder)
    assert "make it again with `python -m m2rec prepare toy`" in str(caught.value)


def test_a_save_that_fails_leaves_the_old_folder_as_it_was(prepared, folder, monkeypatch):
    def full_disk(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("m2rec.data.prepared.save_file", full_disk)
    with pytest.raises(DataError, match=r"could not be saved to .*No space left.*what was there before is unchanged"):
        replace(prepared, warm_items=3, name="newer").save(folder)
    assert Prepared.load(folder).name == "toy"
    assert sorted(path.name for path in folder.parent.iterdir()) == ["toy"]


def test_a_second_save_replaces_the_folder_whole(prepared, folder):
    shutil.copy(folder / "items.parquet", folder / "left-over.parquet")
    replace(prepared, name="newer").save(folder)
    assert Prepared.load(folder).name == "newer"
    assert not (folder / "left-over.parquet").exists()


def test_repeated_ids_are_refused(prepared):
    with pytest.raises(ValueError, match="item_ids repeat"):
        replace(prepared, item_ids=["a"] * 5)
