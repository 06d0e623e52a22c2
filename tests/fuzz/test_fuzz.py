"""Nothing that comes in ends in a server error, runs, or shows what is not the world's own.

A test run tries some thousands of inputs, always the same; `M2REC_FUZZ=10` ten times as many, always others, and
`python -m tests.fuzz` all of them with their number.
"""

import httpx
import pytest

from m2rec.data.tables.interactions import read_tables
from m2rec.errors import DataError, InputError
from m2rec.ui.session.paste import pasted
from tests.fuzz import http
from tests.fuzz.campaigns import IN_PROCESS, OVER_HTTP, seed, times


@pytest.fixture(scope="module")
def client():
    """A running page over the tiny shop."""
    with http.running() as client:
        yield client


@pytest.mark.parametrize("name", IN_PROCESS)
def test_hostile_input_is_answered_or_refused_with_one_sentence(name: str) -> None:
    run, rounds = IN_PROCESS[name]
    chosen = seed()
    assert run(rounds * times(), chosen).tried >= rounds * times(), f"seed {chosen}"


@pytest.mark.slow
@pytest.mark.parametrize("name", OVER_HTTP)
def test_a_running_page_survives_it_too(name: str, client: httpx.Client) -> None:
    run, rounds = OVER_HTTP[name]
    chosen = seed()
    assert run(client, rounds * times(), chosen).tried >= rounds * times(), f"seed {chosen}"
    assert client.get("/").status_code == 200


@pytest.mark.slow
def test_a_table_of_a_million_rows_is_read_and_its_last_row_is_named_when_it_is_wrong(tmp_path) -> None:
    rows = "".join(f"u{row % 999},i{row % 97},{row}\n" for row in range(1_000_000))
    (tmp_path / "items.csv").write_text("item,title\n" + "".join(f"i{item},Title {item}\n" for item in range(97)))
    (tmp_path / "log.csv").write_text("user,item,position\n" + rows)
    assert len(read_tables(tmp_path / "log.csv", tmp_path / "items.csv", "large").interactions) == 1_000_000
    (tmp_path / "log.csv").write_text("user,item,position\n" + rows + "u1,i1,=1+1\n")
    with pytest.raises(DataError, match=r"The position “=1\+1” in line 1000002 of .*log\.csv is not a number\."):
        read_tables(tmp_path / "log.csv", tmp_path / "items.csv", "large")


def test_a_pasted_list_too_long_to_be_read_is_refused_with_what_is_possible() -> None:
    with pytest.raises(InputError, match=r"longer than 2,000,000 characters"):
        pasted("a\n" * 1_000_001)


@pytest.mark.parametrize("quoted", ['title\n"' + "x" * 200_000, "title\n" + "x" * 200_000, '"' + "x" * 200_000])
def test_a_line_too_long_for_a_table_is_refused_or_taken_for_a_title(quoted: str) -> None:
    try:
        assert [entry.title for entry in pasted(quoted).entries] in ([quoted], ["x" * 200_000])
    except InputError as refusal:
        message = str(refusal)
        assert message.startswith("The list is not a regular CSV table")


@pytest.mark.parametrize("length", [1, 4300, 4301, 50_000])
def test_a_number_of_any_length_is_refused_by_the_page_and_not_by_python(client: httpx.Client, length: int) -> None:
    content = b'{"data": ["tiny-shop", ["Honey"], %s, false, null, null]}' % (b"9" * length)
    answer = client.post("/gradio_api/call/recommend", content=content, headers={"content-type": "application/json"})
    assert answer.status_code in (200, 422)


def test_a_request_of_any_size_is_refused_before_it_is_kept(client: httpx.Client) -> None:
    answer = client.post("/gradio_api/call/search", content=b" " * (9 << 20))
    assert (answer.status_code, answer.json()["detail"][:41]) == (413, "The request is larger than 8 MiB, the mos")


@pytest.mark.parametrize(
    "address", ["file=/etc/passwd", "proxy=http://127.0.0.1:1/", "upload", "vibe-code", "run/recommend", "deep_link"]
)
def test_what_gradio_can_do_and_the_page_does_not_need_is_closed(client: httpx.Client, address: str) -> None:
    for method in ("GET", "POST"):
        answer = client.request(method, f"/gradio_api/{address}")
        assert (answer.status_code, "There is nothing at this address" in answer.text) == (404, True)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"data": []}, "data must hold 2 arguments (world, query), not 0."),
        ({"data": "coffee"}, "data must be a list of the endpoint's arguments, not “coffee”."),
        ({}, "data is missing: it must be given."),
        ([], "the request must be an object with named fields, not an empty list."),
    ],
)
def test_a_call_whose_envelope_is_wrong_says_which_field(client: httpx.Client, data: object, sentence: str) -> None:
    answer = client.post("/gradio_api/call/search", json=data)
    assert (answer.status_code, answer.json()["detail"]) == (422, sentence)
