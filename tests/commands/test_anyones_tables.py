"""`prepare` on tables of many kinds: roles of columns, notes and refusals."""

import bz2
import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from m2rec.data import text
from m2rec.data.cache import prepared_folder
from m2rec.data.prepared import Prepared
from tests.commands.conftest import LetterEncoder

ROWS = [(f"u{user}", f"b{(user + step) % 3}", user * 10 + step) for user in range(4) for step in range(5)]
GOODS = {"b0": "Jam", "b1": "Rye bread", "b2": "Tea"}
LOG = "user,item,timestamp\n" + "".join(f"{user},{item},{time}\n" for user, item, time in ROWS)
ITEMS = "item,title\n" + "".join(f"{item},{title}\n" for item, title in GOODS.items())


@pytest.fixture
def prepare(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`prepare` on two files, given as text or bytes, keeping even the rarest users and items."""
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(text, "load_minilm", LetterEncoder)

    def prepared(
        log: str | bytes = LOG, items: str | bytes | None = ITEMS, *options: object, names=("log.csv", "items.csv")
    ):
        given: list[object] = []
        for option, name, content in zip(("--interactions", "--items"), names, (log, items), strict=True):
            if content is not None:
                (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
                given += [option, tmp_path / name]
        return run("prepare", "w", *given, "--min-count", 0, *options, "--json", "-")

    return prepared


def histories() -> dict[str, list[str]]:
    """The prepared histories: user → titles, oldest first."""
    prepared = Prepared.load(prepared_folder("w"))
    return {
        user: [prepared.titles[item - 1] for item in sequence]
        for user, sequence in zip(prepared.user_ids, prepared.sequences, strict=True)
    }


EXPECTED = {f"u{user}": [GOODS[f"b{(user + step) % 3}"] for step in range(5)] for user in range(4)}


def table(header: str, separator: str = ",", row: str = "{user}{s}{item}{s}{time}") -> str:
    lines = [row.format(user=user, item=item, time=time, s=separator) for user, item, time in ROWS]
    return "\n".join([*([header] if header else []), *lines]) + "\n"


def json_lines(**names: str) -> str:
    return "".join(
        json.dumps({names["user"]: user, names["item"]: item, names["time"]: time, "overall": 5.0, "helpful": [0, 1]})
        + "\n"
        for user, item, time in ROWS
    )


@pytest.mark.parametrize(
    ("log", "items"),
    [
        pytest.param(LOG, ITEMS, id="ours"),
        pytest.param(LOG, ITEMS.replace("item,title", "movieId,title"), id="MovieLens films beside our log"),
        pytest.param(
            table("userId,movieId,timestamp"), ITEMS.replace("item,title", "movieId,title"), id="MovieLens CSV"
        ),
        pytest.param(LOG, "asin,title,brand\nb0,Jam,x\nb1,Rye bread,y\nb2,Tea,\n", id="asin"),
        pytest.param(LOG, ITEMS.replace("item,title", "id,title"), id="id"),
        pytest.param(LOG, ITEMS.replace("item,title", "Product ID,Product Name"), id="names with blanks"),
        pytest.param(table("reviewerID,asin,unixReviewTime"), ITEMS, id="Amazon ratings"),
        pytest.param(table("CustomerID,StockCode,InvoiceDate"), ITEMS, id="Online Retail"),
        pytest.param(
            table("user_id:token\titem_id:token\ttimestamp:float", "\t"),
            "item_id:token\tmovie_title:token_seq\nb0\tJam\nb1\tRye bread\nb2\tTea\n",
            id="RecBole",
        ),
        pytest.param(
            table("", "::", "{user}{s}{item}{s}5{s}{time}"),
            "b0::Jam::Food|Sweet\nb1::Rye bread::Food\nb2::Tea::Drink\n".encode("latin-1"),
            id="MovieLens ::",
        ),
        pytest.param(table("user::item::timestamp", "::"), ITEMS, id="double colons with a header"),
        pytest.param(table("user;item;timestamp", ";"), ITEMS.replace(",", ";"), id="semicolons"),
        pytest.param(table("user item timestamp", " "), ITEMS, id="blanks"),
        pytest.param(json_lines(user="reviewerID", item="asin", time="unixReviewTime"), ITEMS, id="Amazon reviews"),
        pytest.param(
            json_lines(user="user_id", item="parent_asin", time="timestamp"),
            "".join(f"{{'asin': '{item}', 'title': '{title}'}}\n" for item, title in GOODS.items()),
            id="metadata in Python's notation",
        ),
        pytest.param(
            json.dumps([{"user": user, "item": item, "date": time} for user, item, time in ROWS], indent=1),
            ITEMS,
            id="a JSON list",
        ),
        pytest.param(gzip.compress(LOG.encode()), ITEMS, id="gzip"),
        pytest.param(LOG, bz2.compress(ITEMS.encode()), id="bzip2"),
        pytest.param(LOG.encode("utf-16"), ITEMS.encode("utf-8-sig"), id="Excel's Unicode text"),
        pytest.param(
            LOG.replace("u1", "Jose\u0301").replace("b1", "b1\u200b"), ITEMS.replace("b1", "\ufeffb1"), id="look-alikes"
        ),
        pytest.param(LOG.replace("u1,", " u1 ,"), ITEMS, id="blanks around ids"),
    ],
)
def test_tables_of_many_kinds_are_read_without_options(prepare, log, items) -> None:
    result = prepare(log, items)
    assert result.code == 0, result.err
    found = histories()
    assert {user.replace("Jos\u00e9", "u1"): history for user, history in found.items()} == EXPECTED


def test_an_excel_workbook_is_read_under_any_file_name(prepare, tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    frame = pd.DataFrame(ROWS, columns=["CustomerID", "StockCode", "InvoiceDate"])
    frame["InvoiceDate"] = pd.to_datetime(frame["InvoiceDate"], unit="D")
    frame["CustomerID"] = frame["CustomerID"].str[1:].astype(float)
    frame.to_excel(tmp_path / "made.xlsx", index=False)
    result = prepare((tmp_path / "made.xlsx").read_bytes())
    assert result.code == 0, result.err
    assert {f"u{user}": history for user, history in histories().items()} == EXPECTED


def test_the_summary_shows_what_each_column_was_taken_for(prepare) -> None:
    result = prepare(table("Customer ID,StockCode,InvoiceDate,Country", row="{user},{item},{time},France"))
    assert (
        "Columns of log.csv: Customer ID → user, StockCode → item, InvoiceDate → timestamp; not used: Country."
        in result.err
    )
    assert result.json["notes"][0] in result.err


def test_an_option_names_unusual_columns_and_the_world_stores_it(prepare, run) -> None:
    log = table("who,what,at")
    refused = prepare(log)
    assert refused.code == 2
    assert "no column 'user', 'item', 'timestamp' or 'position' (found: who, what, at)" in refused.err
    assert "--columns user=" in refused.err
    taken = prepare(log, ITEMS, "--columns", "user=who,item=what,timestamp=at")
    assert (taken.code, histories()) == (0, EXPECTED)
    assert run("prepare", "w", "--json", "-").json["fingerprint"] == taken.json["fingerprint"]


def test_a_correct_column_is_never_called_wrong(prepare) -> None:
    result = prepare(LOG, ITEMS.replace("item,title", "code2,title"))
    assert result.code == 2
    assert "no column 'item' (found: code2, title); rename one, or add --item-columns item=code2." in result.err
    assert "title=" not in result.err


def test_without_a_header_columns_have_numbers(prepare) -> None:
    bare = table("", row="{user},{item},5.0,{time}")
    refused = prepare(bare)
    assert refused.code == 2
    assert "log.csv has no header line" in refused.err
    assert "--columns user=1,item=2,rating=3,timestamp=4" in refused.err
    assert prepare(bare, ITEMS, "--columns", "user=1,item=2,rating=3,timestamp=4").code == 0
    assert histories() == EXPECTED
    no_header = ITEMS.removeprefix("item,title\n")
    refused = prepare(LOG, no_header)
    assert refused.code == 2
    assert "(item=1,title=2 where the first line is a row already)" in refused.err
    assert prepare(LOG, no_header, "--item-columns", "item=1,title=2").code == 0
    assert histories() == EXPECTED


def test_without_an_items_table_ids_are_titles_or_the_log_has_them(prepare) -> None:
    result = prepare(LOG, None)
    assert (result.code, set(histories()["u0"])) == (0, set(GOODS))
    assert any("ids are the titles" in note for note in result.json["notes"])
    named = "user,item,timestamp,Description\n" + "".join(f"{u},{i},{t},{GOODS[i]}\n" for u, i, t in ROWS)
    assert prepare(named, None, "--columns", "title=Description").code == 0
    assert histories() == EXPECTED


HINT = "; give Unix seconds or dates such as 2024-05-31 or 2024-05-31T18:00:00Z."
MISSING = "; in all 2 rows name 2 items that are missing (2 rows: lines 22, 25)"


def test_all_problems_are_listed_at_once_with_their_rows(prepare, tmp_path: Path) -> None:
    log = LOG + "u1,b9,7\n,b1,8\nu2,b1,soon\nu2,b7,later\n"
    result = prepare(log, ITEMS + ",Nothing\nb0,Again\n")
    assert result.code == 2
    lines = result.err.strip().splitlines()
    log, goods = tmp_path / "log.csv", tmp_path / "items.csv"
    assert lines == [
        f"The item is blank in line 5 of {goods}; every row needs one.",
        f"The item “b0” in line 6 of {goods} was already in line 2 of {goods}.",
        f"The user is blank in line 23 of {log}; every row needs one.",
        f"The timestamp “soon” in line 24 of {log} is no time (2 rows: lines 24, 25){HINT}",
        f"The item “b9” in line 22 of {log} is not in {goods}{MISSING}; add it there.",
    ]


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (lambda item: item.upper(), "in other letters, large or small"),
        (lambda item: f"'{item}'", "in quotation marks"),
        (lambda item: item.replace("b", "b-"), "with other blanks and punctuation"),
    ],
)
def test_ids_that_nearly_match_are_reported(prepare, change, how: str) -> None:
    log = "user,item,timestamp\n" + "".join(f"{user},{change(item)},{time}\n" for user, item, time in ROWS)
    result = prepare(log)
    assert result.code == 2
    assert f"3 ids look like ids that are there {how}; in all 20 rows name 3 items that are missing" in result.err


@pytest.mark.parametrize("decimal", ["{}.0", "{}.00", "{}."])
def test_ids_written_as_decimals_match_the_whole_numbers(prepare, decimal: str) -> None:
    rows = "".join(f"{decimal.format(u[1:]) if t % 2 else u[1:]},{decimal.format(i[1:])},{t}\n" for u, i, t in ROWS)
    result = prepare("user,item,timestamp\n" + rows, ITEMS.replace("\nb", "\n"))
    assert (result.code, {f"u{user}": history for user, history in histories().items()}) == (0, EXPECTED)
    assert "The item ids of log.csv look like decimals of whole numbers in 20 rows (3 items)" in result.err
    assert "The user ids of log.csv look like decimals of whole numbers in 8 rows" in result.err


def test_version_numbers_are_not_read_as_decimals(prepare) -> None:
    log = LOG.replace(",b0,", ",1.0,").replace(",b1,", ",1.5,").replace(",b2,", ",1,")
    assert prepare(log, "item,title\n1.0,Jam\n1.5,Rye bread\n1,Tea\n").code == 0
    assert histories() == EXPECTED


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            3,
            "has 3 events, and no training part has two, so there is nothing to learn from; leave-one-out needs",
        ),
        (2, "has 2 events, and the split leaves nothing for the validation; leave-one-out needs a history of 4"),
        (1, "has 1 event, and no training part has two"),
    ],
)
def test_histories_too_short_for_training_are_refused(prepare, steps: int, message: str) -> None:
    rows = "".join(f"u{user},b{step},{step}\n" for user in range(15) for step in range(steps))
    result = prepare("user,item,timestamp\n" + rows)
    assert result.code == 2
    assert message in result.err.splitlines()[-1]


@pytest.mark.parametrize("split", ["by-user", "global-temporal"])
def test_each_split_says_what_it_needs(prepare, split: str) -> None:
    rows = "".join(f"u{user},b0,7\nu{user},b1,7\n" for user in range(12))
    result = prepare("user,item,timestamp\n" + rows, ITEMS, "--split", split)
    assert result.code == 2
    assert "split" in result.err.splitlines()[-1]
    assert "needs" in result.err.splitlines()[-1]


def noted(result, beginning: str) -> str:
    (found,) = [note for note in result.json["notes"] if note.startswith(beginning)]
    return found


def test_the_same_date_in_all_rows_is_noted(prepare) -> None:
    log = "user,item,timestamp\n" + "".join(f"{user},{item},2024-01-01\n" for user, item, _ in ROWS)
    result = prepare(log)
    assert result.code == 0
    assert "one and the same time, 2024-01-01" in noted(result, "All rows")
    assert result.json["tied_times"] == pytest.approx(16 / 20)


def test_tied_times_duplicates_ratings_rounding_and_blank_rows_are_noted(prepare) -> None:
    log = "user,item,timestamp,rating\n" + "".join(f"{u},{i},1.7E+09,{0.5 if t % 2 else 5}\n" for u, i, t in ROWS)
    result = prepare(log + ",,,\nu0,b0,1.7E+09,5\n")
    assert "2 rows" not in noted(result, "Rows that repeat another")
    assert "1 row" in noted(result, "Rows that repeat another")
    assert "0.5 to 5" in noted(result, "Ratings are not used")
    assert "such as “1.7E+09”" in noted(result, "21 timestamps")
    assert "1 blank row" in noted(result, "1 blank row")


def test_dropped_rows_are_counted_with_the_reason(prepare, run, tmp_path: Path) -> None:
    prepare(LOG + "u9,b0,1\n")
    result = run(
        "prepare",
        "w",
        "--interactions",
        tmp_path / "log.csv",
        "--items",
        tmp_path / "items.csv",
        "--min-count",
        2,
        "--json",
        "-",
    )
    assert noted(result, "1 of 21 rows").endswith("fewer than 2 interactions (min_count); 1 users and 0 items went.")


@pytest.mark.parametrize(("period", "variant"), [(3, "periodic"), (40, "spectral")])
def test_the_models_variants_follow_from_how_often_items_recur(prepare, run, period: int, variant: str) -> None:
    items = "item,title\n" + "".join(f"b{item},Good {item}\n" for item in range(40))
    log = "user,item,timestamp\n" + "".join(f"u{u},b{(u + s) % period},{s}\n" for u in range(5) for s in range(9))
    result = prepare(log, items)
    assert result.json["model"] == {
        "frequency": variant,
        "semantic": {"periodic": "themes", "spectral": "means"}[variant],
    }
    assert result.json["repeats"] == pytest.approx(max(0, 9 - period) / 9)
    in_training = max(0, 7 - period) / 7  # without each user's two newest events
    assert f"{in_training:.1%} of the training events are repeats" in noted(result, "The model's defaults are")
    assert run("prepare", "w", "--json", "-").json["model"] == result.json["model"]


def test_repeats_among_the_targets_do_not_decide_about_the_model(prepare) -> None:
    items = "item,title\n" + "".join(f"b{item},Good {item}\n" for item in range(40))
    steps = [0, 1, 2, 3, 4, 0, 1]  # the two newest events, for validation and test, are repeats
    log = "user,item,timestamp\n" + "".join(
        f"u{user},b{7 * user + item},{time}\n" for user in range(5) for time, item in enumerate(steps)
    )
    result = prepare(log, items)
    assert result.json["repeats"] == pytest.approx(2 / 7)
    assert result.json["model"] == {"frequency": "spectral", "semantic": "means"}
    assert "0.0% of the training events" in noted(result, "The model's defaults are")


def test_ambiguous_days_and_months_are_decided_or_refused(prepare) -> None:
    log = "user,item,timestamp\n" + "".join(f"{u},{i},{1 + t % 10:02}/{1 + t // 10:02}/2024\n" for u, i, t in ROWS)
    refused = prepare(log)
    assert refused.code == 2
    assert "add --dates dayfirst or --dates monthfirst" in refused.err
    assert prepare(log, ITEMS, "--dates", "dayfirst").code == 0
    assert histories() == EXPECTED


@pytest.mark.parametrize("columns", ["user", "user=", "who=x", "user=a,user=b", "=x"])
def test_a_mapping_without_a_role_is_refused(prepare, columns: str) -> None:
    result = prepare(LOG, ITEMS, "--columns", columns)
    assert result.code == 2
    assert result.err.count("\n") == 1


def test_a_missing_column_is_refused_with_the_existing_ones(prepare) -> None:
    result = prepare(LOG, ITEMS, "--columns", "user=User-ID")
    assert result.code == 2
    assert "has no column 'User-ID' to be the user (found: user, item, timestamp)" in result.err
