"""A cache of the newest few results, which keeps what was asked for before any visitor came for ever."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Generic, TypeVar

Result = TypeVar("Result")

_permanently: ContextVar[bool] = ContextVar("permanently", default=False)


@contextmanager
def permanently() -> Iterator[None]:
    """What this thread asks within is never dropped."""
    before = _permanently.set(True)
    try:
        yield
    finally:
        _permanently.reset(before)


class Cache(Generic[Result]):
    """A function of hashable arguments that is not asked the same thing twice."""

    def __init__(self, compute: Callable[..., Result], newest: int) -> None:
        self._newest = lru_cache(maxsize=newest)(compute)
        self._permanent: dict[tuple[Hashable, ...], Result] = {}

    def __call__(self, *asked: Hashable) -> Result:
        """What `compute` gives for these arguments."""
        if asked in self._permanent:
            return self._permanent[asked]
        result = self._newest(*asked)
        if _permanently.get():
            self._permanent[asked] = result
        return result
