"""Starts the page: `python app.py`. The port is `GRADIO_SERVER_PORT`, or the first free one from 7860."""

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

# read when gradio is imported, or when it starts
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "100"  # it tabulates its last calls at every call; 10,000 would be slow
# read when NumPy or PyTorch is imported; an answer is small, and more threads only wait for one another
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
with suppress(OSError, AttributeError):
    allocator = ctypes.CDLL(None)
    allocator.mallopt(-8, 2)  # M_ARENA_MAX: a heap for each thread hardly gives any back, two will do
    # some megabytes are taken and given back with every answer: to fetch them from the system each time costs a third
    allocator.mallopt(-3, 16 << 20)  # M_MMAP_THRESHOLD
    allocator.mallopt(-1, 64 << 20)  # M_TRIM_THRESHOLD

from m2rec.errors import M2RecError
from m2rec.ui.session.worlds import Worlds
from m2rec.ui.web.app import build, start
from m2rec.ui.web.warm_up import foresee

try:
    worlds = Worlds.find(Path(__file__).parent / "checkpoints")
    server = build(worlds)
except M2RecError as error:
    sys.exit(f"M2Rec cannot start. {error}")

if __name__ == "__main__":
    running, _ = start(server)
    foresee(worlds)
    running.block_thread()
