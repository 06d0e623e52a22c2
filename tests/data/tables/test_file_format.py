import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pytest

from m2rec.data.tables.file_format import file_format
from m2rec.errors import DataError

TABLE = b"user,item,timestamp\nx,a,1\n"


def zipped(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "packed"),
    [
        (TABLE, ""),
        (gzip.compress(TABLE), "gzip"),
        (bz2.compress(TABLE), "bzip2"),
        (lzma.compress(TABLE), "xz"),
        (zipped(log=TABLE), "zip"),
        (zipped(log=TABLE, **{"__MACOSX/log": b"x"}), "zip"),
    ],
    ids=["plain", "gzip", "bzip2", "xz", "zip", "zip from a Mac"],
)
@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "log"])
def test_the_bytes_say_how_a_file_is_packed_and_the_name_does_not(
    write, name: str, content: bytes, packed: str
) -> None:
    found = file_format(write(name, content))
    assert (found.packed, found.holds) == (packed, "text")
    assert found.read() == TABLE


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (zipped(mimetype=b"", **{"content.xml": b""}), "an OpenDocument file"),
        (zipped(a=TABLE, b=TABLE), "a zip archive of 2 files"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook of the old kind"),
        (b"\x28\xb5\x2f\xfd\x00", "packed with zstd"),
        (b"%PDF-1.7", "a PDF document"),
        (b"SQLite format 3\0", "a SQLite database"),
        (b"\x80\x04\x95", "a Python pickle, which is never opened"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "git lfs pull"),
        (b"user\0,\0", "holds NUL bytes"),
        (b"PK\x03\x04cut", "not a readable spreadsheet or zip archive"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_table_is_named_for_what_it_is(write, content: bytes, what: str) -> None:
    with pytest.raises(DataError, match=what) as caught:
        file_format(write("log.csv", content))
    assert "log.csv" in str(caught.value)


def test_a_packed_file_that_was_cut_off_is_an_error_of_one_sentence(write) -> None:
    with pytest.raises(DataError, match=r"log\.csv cannot be read as gzip"):
        file_format(write("log.csv", gzip.compress(TABLE * 99)[:-12])).read()


@pytest.mark.parametrize("path", ["absent.csv", "."])
def test_what_is_no_file_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(DataError, match="There is no file"):
        file_format(tmp_path / path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_says_the_encoding(write, encoding: str) -> None:
    found = file_format(write("log.csv", TABLE.decode().encode(encoding)))
    assert found.read().decode(found.encoding) == TABLE.decode()
