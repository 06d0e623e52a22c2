import pytest

from m2rec.data.kcore import k_core
from m2rec.data.sources.folders import read_amazon_beauty_folder, read_ml_1m_folder
from m2rec.errors import DataError


def test_movielens_1m_is_the_5_core_that_the_papers_rank(real_data):
    dataset = read_ml_1m_folder(real_data / "ml-1m")
    assert len(dataset.interactions) == 999_611
    assert dataset.interactions["user"].nunique() == 6_040
    assert len(dataset.items) == 3_416
    assert len(k_core(dataset, 5).interactions) == 999_611
    unknown = dataset.interactions["timestamp"] == -1
    assert (dataset.interactions["user"][unknown].astype(int) >= 3000).all()
    assert (dataset.items["group"] != "").all()


def test_amazon_beauty_is_the_5_core_that_the_papers_rank(real_data):
    dataset = read_amazon_beauty_folder(real_data / "amazon-beauty")
    assert len(dataset.interactions) == 198_502
    assert dataset.interactions["user"].nunique() == 22_363
    assert len(dataset.items) == 12_101
    untitled = dataset.items["text"] == ""
    assert untitled.sum() == 7
    assert (dataset.items["title"][untitled] == dataset.items["item"][untitled]).all()
    assert len(k_core(dataset, 5).items) == 12_101


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(DataError, match=r"ml-1m.interactions\.parquet is missing; M2REC_DATA must point at"):
        read_ml_1m_folder(tmp_path / "ml-1m")


def test_a_damaged_table_is_named(tmp_path):
    (tmp_path / "interactions.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"interactions\.parquet is not a readable Parquet file"):
        read_ml_1m_folder(tmp_path)
