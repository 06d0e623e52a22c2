"""Run the page, for `python app.py` and `m2rec page`."""

import ctypes
import gc
import os
from contextlib import suppress
from pathlib import Path

# New objects between two garbage collections, which go through all cached answers: with Python's 700 they cost a
# twentieth of every click, and answers hold no cycles.
COLLECTED = 20_000
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's mallopt


def run(checkpoints: Path) -> None:
    """Serve all worlds of a folder until the process is stopped. Raises CheckpointError if there are none.

    The port is `GRADIO_SERVER_PORT`, or the first free one from 7860.
    """
    _set_up_process()
    from m2rec.ui.session.worlds import Worlds
    from m2rec.ui.web.app import build, start
    from m2rec.ui.web.warm_up import warm_up

    worlds = Worlds.find(checkpoints)
    running, _ = start(build(worlds))
    warm_up(worlds)
    gc.collect()
    _return_memory()
    gc.freeze()  # no garbage collection of what is loaded now: it would cost a tenth of every answer
    gc.set_threshold(COLLECTED)
    running.block_thread()


def _set_up_process() -> None:
    """Set environment variables that Gradio, NumPy and PyTorch read on import, and the memory allocator's limits."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "100"  # calls that it tabulates at every call; its 10,000 are slow
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # Arrow's own pool would keep 50 MiB after reading tables
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # answers are too small for several threads
    with suppress(OSError, AttributeError):
        allocator = ctypes.CDLL(None)
        allocator.mallopt(M_ARENA_MAX, 2)  # more heaps would hold more freed memory
        # keep freed arrays for the next answer: requesting them from the system each time is slower
        allocator.mallopt(M_MMAP_THRESHOLD, 4 << 20)
        allocator.mallopt(M_TRIM_THRESHOLD, 16 << 20)


def _return_memory() -> None:
    """Return memory that was freed after loading and warming up to the system, if the C library is glibc."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
