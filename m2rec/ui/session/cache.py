"""Results that are kept: the newest few, and for good those that were asked for before any visitor came."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Generic, TypeVar

Result = TypeVar("Result")

_for_good: ContextVar[bool] = ContextVar("for_good", default=False)


@contextmanager
def for_good() -> Iterator[None]:
    """What is asked within, by this thread, is never forgotten."""
    before = _for_good.set(True)
    try:
        yield
    finally:
        _for_good.reset(before)


class Kept(Generic[Result]):
    """A function of hashable arguments that is not asked the same thing twice."""

    def __init__(self, compute: Callable[..., Result], newest: int) -> None:
        self._newest = lru_cache(maxsize=newest)(compute)
        self._foreseen: dict[tuple[Hashable, ...], Result] = {}

    def __call__(self, *asked: Hashable) -> Result:
        """What `compute` gives for these arguments."""
        if asked in self._foreseen:
            return self._foreseen[asked]
        result = self._newest(*asked)
        if _for_good.get():
            self._foreseen[asked] = result
        return result
