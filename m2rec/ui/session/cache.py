"""A cache of the newest results, which also keeps those of the warm-up permanently."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Generic, TypeVar

Result = TypeVar("Result")

_permanently: ContextVar[bool] = ContextVar("permanently", default=False)


@contextmanager
def permanently() -> Iterator[None]:
    """Results that this thread computes within are never dropped."""
    before = _permanently.set(True)
    try:
        yield
    finally:
        _permanently.reset(before)


class Cache(Generic[Result]):
    """A function of hashable arguments whose results are cached."""

    def __init__(self, compute: Callable[..., Result], newest: int) -> None:
        self._newest = lru_cache(maxsize=newest)(compute)
        self._permanent: dict[tuple[Hashable, ...], Result] = {}

    def __call__(self, *asked: Hashable) -> Result:
        """The result of `compute` for these arguments."""
        if asked in self._permanent:
            return self._permanent[asked]
        result = self._newest(*asked)
        if _permanently.get():
            self._permanent[asked] = result
        return result
