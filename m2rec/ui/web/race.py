"""The race on the page: one at a time, with a new view after each timed length."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

from m2rec.benchmark.speed.race import SECONDS, Lap, race
from m2rec.benchmark.speed.shapes import Shape
from m2rec.errors import InputError
from m2rec.ui.render.race import shown

BUSY = f"Somebody on this server is racing right now; a race takes at most {SECONDS:.0f} seconds, so try again then."


def _laps(shape: Shape) -> Iterator[Lap]:
    yield from race(shape)


def on_gpu(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark the function to run on a ZeroGPU Space's GPU. Without the package `spaces` it is returned unchanged.

    Spaces install that package themselves, so it is not a requirement. It has no effect on other hardware.
    """
    try:
        import spaces
    except ImportError:
        return function
    marked: Callable[..., Any] = spaces.GPU(function)
    return marked


class Races:
    """Runs one race at a time: two would slow each other down."""

    def __init__(self, laps: Callable[[Shape], Iterator[Lap]] | None = None) -> None:
        """`laps` times the models for a shape; by default that of the speed benchmark, on the GPU if there is one."""
        self._laps = laps or on_gpu(_laps)
        self._running = threading.Lock()

    def run(self, shape: Shape) -> Iterator[dict[str, Any]]:
        """Yield the page's view at the start, after each length and at the end. All models have the sizes of `shape`.

        Raises InputError while another race is running.
        """
        if not self._running.acquire(blocking=False):
            raise InputError(BUSY)
        try:
            laps: list[Lap] = []
            yield shown(laps, running=True)
            for lap in self._laps(shape):
                laps.append(lap)
                yield shown(laps, running=True)
            yield shown(laps, running=False)
        finally:
            self._running.release()
