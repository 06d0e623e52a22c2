from pathlib import Path

import pytest

from m2rec.data.sources.person import person_of

EVENTS = (
    "1::10::86400",
    "1::11::172800",
    "2::10::86400",
    "2::11::86401",
    "2::12::259200",
    "3::10::0",
    "3::11::86400",
    "3::12::172800",
)
RATINGS = "".join(f"{event[:5]}::4::{event[7:]}\n" for event in EVENTS)
FILMS = "10::One (1990)::Drama\n11::Two (1991)::Drama\n12::Three (1992)::Comedy\n"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MovieLens in its own layout, with three people."""
    (tmp_path / "ml-1m").mkdir()
    (tmp_path / "ml-1m" / "ratings.dat").write_text(RATINGS)
    (tmp_path / "ml-1m" / "movies.dat").write_text(FILMS)
    monkeypatch.setenv("M2REC_DATA", str(tmp_path))


@pytest.mark.usefixtures("data")
def test_the_person_of_most_days_is_taken_and_only_known_items_count() -> None:
    person = person_of("ml-1m", {"10", "11", "12"}, longest=3)
    assert person is not None
    assert (person.item_ids, person.days) == (("10", "11", "12"), (0, 1, 2))
    fewer = person_of("ml-1m", {"10", "11"}, longest=2)
    assert fewer is not None
    assert fewer.days == (1, 2)  # of two people with two days the first


@pytest.mark.usefixtures("data")
def test_no_person_is_chosen_where_all_lists_are_too_long() -> None:
    assert person_of("ml-1m", {"10", "11", "12"}, longest=1) is None


def test_without_data_there_is_no_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("M2REC_DATA", str(tmp_path))
    assert person_of("ml-1m", {"10"}, longest=9) is None
    assert person_of("rhythm-market", {"10"}, longest=9) is None
