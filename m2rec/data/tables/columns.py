"""Finds the columns of a table (user, item, time, …) by their usual names, or as the user names them.

Names are compared without case, blanks and punctuation, and without the types of RecBole's headers (`user_id:token`).
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Literal

from m2rec.errors import InputError
from m2rec.text_safety import quoted


def _names(written: str) -> tuple[str, ...]:
    return tuple(written.split())


# The usual names of each role, the likelier before the less likely.
INTERACTIONS: dict[str, tuple[str, ...]] = {
    "user": _names(
        "user userid uid customer customerid custid reviewer reviewerid userkey member memberid client clientid "
        "visitor visitorid buyer buyerid account accountid person personid listener reader readerid patron patronid "
        "borrower student studentid household householdkey profile profileid username profilename session sessionid"
    ),
    "item": _names(
        "item itemid parentasin asin product productid stockcode sku article articleid movie movieid film filmid book "
        "bookid isbn song songid track trackid artist artistid business businessid venue venueid game gameid appid "
        "news newsid course courseid content contentid recipe recipeid video videoid anime animeid iid mid productcode "
        "itemcode"
    ),
    "timestamp": _names(
        "timestamp time datetime date unixreviewtime unixtime unixtimestamp invoicedate orderdate eventtime reviewtime "
        "reviewdate transactiondate transactiontime purchasedate eventdate eventtimestamp createdat createdtime "
        "created tdat ratedat daterated watcheddate playedat loandate when day ts timestampms"
    ),
    "position": _names("position step ordernumber sequencenumber eventnumber"),
    "rating": _names("rating ratings score stars overall reviewscore reviewoverall userrating"),
}
ITEMS: dict[str, tuple[str, ...]] = {
    "item": (*INTERACTIONS["item"], "id", "code"),
    "title": _names(
        "title name itemname productname producttitle movietitle filmtitle booktitle itemtitle prodname trackname "
        "songname gamename coursename originaltitle label description itemdescription"
    ),
    "text": _names("text description overview plot summary abstract detaildesc about content"),
    "group": _names(
        "group category categories genre genres class department maincategory categoryname productgroupname brand type "
        "producttype section tags"
    ),
}
LISTS: dict[str, tuple[str, ...]] = {
    "title": (
        "title",
        "name",
        "item",
        "product",
        "film",
        "movie",
        "itemid",
        "id",
        "song",
        "track",
        "book",
        *ITEMS["title"],
    ),
    "year": ("year", "released", "releaseyear"),
    "date": INTERACTIONS["timestamp"],
    "user": INTERACTIONS["user"],
}
ROLES = {"interactions": (*INTERACTIONS, "title"), "items": tuple(ITEMS)}


def plain(name: str) -> str:
    """A column's name in the form that is compared: small letters and digits, without a RecBole type."""
    name = re.sub(r":(token|token_seq|float|float_seq)$", "", name.strip())
    return "".join(character for character in name.casefold() if character.isalnum())


def recognise(columns: Sequence[str], names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Role → column, for the roles whose usual names are among the columns; no column has two roles."""
    found: dict[str, str] = {}
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(plain(column), column)
    for role, usual in names.items():
        for name in usual:
            if name in by_name and by_name[name] not in found.values():
                found[role] = by_name[name]
                break
    return found


def order_role(columns: Mapping[str, str]) -> Literal["position", "timestamp"] | None:
    """The role that decides the order of a history, of role → column: a column that is called position, or the time,
    or a position by another name. None where there is neither.
    """
    if "position" in columns and (columns["position"] == "position" or "timestamp" not in columns):
        return "position"
    return "timestamp" if "timestamp" in columns else None


def nearest(role: str, columns: Sequence[str], names: Mapping[str, Sequence[str]]) -> str | None:
    """The column whose name is most similar to a usual one of the role."""
    by_name = {plain(column): column for column in columns}
    scored = [
        (difflib.SequenceMatcher(None, name, usual).ratio(), column)
        for name, column in by_name.items()
        for usual in names[role]
    ]
    score, column = max(scored, default=(0.0, ""))
    return column if score >= 0.7 else None


def parse_columns(options: Sequence[str], table: str) -> dict[str, str]:
    """`--columns user=CustomerID,item=StockCode` as role → column. Raises InputError."""
    chosen: dict[str, str] = {}
    for option in options:
        for part in re.split(r",(?=\s*\w+\s*=)", option):
            role, sign, column = (piece.strip() for piece in part.partition("="))
            if not sign or not column or role not in ROLES[table]:
                example = (
                    "user=CustomerID,item=StockCode,timestamp=InvoiceDate"
                    if table == "interactions"
                    else "item=asin,title=name"
                )
                raise InputError(
                    f"{quoted(part)} does not name a role and a column; write for instance "
                    f"{example} "
                    f"(roles: {', '.join(ROLES[table])})."
                )
            if chosen.get(role, column) != column:
                raise InputError(f"The {role} cannot be both {quoted(chosen[role])} and {quoted(column)}; give one.")
            chosen[role] = column
    return chosen
