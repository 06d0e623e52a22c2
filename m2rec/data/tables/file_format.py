"""The format of a file by its first bytes, not its name: packed or not, text, Parquet, JSON, or no table."""

import bz2
import codecs
import gzip
import lzma
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from m2rec.errors import DataError
from m2rec.text_safety import LONGEST_QUOTE, printable

HEAD = 1 << 16  # bytes that are looked at
LARGEST = 16 << 30  # bytes of an unpacked file; an archive that unpacks to more is refused

GZIP, BZIP2, XZ, ZIP, PARQUET = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"PK\x03\x04", b"PAR1"
NO_TABLES = (
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of the old kind (.xls); save its sheet as CSV UTF-8"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"%PDF", "a PDF document; save the table as CSV"),
    (b"SQLite format 3", "a SQLite database; export the table as CSV"),
    (b"ARROW1", "an Arrow or Feather file; save it as Parquet"),
    (b"ORC", "an ORC file; save it as Parquet"),
    (b"\x89HDF", "an HDF5 file; save the table as Parquet"),
    (b"\x89PNG", "a picture; a table is needed"),
    (b"\x80\x04", "a Python pickle, which is never opened; save the table as CSV or Parquet"),
    (b"\x80\x05", "a Python pickle, which is never opened; save the table as CSV or Parquet"),
)
WORKBOOK = "xl/workbook.xml"  # a member of every Excel workbook, which is a zip archive
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class FileFormat:
    """How to read a file. `member` is the one of a zip archive; `encoding` is that of text."""

    path: Path
    packed: Literal["", "gzip", "bzip2", "xz", "zip"]
    holds: Literal["text", "JSON", "Parquet", "Excel"]
    encoding: str = "utf-8"
    member: str = ""

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The unpacked bytes. Raises DataError where they cannot be unpacked."""
        try:
            with _unpacking(self.path, self.packed, self.member) as file:
                yield file
        except (OSError, EOFError, zipfile.BadZipFile, lzma.LZMAError, RuntimeError, NotImplementedError) as error:
            how = f" as {self.packed}" if self.packed else ""
            raise DataError(f"{self.path} cannot be read{how} ({error}); copy or download it again.") from error

    def read(self) -> bytes:
        """All of it. Raises DataError where it unpacks to more than any table."""
        with self.open() as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise DataError(f"{self.path} unpacks to more than {LARGEST >> 30} GiB; give a smaller table, or Parquet.")
        return content


def file_format(path: Path) -> FileFormat:
    """The format by a file's first bytes. Raises DataError for a file that is no table, with its kind."""
    if not path.is_file():
        raise DataError(f"There is no file {path}; give the path of a table (.csv, .tsv, .jsonl, .parquet, also .gz).")
    packed, member = _packed(path)
    if member == WORKBOOK:
        return FileFormat(path, "", "Excel")
    plain = FileFormat(path, packed, "text", member=member)
    with plain.open() as file:
        head = file.read(HEAD)
    if head.startswith(PARQUET):
        return FileFormat(path, packed, "Parquet", member=member)
    problem = no_table(head)
    if problem:
        raise DataError(f"{path} is {problem}.")
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if head.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in head:
        raise DataError(f"{path} holds NUL bytes, so it is not text in UTF-8 (in UTF-16, perhaps?); save it as UTF-8.")
    json = head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"{", b"[")
    return FileFormat(path, packed, "JSON" if json else "text", encoding, member)


def no_table(head: bytes) -> str | None:
    """The kind of a file that is no table, and what to do; None where it may be one."""
    if head.startswith(LFS_POINTER):
        return "the pointer that Git LFS left in place of the file; run `git lfs pull`"
    start = head.lstrip()[:100].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "a web page or XML; a download may have ended in a login page, and a table is needed"
    return next((what for mark, what in NO_TABLES if head.startswith(mark)), None)


def packed_as(head: bytes) -> str | None:
    """The kind of archive that begins so, for text that is one."""
    kinds = {
        ZIP: "a zip archive or an Excel workbook",
        GZIP: "packed with gzip",
        b"\x1f?": "packed with gzip",  # where a browser read the bytes as text
        XZ: "packed with xz",
        PARQUET: "a Parquet file",
    }
    return next((what for mark, what in kinds.items() if head.startswith(mark)), None)


def _packed(path: Path) -> tuple[Literal["", "gzip", "bzip2", "xz", "zip"], str]:
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).") from error
    if head.startswith(ZIP):
        return "zip", _member(path)
    if head.startswith(GZIP):
        return "gzip", ""
    if head.startswith(BZIP2) and head[3:4].isdigit():
        return "bzip2", ""
    return ("xz", "") if head.startswith(XZ) else ("", "")


def _member(path: Path) -> str:
    """The one table in a zip archive, or WORKBOOK for an Excel workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a readable spreadsheet or zip archive ({error}); download it again.") from error
    if WORKBOOK in names:
        return WORKBOOK
    if "mimetype" in names and "content.xml" in names:
        raise DataError(f"{path} is an OpenDocument file; save its sheet as CSV in UTF-8, and give that.")
    names = [name for name in names if not name.startswith("__MACOSX/") and not Path(name).name.startswith(".")]
    if len(names) != 1:
        listed = ", ".join(printable(name, LONGEST_QUOTE) for name in names[:5])
        raise DataError(f"{path} is a zip archive of {len(names)} files ({listed}); unpack it and give one of them.")
    return names[0]


@contextmanager
def _unpacking(path: Path, packed: str, member: str) -> Iterator[IO[bytes]]:
    if packed == "zip":
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            yield file
        return
    opener = {"": open, "gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}[packed]
    with opener(path, "rb") as file:  # type: ignore[operator]
        yield file
