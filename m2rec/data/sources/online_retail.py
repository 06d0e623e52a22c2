"""Online Retail: a year of a British online gift shop, every line of every order (UCI repository, data set 352).

Daqing Chen, Sai Laing Sain and Kun Guo. 2012. Data mining for the online retail industry: A case study of RFM
model-based customer segmentation using data mining. Journal of Database Marketing and Customer Strategy Management 19,
3, 197–208. Published under CC0 in the R package `onlineretail` with the donor's permission, so names may be shown.

Kept are lines of orders that were not cancelled (no C before the number), of a known customer, for a product: its code
begins with five digits and its name is in capitals, as POST, BANK CHARGES and 23444 "Next Day Carriage" are not.

Lines of one order have one time. They keep the order of the table, which is informative:
44.8 % of neighbours within an order share a word of their names, against 17.1 % when each order is shuffled, and they
are not sorted by code (51.8 % rise). It is the closest that the table has to the order of choices.
A product that is listed twice in an order was chosen once: the first line counts.
"""

from pathlib import Path

import pandas as pd

from m2rec.data.dataset import Dataset, chronological
from m2rec.data.sources.product_names import spelled
from m2rec.data.tables.cells import text, unix_seconds
from m2rec.data.tables.problems import Problems
from m2rec.data.tables.read import read_table_file
from m2rec.data.tables.table_file import TableFile
from m2rec.errors import DataError

NAME = "online-retail"
COLUMNS = {
    "order": "InvoiceNo",
    "item": "StockCode",
    "name": "Description",
    "timestamp": "InvoiceDate",
    "user": "CustomerID",
}
PRODUCT = r"\d{5}"  # how the code of a product begins
IN_CAPITALS = r"[A-Z]{3}"  # in the name of every product and of no service


def read_parquet(folder: Path) -> Dataset:
    """The table as `online-retail.parquet` in a folder: 386,272 choices of 4,335 customers among 3,657 products."""
    return _dataset(read_table_file(folder / "online-retail.parquet", {}, COLUMNS))


def read_csv(folder: Path) -> Dataset:
    """The same table as `online-retail.csv`."""
    return _dataset(read_table_file(folder / "online-retail.csv", {}, COLUMNS))


def read_sheet(path: Path) -> Dataset:
    """The publisher's own spreadsheet. Reading it takes a minute."""
    return _dataset(read_table_file(path, {}, COLUMNS))


def _dataset(table: TableFile) -> Dataset:
    problems = Problems()
    seconds = unix_seconds(table, "timestamp", problems, blank_allowed=False)
    problems.refuse()
    lines = pd.DataFrame({role: text(table, role) for role in COLUMNS if role != "timestamp"})
    lines["timestamp"] = seconds.astype("int64")
    bought = ~lines["order"].str.upper().str.startswith("C") & (lines["user"] != "")
    product = lines["item"].str.match(PRODUCT) & lines["name"].str.contains(IN_CAPITALS)
    chosen = lines[bought & product].drop_duplicates(["order", "item"])
    if chosen.empty:
        raise DataError(f"{table.path} holds no order of a known customer; it is not the table Online Retail.")
    moment = chosen.groupby("order")["timestamp"].transform("min")  # the lines of some orders span two minutes
    chosen = chosen.assign(timestamp=moment)
    interactions = chronological(chosen[["user", "item", "timestamp", "order"]], moment.to_numpy())
    return Dataset(NAME, interactions.drop(columns="order"), _items(lines[bought & product]))


def _items(lines: pd.DataFrame) -> pd.DataFrame:
    """One row a code, with the name it has most often; of two equally frequent ones the first in the alphabet."""
    counted = lines.groupby(["item", "name"]).size().rename("count").reset_index()
    best = counted.sort_values(["item", "count", "name"], ascending=[True, False, True]).drop_duplicates("item")
    titles = best["name"].map(spelled)
    return pd.DataFrame({"item": best["item"], "title": titles, "text": titles, "group": ""}).reset_index(drop=True)
