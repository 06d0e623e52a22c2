from pathlib import Path

import platformdirs
import pytest

from m2rec.data.cache import cache_dir, data_dir, prepared_folder
from m2rec.errors import DataError


def test_the_cache_folder_can_be_set(monkeypatch, tmp_path):
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path))
    assert prepared_folder("ml-1m") == tmp_path / "prepared" / "ml-1m"


def test_the_cache_is_the_users_own_by_default(monkeypatch):
    monkeypatch.delenv("M2REC_CACHE")
    assert cache_dir() == Path(platformdirs.user_cache_dir("m2rec"))


@pytest.mark.parametrize("value", [None, ""])
def test_no_data_folder_is_none(monkeypatch, value):
    if value is None:
        monkeypatch.delenv("M2REC_DATA", raising=False)
    else:
        monkeypatch.setenv("M2REC_DATA", value)
    assert data_dir() is None


def test_a_data_folder_that_does_not_exist_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("M2REC_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="nowhere, which is not a folder"):
        data_dir()
