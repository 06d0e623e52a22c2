"""Downloads official archives: resumes, checks the MD5, and never leaves a partial file under the final name."""

import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from m2rec.data.cache import cache_dir
from m2rec.data.progress import progress
from m2rec.errors import DataError

TIMEOUT = 30.0  # seconds without a byte before the connection is retried
ATTEMPTS = 5
PAUSE = 1.0  # seconds before the second attempt, doubled before each further one
BLOCK = 1 << 16
NUMBER = "[0-9]{1,18}"  # of bytes, in a header


@dataclass(frozen=True)
class Archive:
    """A file that its publisher offers, known by its MD5."""

    name: str
    url: str
    md5: str
    largest: int  # bytes; a larger file is another one
    licence: str


ML_1M = Archive(
    name="ml-1m.zip",
    url="https://files.grouplens.org/datasets/movielens/ml-1m.zip",
    md5="c4d9eecfca2ab87c1945afe126590906",
    largest=16 << 20,
    licence=(
        "MovieLens 1M is offered by GroupLens for research: cite Harper and Konstan (2015), do not redistribute it, "
        "and ask GroupLens before any commercial use. The full terms are in the archive's README."
    ),
)
# GroupLens publishes its MD5. UCI publishes none; this one was recorded by independent users of the file.
ONLINE_RETAIL = Archive(
    name="online-retail.xlsx",
    url="https://archive.ics.uci.edu/ml/machine-learning-databases/00352/Online%20Retail.xlsx",
    md5="8f8e6d94ba88f976f4d8290cb2dea7fd",
    largest=64 << 20,
    licence=(
        "Online Retail is offered by the UCI Machine Learning Repository under CC BY 4.0, and under CC0 in the R "
        "package onlineretail: cite Chen, Sain and Guo (2012)."
    ),
)
ARCHIVES = {"ml-1m": ML_1M, "online-retail": ONLINE_RETAIL}


def archive_path(archive: Archive) -> Path:
    """The path of an archive; a file of this name is complete and checked."""
    return cache_dir() / "downloads" / archive.name


def download_data_set(name: str) -> Path:
    """Fetch a data set's file into the cache, unless it is there, and return its path; the licence is printed first.

    Raises DataError when the name is unknown or the archive cannot be downloaded.
    """
    if name not in ARCHIVES:
        raise DataError(f"There is no download named {name!r}; known: {', '.join(ARCHIVES)}.")
    Console(stderr=True).print(ARCHIVES[name].licence, highlight=False)
    return download(ARCHIVES[name])


def download(archive: Archive, *, timeout: float = TIMEOUT, pause: float = PAUSE) -> Path:
    """Fetch one archive into the cache and return its path.

    The received part has another name until its MD5 is right, and is continued (HTTP Range) after a stall, a broken
    connection or an interrupt, in this run or the next. A file with all its bytes and a wrong MD5 is deleted and
    fetched once more. Raises DataError when that fails too or the disk is full.
    """
    final = archive_path(archive)
    try:
        if not (final.is_file() and _md5(final) == archive.md5):
            part = final.with_name(final.name + ".part")
            part.parent.mkdir(parents=True, exist_ok=True)
            part.touch()
            _complete(archive, part, timeout, pause)
            os.replace(part, final)
    except OSError as error:
        raise DataError(
            f"{archive.name} could not be saved to {final.parent} ({error}); free some space or set M2REC_CACHE to a "
            "writable folder."
        ) from error
    except http.client.HTTPException as error:
        raise DataError(
            f"{archive.name} could not be downloaded from {archive.url} ({error}); try again later, or fetch it in a "
            f"browser and put it at {final}."
        ) from error
    return final


def _complete(archive: Archive, part: Path, timeout: float, pause: float) -> None:
    """Fetch until `part` has the right MD5. Raises HTTPException when the server does not deliver it."""
    wrong = 0
    for attempt in range(1, ATTEMPTS + 1):
        try:
            all_sent = _fetch(archive, part, timeout)
            trouble = http.client.HTTPException("the server ended the file early")
        except http.client.HTTPException as error:
            all_sent, trouble = False, error
        found = _md5(part)
        if found == archive.md5:
            return
        if all_sent:
            wrong += 1
            part.write_bytes(b"")
            trouble = http.client.HTTPException(f"its MD5 is {found}, expected {archive.md5}")
        if attempt == ATTEMPTS or wrong == 2 or isinstance(trouble, _Refused):
            raise trouble
        Console(stderr=True).print(f"{archive.name}: {trouble}; trying again.", highlight=False)
        time.sleep(pause * 2 ** (attempt - 1))


class _Refused(http.client.HTTPException):
    """An answer that a retry will not change."""


def _fetch(archive: Archive, part: Path, timeout: float) -> bool:
    """Append the missing bytes to `part`. True when the server says that it has sent all. Network errors are
    HTTPException, disk errors OSError.
    """
    have = part.stat().st_size
    request = urllib.request.Request(archive.url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return True  # there are no more bytes
        refused = error.code < 500 and error.code not in (408, 429)
        raise (_Refused if refused else http.client.HTTPException)(f"{error.code} {error.reason}") from error
    except (OSError, ValueError) as error:  # ValueError: a redirect to a malformed address
        raise http.client.HTTPException(_words(error)) from error
    with response, part.open("r+b") as file:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT or _range_start(response) != have:
            have = 0  # the server ignores the range and sends from the beginning
        file.truncate(have)
        file.seek(have)
        declared = re.fullmatch(NUMBER, response.headers.get("Content-Length", ""))
        total = have + int(declared[0]) if declared else None
        with progress(f"Downloading {archive.name}", total, completed=have, in_bytes=True) as advance:
            while block := _receive(response):
                have += len(block)
                if have > archive.largest:
                    raise _Refused(f"the server sends more than {archive.largest} bytes")
                file.write(block)
                advance(len(block))
        file.flush()
        os.fsync(file.fileno())
    return total is None or have == total


def _receive(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(BLOCK)
    except OSError as error:
        raise http.client.HTTPException(_words(error)) from error


def _words(error: Exception) -> str:
    return str(getattr(error, "reason", error)) or type(error).__name__


def _range_start(response: http.client.HTTPResponse) -> int | None:
    match = re.match(rf"bytes ({NUMBER})-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
