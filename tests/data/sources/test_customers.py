"""Real customers of the gift shop, on any machine."""

import pandas as pd

from m2rec.data.kcore import k_core
from m2rec.data.sources.customers import FILE, SHOWN, customers_of, people_of, shipped_customers
from m2rec.data.sources.online_retail import read_parquet


def test_four_customers_come_with_the_package_with_dates_in_order() -> None:
    people = shipped_customers()
    assert [one.key for one in people] == list(SHOWN)
    for one in people:
        assert len(one.item_ids) == len(one.days) <= 200
        assert list(one.days) == sorted(one.days)
        assert one.title.split()[1].strip(",").isdigit(), "by number only"
    days = {one.key: len(set(one.days)) for one in people}
    assert days["person"] == max(days.values())
    assert days["once"] == 1
    weekdays = {(day + 3) % 7 for one in people if one.key == "weekday" for day in one.days}  # 1970 began on a Thursday
    assert weekdays == {2, 3, 4}, "Wednesday to Friday, as the title says"


def test_only_known_items_are_shown_and_only_the_newest() -> None:
    known = set(shipped_customers()[0].item_ids[-30:])
    regular = people_of("online-retail", known, longest=10)[0]
    assert set(regular.item_ids) <= known
    assert len(regular.item_ids) == len(regular.days) == 10
    assert regular.item_ids[-1] == shipped_customers()[0].item_ids[-1]


def test_a_source_without_shipped_people_has_one_from_this_machine_or_none(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("M2REC_DATA", str(tmp_path))
    assert people_of("ml-1m", {"1"}, longest=9) == ()


def test_the_shipped_customers_are_those_that_the_whole_table_gives(real_data) -> None:
    chosen = customers_of(k_core(read_parquet(real_data / "online-retail"), 5))
    shipped = pd.read_csv(FILE, dtype={"user": "str", "item": "str"})
    pd.testing.assert_frame_equal(chosen, shipped, check_dtype=False)
