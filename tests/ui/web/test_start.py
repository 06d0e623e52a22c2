"""Modules of a running page: no PyTorch and no SciPy until they are needed."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.places import ROOT

# app.py unchanged, in a process that writes the names of its modules on SIGUSR1
SCRIPT = """
import runpy, signal, sys
from pathlib import Path
def write(*_):
    Path(sys.argv[1]).write_text("\\n".join(sorted(sys.modules)))
signal.signal(signal.SIGUSR1, write)
runpy.run_path("app.py", run_name="__main__")
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs signals, which this system has not")
def test_a_page_that_answers_has_imported_neither_pytorch_nor_scipy(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    listed = tmp_path / "modules.txt"
    env = os.environ | {"GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1"}
    server = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(listed)],
        cwd=ROOT,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        page = _page(server, f"http://127.0.0.1:{port}/")
        assert "Ground coffee" in page  # the answer to the first history is in it
        server.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + 60
        while not listed.exists() or not listed.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        modules = set(listed.read_text().split())
    finally:
        server.kill()
        server.wait()
    assert "m2rec.inference.engine" in modules
    assert not modules & {"torch", "scipy", "sentence_transformers", "plotly", "matplotlib"}


def _page(server: subprocess.Popen[bytes], url: str) -> str:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        assert server.poll() is None, server.stderr.read().decode() if server.stderr else ""
        try:
            return httpx.get(url, timeout=60).text
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError("the page did not start")
