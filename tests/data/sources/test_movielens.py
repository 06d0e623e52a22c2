import gzip
import zipfile

import numpy as np
import pytest

from m2rec.data.kcore import k_core
from m2rec.data.sources.folders import read_ml_1m_folder
from m2rec.data.sources.movielens import (
    read_ml_1m_archive,
    read_ml_1m_archive_films,
    read_ml_1m_raw,
    read_ml_100k,
)
from m2rec.errors import DataError

# User 2 rates three films in the same second, in this order.
RATINGS = b"1::10::5::300\n1::20::3::100\n2::20::4::50\n2::30::1::50\n2::10::2::50\n"
FILMS = "10::Amélie: a film (2001)::Comedy|Romance\n20::Bread (1999)::Drama\n30::Cheese (1998)::Horror\n".encode(
    "latin-1"
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ratings.dat").write_bytes(RATINGS)
    (tmp_path / "movies.dat").write_bytes(FILMS)
    return tmp_path


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "ml-1m.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("ml-1m/ratings.dat", RATINGS)
        opened.writestr("ml-1m/movies.dat", FILMS)
    return path


def test_the_unpacked_files_become_a_data_set(folder):
    dataset = read_ml_1m_raw(folder)
    assert dataset.interactions[["user", "item", "position", "rating", "timestamp"]].to_numpy().tolist() == [
        ["1", "20", 0, 3, 100],
        ["1", "10", 1, 5, 300],
        ["2", "20", 0, 4, 50],
        ["2", "30", 1, 1, 50],
        ["2", "10", 2, 2, 50],
    ]
    assert dataset.items.to_numpy().tolist()[0] == [
        "10",
        "Amélie: a film (2001)",
        "Amélie: a film (2001). Comedy, Romance",
        "Comedy",
    ]


def test_the_archive_is_read_like_its_unpacked_files(folder, archive):
    packed, unpacked = read_ml_1m_archive(archive), read_ml_1m_raw(folder)
    assert packed.interactions.equals(unpacked.interactions)
    assert packed.items.equals(unpacked.items)
    assert read_ml_1m_archive_films(archive).equals(packed.items)


def test_a_part_of_the_ratings_may_be_packed(folder):
    (folder / "part.dat.gz").write_bytes(gzip.compress(RATINGS))
    assert read_ml_1m_raw(folder, "part.dat.gz").interactions.equals(read_ml_1m_raw(folder).interactions)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("ratings.dat", b"1::10::5\n", "must have user, item, rating and time on every line"),
        ("ratings.dat", b"1::10::5::300\n1::20\n", "is not a MovieLens ratings file"),
        ("ratings.dat", b"1::10::five::300\n", "is not a MovieLens ratings file"),
        ("ratings.dat", b"", r"ratings\.dat is empty; download it again"),
        ("ratings.dat", b"1::99::5::300\n", "rates the film 99, which its list of films lacks"),
        ("movies.dat", b"10::A\n", "Line 1 of .*movies.dat is not MovieID::Title::Genres"),
    ],
)
def test_a_damaged_file_is_refused_by_name(folder, name, content, message):
    (folder / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_ml_1m_raw(folder)


def test_a_missing_file_is_named(folder):
    (folder / "movies.dat").unlink()
    with pytest.raises(DataError, match=r"movies\.dat is missing; unpack the whole archive"):
        read_ml_1m_raw(folder)


def test_a_damaged_archive_is_named(archive):
    archive.write_bytes(archive.read_bytes()[:100])
    with pytest.raises(DataError, match="is not the official"):
        read_ml_1m_archive(archive)


def test_a_truncated_part_is_named(folder):
    (folder / "part.dat.gz").write_bytes(gzip.compress(RATINGS)[:-10])
    with pytest.raises(DataError, match=r"part\.dat\.gz cannot be read"):
        read_ml_1m_raw(folder, "part.dat.gz")


def test_a_film_of_the_100k_set_must_have_a_flag_for_every_genre(tmp_path):
    (tmp_path / "u.data").write_text("1\t1\t5\t100\n")
    (tmp_path / "u.genre").write_text("Drama|0\nComedy|1\n\n")
    (tmp_path / "u.item").write_text("1|Bread|||no url|0|1\n")
    assert read_ml_100k(tmp_path).items.to_numpy().tolist() == [["1", "Bread", "Bread. Comedy", "Comedy"]]
    (tmp_path / "u.item").write_text("1|Bread|||no url|0\n")
    with pytest.raises(DataError, match=r"Line 1 of .*u\.item has 6 cells, expected 7"):
        read_ml_100k(tmp_path)


def test_the_official_ratings_give_the_canonical_order_bit_for_bit(real_data):
    canonical = read_ml_1m_folder(real_data / "ml-1m")
    raw = read_ml_1m_raw(real_data / "ml-1m-raw", "ratings-users-1-2999.dat.gz")
    assert len(raw.interactions) == 487_650
    assert len(raw.items) == 3_883
    ours = raw.interactions[raw.interactions["item"].isin(canonical.items["item"])]
    theirs = canonical.interactions[canonical.interactions["user"].isin(raw.interactions["user"].unique())]
    assert len(ours) == len(theirs) == 487_344
    for column in ("user", "item", "rating", "timestamp"):
        np.testing.assert_array_equal(ours[column].to_numpy(), theirs[column].to_numpy(), err_msg=column)


def test_the_official_films_are_described_like_the_canonical_ones(real_data):
    canonical = read_ml_1m_folder(real_data / "ml-1m").items
    raw = read_ml_1m_raw(real_data / "ml-1m-raw", "ratings-users-1-2999.dat.gz").items
    assert raw[raw["item"].isin(canonical["item"])].reset_index(drop=True).equals(canonical)


def test_the_100k_set_is_whole_and_chronological(real_data):
    dataset = read_ml_100k(real_data / "ml-100k")
    assert len(dataset.interactions) == 100_000
    assert dataset.interactions["user"].nunique() == 943
    assert len(dataset.items) == 1_682
    clock = dataset.interactions.groupby("user")["timestamp"]
    assert (clock.diff().dropna() >= 0).all()
    core = k_core(dataset, 5)
    assert (len(core.interactions), len(core.items)) == (99_287, 1_349)
