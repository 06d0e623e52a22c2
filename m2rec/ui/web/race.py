"""The race on the page, run one at a time: the view after each length that was timed."""

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
    """The function marked for the GPU that a ZeroGPU Space lends; unchanged where `spaces` is not installed.

    Spaces install that package and it has no effect on other hardware, so it is no requirement here.
    """
    try:
        import spaces
    except ImportError:
        return function
    marked: Callable[..., Any] = spaces.GPU(function)
    return marked


class Races:
    """Runs one race at a time, so that two do not slow each other down."""

    def __init__(self, laps: Callable[[Shape], Iterator[Lap]] | None = None) -> None:
        """`laps` times the models in the shape of a world; by default those of the speed benchmark, on the GPU where
        there is one.
        """
        self._laps = laps or on_gpu(_laps)
        self._running = threading.Lock()

    def run(self, shape: Shape) -> Iterator[dict[str, Any]]:
        """The views of the page, from the start to the last length; all models have the sizes of `shape`.

        InputError while another race is on.
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
