import shutil
import zipfile

import pandas as pd
import pytest

from m2rec.data.cache import cache_dir
from m2rec.data.dataset import Dataset
from m2rec.data.kcore import k_core
from m2rec.data.prepare import prepare
from m2rec.data.settings import DataSettings
from m2rec.data.sources.folders import read_ml_1m_folder
from m2rec.data.sources.movielens import read_ml_1m_raw
from m2rec.data.sources.registry import load_dataset, split_rule, titles_for
from m2rec.data.split import leave_one_out
from m2rec.errors import DataError

RATINGS = "1::10::5::300\n1::20::3::100\n"
FILMS = "10::Almonds (2001)::Comedy\n20::Bread (1999)::Drama\n"
ALL = DataSettings(source="ml-1m", min_count=0)


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("M2REC_DATA", str(tmp_path))
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path / "cache"))
    return tmp_path


def lay_unpacked(root):
    (root / "ml-1m").mkdir()
    (root / "ml-1m" / "ratings.dat").write_text(RATINGS)
    (root / "ml-1m" / "movies.dat").write_text(FILMS)


def lay_archive(folder):
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "ml-1m.zip", "w") as archive:
        archive.writestr("ml-1m/ratings.dat", RATINGS)
        archive.writestr("ml-1m/movies.dat", FILMS)


def lay_parquet(root):
    (root / "ml-1m").mkdir()
    log = {"user": [1, 1], "position": [0, 1], "item": [20, 10], "rating": [3, 5], "timestamp": [100, None]}
    pd.DataFrame(log).astype({"timestamp": "Int64"}).to_parquet(root / "ml-1m" / "interactions.parquet")
    films = pd.DataFrame({"item": [10, 20], "title": ["Almonds (2001)", "Bread (1999)"], "genres": ["Comedy", "Drama"]})
    films.to_parquet(root / "ml-1m" / "items.parquet")


LAYOUTS = {
    "the Parquet folder": lay_parquet,
    "the unpacked archive": lay_unpacked,
    "the archive": lay_archive,
    "the download": lambda root: lay_archive(root / "cache" / "downloads"),
}


@pytest.mark.parametrize("lay", LAYOUTS.values(), ids=LAYOUTS)
def test_movielens_is_found_however_it_lies(data, lay):
    lay(data)
    dataset = load_dataset(ALL)
    assert dataset.name == "ml-1m"
    assert dataset.interactions["item"].tolist() == ["20", "10"]
    assert dataset.items["title"].tolist() == ["Almonds (2001)", "Bread (1999)"]


def test_the_download_serves_without_a_data_folder(data, monkeypatch):
    monkeypatch.delenv("M2REC_DATA")
    lay_archive(cache_dir() / "downloads")
    assert len(load_dataset(ALL).items) == 2


def test_the_archive_and_its_unpacked_files_prepare_to_the_same_fingerprint(data, encoder):
    lay_unpacked(data)
    unpacked = prepare(load_dataset(ALL), leave_one_out, encoder)
    shutil.rmtree(data / "ml-1m")
    lay_archive(data)
    assert prepare(load_dataset(ALL), leave_one_out, encoder).fingerprint == unpacked.fingerprint


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("ml-1m", "This machine has no ml-1m; fetch it with `python -m m2rec data download ml-1m`"),
        ("ml-100k", "This machine has no ml-100k; set M2REC_DATA"),
        ("amazon-beauty", "This machine has no amazon-beauty; set M2REC_DATA"),
    ],
)
def test_data_that_is_not_there_is_an_error_that_says_how_to_get_it(data, source, message):
    with pytest.raises(DataError, match=message):
        load_dataset(DataSettings(source=source))
    assert titles_for(source, ["1"]) is None


def test_the_k_core_of_the_settings_is_applied(data):
    lay_unpacked(data)
    with pytest.raises(DataError, match="No user and item of ml-1m have 5 interactions each"):
        load_dataset(DataSettings(source="ml-1m"))


def test_tables_of_ones_own_are_a_source(write):
    log, items = write("log.csv", "user,item,timestamp\nx,a,1\n"), write("items.csv", "item,title\na,Apple\nb,New\n")
    settings = DataSettings(source="tables", interactions=log, items=items, min_count=0)
    dataset = load_dataset(settings, "my-shop")
    assert dataset.name == "my-shop"
    assert dataset.items["item"].tolist() == ["a", "b"]  # nobody chose b yet


@pytest.mark.parametrize(
    "given",
    [
        {"source": "tables"},
        {"source": "tables", "items": "items.csv"},
        {"source": "ml-1m", "interactions": "log.csv", "items": "items.csv"},
        {"source": "ml-1m", "items": "items.csv"},
        {"source": "ml-1m", "columns": {"user": "who"}},
        {"source": "ml-1m", "dates": "dayfirst"},
    ],
)
def test_files_are_named_for_tables_and_for_nothing_else(given):
    with pytest.raises(ValueError, match='source = "tables"'):
        DataSettings(**given)


def test_titles_come_in_the_order_asked_for_and_an_unknown_id_is_its_own_title(data):
    lay_unpacked(data)
    table = titles_for("ml-1m", ["20", "77", "10"])
    assert table.to_numpy().tolist() == [
        ["20", "Bread (1999)", "Bread (1999). Drama", "Drama"],
        ["77", "77", "", ""],
        ["10", "Almonds (2001)", "Almonds (2001). Comedy", "Comedy"],
    ]


def test_worlds_that_ship_their_titles_need_none_from_here():
    assert titles_for("rhythm-market", ["coffee"]) is None
    assert titles_for("tables", ["a"]) is None


def test_each_split_of_the_settings_reaches_its_rule(toy, encoder):
    by_user = DataSettings(source="ml-1m", split="by-user", first_target=2, validation_share=0.34, test_share=0.34)
    split = prepare(toy, split_rule(by_user), encoder).split
    assert sorted(split.train_end.tolist())[:2] == [0, 0]

    temporal = DataSettings(source="ml-1m", split="global-temporal", validation_share=0.25, test_share=0.25)
    # clock: 50 60 70 100 | 110 120 | 130 140
    prepared = prepare(toy, split_rule(temporal), encoder)
    assert prepared.split.train_end.tolist() == [1, 2, 1]
    assert prepared.split.targets("test")[1].tolist() == [3, 4]

    last = prepare(toy, split_rule(DataSettings(source="ml-1m")), encoder).split
    assert last.targets("test")[1].tolist() == [4]


def test_the_official_files_and_the_canonical_folder_prepare_alike(real_data, encoder):
    canonical = read_ml_1m_folder(real_data / "ml-1m")
    raw = read_ml_1m_raw(real_data / "ml-1m-raw", "ratings-users-1-2999.dat.gz")
    early = canonical.interactions["user"].astype(int) < 3000
    in_core = raw.interactions["item"].isin(canonical.items["item"])
    halves = [
        Dataset("half", canonical.interactions[early].reset_index(drop=True), canonical.items),
        Dataset("half", raw.interactions[in_core].reset_index(drop=True), raw.items),
    ]
    first, second = (prepare(k_core(half, 5), leave_one_out, encoder) for half in halves)
    assert first.fingerprint == second.fingerprint
    assert first.titles == second.titles
