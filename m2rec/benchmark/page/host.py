"""The server that is measured, started on a free port or already running on this machine, and its memory."""

import asyncio
import ipaddress
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import psutil

from m2rec.errors import InputError
from m2rec.paths import in_checkout

LONGEST_START = 180  # seconds before a start counts as failed
SAMPLE_SECONDS = 1.0  # between two readings of the memory
MIB = 2**20


@dataclass(frozen=True)
class Host:
    """A server that answers at `url`. `process` is None when it cannot be found."""

    url: str
    process: psutil.Process | None
    start_s: float | None = None  # from the command to the first answer, if it was started here

    def memory_mib(self) -> float | None:
        """Resident memory of the server and its child processes now, in MiB, or None without a process."""
        if self.process is None:
            return None
        total = 0
        with suppress(psutil.NoSuchProcess):
            for one in (self.process, *self.process.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    total += one.memory_info().rss
        return total / MIB


@dataclass(frozen=True)
class Memory:
    """Resident memory in a phase: means of its first and last fifth, peak, and relative growth (0.05 for 5 %)."""

    first_mib: float
    last_mib: float
    most_mib: float
    growth: float


async def watch(host: Host, seen: list[float]) -> None:
    """Append the memory in MiB to `seen` every second, until cancelled."""
    while True:
        now = host.memory_mib()
        if now:
            seen.append(now)
        await asyncio.sleep(SAMPLE_SECONDS)


def memory(seen: list[float]) -> Memory | None:
    """A summary of the samples in MiB, or None without samples."""
    if not seen:
        return None
    fifth = max(1, len(seen) // 5)
    first, last = sum(seen[:fifth]) / fifth, sum(seen[-fifth:]) / fifth
    return Memory(round(first, 1), round(last, 1), round(max(seen), 1), round(last / first - 1, 4))


def running_host(url: str) -> Host:
    """The server that already runs at `url`. Raises InputError unless it is on this machine."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not _loopback(parts.hostname or ""):
        raise InputError(f"{url} is not on this machine; give the address of a page on it, http://127.0.0.1:PORT.")
    return Host(url.rstrip("/"), _listening(parts.port or 80))


@contextmanager
def started_host() -> Iterator[Host]:
    """Start the page on a free port and stop it afterwards. Raises InputError when it does not start."""
    app = in_checkout("app.py")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
    with tempfile.TemporaryFile("w+") as said:
        began = time.monotonic()
        server = subprocess.Popen(
            [sys.executable, app], cwd=app.parent, env={**os.environ, **place}, stdout=said, stderr=subprocess.STDOUT
        )
        try:
            url = f"http://127.0.0.1:{port}"
            while not _answers(url):
                if server.poll() is not None or time.monotonic() - began > LONGEST_START:
                    said.seek(0)
                    last = said.read().strip().splitlines()[-1:] or ["nothing"]
                    raise InputError(f"The page did not start; its last line was: {last[0]}")
                time.sleep(0.02)
            yield Host(url, psutil.Process(server.pid), round(time.monotonic() - began, 2))
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/config", timeout=5).is_success
    except httpx.HTTPError:
        return False


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listening(port: int) -> psutil.Process | None:
    with suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return psutil.Process(connection.pid)
    return None
