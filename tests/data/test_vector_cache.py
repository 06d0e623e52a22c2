import sqlite3

import numpy as np
import pytest

from m2rec.data.vector_cache import VectorCache


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "vectors.sqlite"


def vectors(*texts: str) -> dict[str, np.ndarray]:
    return {text: np.arange(3, dtype=np.float32) + len(text) for text in texts}


def test_what_was_stored_is_found_and_nothing_else(path):
    cache = VectorCache(path, "encoder", 3)
    cache.store(vectors("one", "three"))
    found = VectorCache(path, "encoder", 3).load(["three", "two"])
    assert list(found) == ["three"]
    np.testing.assert_array_equal(found["three"], np.array([5, 6, 7], dtype=np.float32), strict=True)


def test_another_encoder_or_width_does_not_see_it(path):
    VectorCache(path, "encoder", 3).store(vectors("one"))
    assert VectorCache(path, "other", 3).load(["one"]) == {}
    assert VectorCache(path, "encoder", 4).load(["one"]) == {}


def test_looking_into_an_absent_cache_writes_nothing(path):
    assert VectorCache(path, "encoder", 3).load(["one"]) == {}
    assert not path.parent.exists()


def test_a_damaged_file_is_passed_over_and_made_anew(path, caplog):
    path.parent.mkdir()
    path.write_bytes(b"this is not a database" * 100)
    cache = VectorCache(path, "encoder", 3)
    assert cache.load(["one"]) == {}
    assert "computed instead" in caplog.text
    cache.store(vectors("one"))
    assert list(cache.load(["one"])) == ["one"]


def test_a_folder_that_cannot_be_written_costs_the_cache_and_not_the_answer(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    cache = VectorCache(tmp_path / "file" / "vectors.sqlite", "encoder", 3)
    cache.store(vectors("one"))
    assert cache.load(["one"]) == {}
    assert "could not be kept" in caplog.text


def test_an_interrupted_store_keeps_nothing_of_itself(path):
    cache = VectorCache(path, "encoder", 3)
    cache.store(vectors("one"))

    class Unplugged(np.ndarray):
        def astype(self, *_args, **_kwargs):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.store(vectors("two") | {"three": np.zeros(3).view(Unplugged)})
    assert list(cache.load(["one", "two"])) == ["one"]


def test_the_file_is_plain_sqlite(path):
    VectorCache(path, "encoder", 3).store(vectors("one"))
    with sqlite3.connect(path) as base:
        assert base.execute("SELECT count(*) FROM vectors").fetchone() == (1,)
