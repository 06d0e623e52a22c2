"""The page from its start to its end, as `python app.py` and `m2rec page` run it."""

import ctypes
import gc
import os
from contextlib import suppress
from pathlib import Path

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's mallopt


def run(checkpoints: Path) -> None:
    """Serve every world in a folder until the process is stopped. Raises CheckpointError when there is none to serve.

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
    gc.freeze()  # what is there now stays: going through it for garbage would cost a tenth of every answer
    running.block_thread()


def _set_up_process() -> None:
    """Environment variables that Gradio, NumPy and PyTorch read when imported."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "100"  # it tabulates its last calls at every call; 10,000 are slow
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # its own keeps what tables took while they were read, 50 MiB
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # an answer is small: more threads only wait
    with suppress(OSError, AttributeError):
        allocator = ctypes.CDLL(None)
        allocator.mallopt(M_ARENA_MAX, 2)  # a heap for each thread hardly returns memory; two suffice
        # arrays are taken and given back with every answer: fetching them from the system each time takes longer
        allocator.mallopt(M_MMAP_THRESHOLD, 4 << 20)
        allocator.mallopt(M_TRIM_THRESHOLD, 16 << 20)


def _return_memory() -> None:
    """What loading and warming up took and gave back goes to the system again, where glibc can be asked to."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
