"""What of the table Online Retail is a choice of a customer, in which order, and under which name."""

import io

import pandas as pd
import pytest

from m2rec.data.cache import cache_dir
from m2rec.data.kcore import k_core
from m2rec.data.prepare import prepare
from m2rec.data.settings import DataSettings
from m2rec.data.sources.online_retail import read_csv, read_parquet, read_sheet
from m2rec.data.sources.product_names import spelled
from m2rec.data.sources.registry import load_dataset, split_rule
from m2rec.errors import DataError

TABLE = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom
536365,22752,SET 7 BABUSHKA NESTING BOXES,2,2010-12-01 08:26:00,7.65,17850,United Kingdom
536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,1,2010-12-01 08:26:00,2.55,17850,United Kingdom
536365,21730,GLASS STAR FROSTED T-LIGHT HOLDER,6,2010-12-01 08:27:00,4.25,17850,United Kingdom
536365,POST,POSTAGE,1,2010-12-01 08:26:00,18.00,17850,United Kingdom
536365,23444,Next Day Carriage,1,2010-12-01 08:26:00,15.00,17850,United Kingdom
C536379,22752,SET 7 BABUSHKA NESTING BOXES,-1,2010-12-02 09:41:00,7.65,17850,United Kingdom
536380,22752,SET 7 BABUSHKA NESTING BOXES,2,2010-12-03 10:00:00,7.65,,United Kingdom
536390,22752,SET OF 7 BABUSHKA BOXES,2,2010-12-03 10:00:00,7.65,13047,France
536391,22752,SET 7 BABUSHKA NESTING BOXES,2,2010-12-05 10:00:00,7.65,17850,United Kingdom
536391,85123A,WHITE HANGING HEART T-LIGHT HOLDER,2,2010-12-05 10:00:00,2.55,17850,United Kingdom
"""
CHOICES = [
    ("17850", "85123A"),
    ("17850", "22752"),
    ("17850", "21730"),
    ("17850", "22752"),
    ("17850", "85123A"),
    ("13047", "22752"),
]


def as_parquet(folder):
    frame = pd.read_csv(io.StringIO(TABLE), dtype={"InvoiceNo": str, "StockCode": str})
    frame["CustomerID"] = frame["CustomerID"].astype("Int64")
    frame["InvoiceDate"] = pd.to_datetime(frame["InvoiceDate"])
    frame.to_parquet(folder / "online-retail.parquet")
    return read_parquet(folder)


def as_csv(folder):
    (folder / "online-retail.csv").write_text(TABLE, encoding="utf-8")
    return read_csv(folder)


def as_sheet(folder):
    pytest.importorskip("openpyxl", reason="needs openpyxl: see requirements.txt")
    frame = pd.read_csv(io.StringIO(TABLE), parse_dates=["InvoiceDate"])
    frame.to_excel(folder / "online-retail.xlsx", index=False)
    return read_sheet(folder / "online-retail.xlsx")


@pytest.fixture(params=[as_parquet, as_csv, as_sheet], ids=["parquet", "csv", "xlsx"])
def dataset(request, tmp_path):
    return request.param(tmp_path)


def test_only_what_a_known_customer_bought_is_a_choice_and_once_an_order(dataset):
    found = dataset.interactions
    assert list(zip(found["user"], found["item"], strict=True)) == CHOICES
    assert dataset.items["item"].tolist() == ["21730", "22752", "85123A"]


def test_lines_of_an_order_keep_the_order_of_the_table_and_share_its_first_minute(dataset):
    theirs = dataset.interactions[dataset.interactions["user"] == "17850"]
    assert theirs["position"].tolist() == [0, 1, 2, 3, 4]
    assert theirs["timestamp"].nunique() == 2
    assert theirs["timestamp"].iloc[0] == pd.Timestamp("2010-12-01 08:26", tz="UTC").timestamp()


def test_a_code_has_its_most_frequent_name_as_people_spell_it(dataset):
    titles = dataset.items.set_index("item")["title"]
    assert titles["22752"] == "Set 7 babushka nesting boxes"
    assert titles["85123A"] == "White hanging heart t-light holder"
    assert dataset.items["text"].tolist() == dataset.items["title"].tolist()


@pytest.mark.parametrize(
    ("printed", "meant"),
    [
        ("RED WOOLLY HOTTIE WHITE HEART.", "Red woolly hottie white heart"),
        ("FLOWER FAIRY,5 SUMMER B'DRAW LINERS", "Flower fairy,5 summer b'draw liners"),
        ("FOLK ART GREETING CARD,pack/12", "Folk art greeting card, pack/12"),
        ("POPPY'S PLAYHOUSE BEDROOM", "Poppy's playhouse bedroom"),
        ("HAND WARMER UNION JACK", "Hand warmer Union Jack"),
        ("I'M ON HOLIDAY METAL SIGN", "I'm on holiday metal sign"),
        ("THE KING GIFT BAG 25x24x12cm", "The king gift bag 25x24x12cm"),
        ("12 PENCILS TALL TUBE SKULLS", "12 pencils tall tube skulls"),
        ("", ""),
    ],
)
def test_names_in_capitals_are_spelled_as_in_a_sentence(printed, meant):
    assert spelled(printed) == meant


def test_both_splits_hold_for_it(dataset, encoder):
    last = prepare(dataset, split_rule(DataSettings(source="online-retail")), encoder)
    assert last.split.targets("test")[1].tolist() == [4]
    by_time = DataSettings(source="online-retail", split="global-temporal", validation_share=0.2, test_share=0.3)
    assert prepare(dataset, split_rule(by_time), encoder).split.targets("test")[1].tolist() == [3, 4]


def test_another_table_is_refused(tmp_path):
    (tmp_path / "online-retail.csv").write_text("user,item\na,b\n")
    with pytest.raises(DataError, match="InvoiceNo"):
        read_csv(tmp_path)
    (tmp_path / "online-retail.csv").write_text("\n".join([TABLE.splitlines()[0], *TABLE.splitlines()[5:9]]))
    with pytest.raises(DataError, match="no order of a known customer"):
        read_csv(tmp_path)


def test_a_spreadsheet_that_is_none_is_refused(tmp_path):
    pytest.importorskip("openpyxl", reason="needs openpyxl: see requirements.txt")
    (tmp_path / "online-retail.xlsx").write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(DataError, match="not a readable spreadsheet"):
        read_sheet(tmp_path / "online-retail.xlsx")


def test_the_download_and_the_folder_are_found(tmp_path, monkeypatch):
    pytest.importorskip("openpyxl", reason="needs openpyxl: see requirements.txt")
    monkeypatch.delenv("M2REC_DATA", raising=False)
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path / "cache"))
    everything = DataSettings(source="online-retail", min_count=0)
    with pytest.raises(DataError, match="data download online-retail"):
        load_dataset(everything)
    (cache_dir() / "downloads").mkdir(parents=True)
    as_sheet(cache_dir() / "downloads")
    assert len(load_dataset(everything, "gift-shop").interactions) == len(CHOICES)
    (tmp_path / "online-retail").mkdir()
    as_csv(tmp_path / "online-retail")
    monkeypatch.setenv("M2REC_DATA", str(tmp_path))
    assert load_dataset(everything, "gift-shop").name == "gift-shop"


def test_the_real_table_has_the_counts_that_the_reader_promises(real_data):
    dataset = read_parquet(real_data / "online-retail")
    assert len(dataset.interactions) == 386_272
    assert dataset.interactions["user"].nunique() == 4_335
    assert len(dataset.items) == 3_657
    core = k_core(dataset, 5)
    assert (len(core.interactions), core.interactions["user"].nunique(), len(core.items)) == (384_700, 4_104, 3_178)
