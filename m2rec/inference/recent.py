"""A cache of what was used last, bounded in bytes."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Least-recently-used cache, bounded in bytes. Safe to share between threads."""

    def __init__(self, most_bytes: int) -> None:
        """`most_bytes` of values are cached; none with 0."""
        self.most_bytes = most_bytes
        self.nbytes = 0
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> Value | None:
        """The value of this key, which then counts as used, or None."""
        if key not in self._kept:  # without the lock: most keys that are asked for are not there
            return None
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def keep(self, key: Hashable, value: Value, size: int) -> None:
        """Cache a value of `size` bytes, evicting the least recently used; not one that is larger than the cache."""
        if size > self.most_bytes:
            return
        with self._lock:
            if key in self._kept:
                self.nbytes -= self._kept.pop(key)[1]
            self._kept[key] = value, size
            self.nbytes += size
            while self.nbytes > self.most_bytes:
                self.nbytes -= self._kept.popitem(last=False)[1][1]

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._kept.clear()
            self.nbytes = 0
