from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.data.tables.times import DateOrder, Notations, in_order, read_times

SUMMER = datetime(2025, 6, 19, tzinfo=UTC).timestamp()
EVENING = SUMMER + 18.5 * 3600
CELLS = (
    *("03/04/2025", "25/12/2024", "12/25/2024", "05/05/2025", "03.04.2025", "2025-06-19", "31 March 2025", "soon", ""),
    *("20250619", "20250619T1830Z", "5", "1.5", "1e999", "-3", "1750291200", "1750291201", "1750291200000"),
    *("1750291200000000", "1750291200000000000", "1750291200000000001"),
)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1750291200", SUMMER),
        ("1750291200.0", SUMMER),
        ("1.7502912e9", SUMMER),
        ("1750291200000", SUMMER),
        ("1750291200000000", SUMMER),
        ("1750291200000000000", SUMMER),
        ("20250619", SUMMER),
        ("20250619T183000Z", EVENING),
        ("2025-06-19", SUMMER),
        ("2025/6/19", SUMMER),
        ("2025.06.19", SUMMER),
        ("2025-06-19 18:30", EVENING),
        ("2025-06-19T18:30:00Z", EVENING),
        ("2025-06-19T20:30:00.000+02:00", EVENING),
        ("2025-06-19T13:30:00-0500", EVENING),
        ("6/19/25", SUMMER),
        ("06/19/2025 6:30 PM", EVENING),
        ("19.06.25", SUMMER),
        ("19.6.2025, 18:30:00", EVENING),
        ("19-06-2025", SUMMER),
        ("06 19, 2025", SUMMER),
        ("19 Jun 2025", SUMMER),
        ("19-Jun-25", SUMMER),
        ("June 19th, 2025 6:30pm", EVENING),
        ("Thu, 19 Jun 2025 18:30:00 GMT", EVENING),
        ("Thu Jun 19 18:30:00 +0000 2025", EVENING),
    ],
)
def test_times_are_read_as_people_and_programs_write_them(written: str, seconds: float) -> None:
    assert read_times([written]).seconds == [seconds]


@pytest.mark.parametrize(
    "written",
    ["soon", "2025-13-01", "31/31/2025", "2025-02-30", "25:00", "1e999", "9" * 5000, "x" * 5000, "1/2", "١٢٣"],
)
def test_what_is_no_time_is_none(written: str) -> None:
    assert read_times([written]).seconds == [None]


def test_one_day_above_twelve_settles_the_order_for_the_whole_column() -> None:
    assert read_times(["03/04/2025", "19/06/2025"]).seconds == read_times(["2025-04-03", "2025-06-19"]).seconds
    assert read_times(["03/04/2025", "06/19/2025"]).seconds == read_times(["2025-03-04", "2025-06-19"]).seconds
    assert read_times(["03.04.2025"]).seconds == read_times(["2025-04-03"]).seconds


def test_an_ambiguous_time_is_not_guessed_and_an_option_decides_it() -> None:
    times = read_times(["03/04/2025", "05/06/2025"])
    assert (times.seconds, times.ambiguous) == ([None, None], "03/04/2025")
    assert read_times(["03/04/2025"], "dayfirst").seconds == read_times(["2025-04-03"]).seconds
    assert read_times(["03/04/2025"], "monthfirst").seconds == read_times(["2025-03-04"]).seconds
    assert read_times(["05/05/2025"]).seconds == read_times(["2025-05-05"]).seconds  # both readings are one


def test_one_wrong_cell_does_not_change_how_the_others_are_read() -> None:
    assert read_times(["1750291200", "", "soon"]).seconds == [SUMMER, None, None]
    assert read_times(["2025-06-19", "", "1"]).seconds[:2] == [SUMMER, None]
    assert read_times(["13/05/2025", "05/13/2025", "20/05/2025"]).seconds[1] is None


def test_a_column_says_how_it_was_read() -> None:
    assert [read_times([one]).how for one in ("1750291200", "1750291200000", "2025-06-19", "19.06.25", "6/19/25")] == [
        "Unix seconds",
        "Unix milliseconds",
        "year-month-day",
        "day/month/year",
        "month/day/year",
    ]


@given(st.lists(st.sampled_from(CELLS), unique=True), st.integers(0, 20), st.sampled_from([None, "dayfirst"]))
def test_a_column_in_pieces_is_read_as_the_whole_of_it(cells: list[str], at: int, order: DateOrder | None) -> None:
    whole, notations = read_times(cells, order), Notations()
    notations.add(cells[:at])
    notations.add(cells[at:])
    reading = notations.reading(order)
    assert (reading.how, reading.ambiguous) == (whole.how, whole.ambiguous)
    assert reading.of(cells[:at]).seconds + reading.of(cells[at:]).seconds == whole.seconds


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2068, 12, 31)),
    st.sampled_from(
        [
            "%Y-%m-%d %H:%M:%S",
            "%Y/%m/%dT%H:%M:%SZ",
            "%d.%m.%Y %H:%M:%S",
            "%d %b %Y %H:%M:%S",
            "%Y%m%d%H%M%S",
            "%B %d, %Y %I:%M:%S %p",
        ]
    ),
)
def test_what_is_written_is_read_back(moment: datetime, notation: str) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    assert read_times([moment.strftime(notation)]).seconds == [moment.timestamp()]


@given(st.text(max_size=70), st.text("0123456789/-.: TZ+APM,JunMay", max_size=30))
def test_no_text_is_an_error(one: str, other: str) -> None:
    assert len(read_times([one, other]).seconds) == 2


def test_order_is_rising_falling_or_neither() -> None:
    days = [SUMMER + timedelta(days=day).total_seconds() for day in (1, 2, 2, 3)]
    assert in_order(days) is True
    assert in_order(days[::-1]) is False
    assert in_order([days[0], None, days[3], days[1]]) is None
    assert in_order([SUMMER, SUMMER]) is None
