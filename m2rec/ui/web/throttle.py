"""The limit on concurrent computation, for the page's calls and the named endpoints alike.

An answer takes a few milliseconds of one core. Requests are served in order, `AT_ONCE` at a time; up to `WAITING` wait
for at most `LONGEST_WAIT` seconds. All others get a busy error at once and change nothing, which keeps the server
responsive under any load. A request that takes longer than `SLOW` seconds, such as the first item of a visitor's own
words, for which the text encoder is loaded, lets the next one begin beside it; `ASIDE` of them may do so at a time.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

from anyio.to_thread import run_sync

from m2rec.errors import M2RecError

# Two threads would take turns at Python's lock: under load, each answer then costs more processor time.
AT_ONCE: Final = 1
SLOW: Final = 0.25  # seconds
ASIDE: Final = 1
WAITING: Final = 128  # about a second of answers, so that several classes may click at the same time
LONGEST_WAIT: Final = 3.0  # seconds, after which visitors would click again
RETRY_AFTER: Final = 2  # seconds
BUSY: Final = "Many people are here right now and your click was not taken; nothing is lost, try again in a moment."

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class BusyError(M2RecError):
    """The request was refused because too many others are being served. It changed nothing."""

    def __init__(self) -> None:
        super().__init__(BUSY)


class Throttle:
    """Runs functions in worker threads in the order of their calls, a few at a time."""

    def __init__(
        self,
        at_once: int = AT_ONCE,
        waiting: int = WAITING,
        longest_wait: float = LONGEST_WAIT,
        slow: float = SLOW,
        aside: int = ASIDE,
    ) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._free_places = waiting
        self._longest_wait = longest_wait
        self._slow = slow
        self._free_aside = aside
        self._held = set[asyncio.Task[None]]()  # the loop itself keeps tasks by weak references only

    async def run(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """The result of `function`. Raises BusyError, without calling it, if too many wait or the wait is too long."""
        await self._take_turn()
        work = asyncio.create_task(run_sync(partial(function, *args, **kwargs)))
        # a task of its own: nothing stops a thread, so the turn ends with the work and not when the visitor leaves
        turn = asyncio.create_task(self._hold_turn(work))
        self._held.add(turn)
        turn.add_done_callback(self._held.discard)
        await asyncio.wait([work])
        return work.result()

    async def _hold_turn(self, work: "asyncio.Task[Any]") -> None:
        """Give the turn back when the work has ended or, if it is slow and there is a place aside, before."""
        await asyncio.wait([work], timeout=self._slow)
        aside = not work.done() and self._free_aside > 0
        if aside:
            self._free_aside -= 1
            self._turns.release()
            await asyncio.wait([work])
            self._free_aside += 1
        else:
            await asyncio.wait([work])
            self._turns.release()
        if not work.cancelled():
            work.exception()  # so that nothing is logged if nobody waits for it any more

    async def _take_turn(self) -> None:
        if not self._turns.locked():
            await self._turns.acquire()  # at once: the queue is empty
            return
        if self._free_places == 0:
            raise BusyError
        self._free_places -= 1
        try:
            async with asyncio.timeout(self._longest_wait):
                await self._turns.acquire()
        except TimeoutError:
            raise BusyError from None
        finally:
            self._free_places += 1
