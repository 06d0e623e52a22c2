"""A cache of recent histories by their prefixes, so that a similar history is not read from the start."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from m2rec.inference.reading import Reading

MUTED = bytes | None  # which bands are muted, as bytes of the mask; None where none is


class PrefixCache:
    """Least-recently-used cache of readings, bounded in bytes. Safe to share between threads."""

    def __init__(self, most_bytes: int) -> None:
        """`most_bytes` of readings are cached; none with 0."""
        self.most_bytes = most_bytes
        self.nbytes = 0
        self._lock = Lock()
        self._kept: OrderedDict[int, tuple[tuple[int, ...], MUTED, Reading, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def longest(self, items: Sequence[int], muted: MUTED) -> Reading | None:
        """The reading of the longest prefix of `items` in the cache, or None."""
        if not self._kept:
            return None
        whole = tuple(items)
        keys = _keys(whole, muted)
        with self._lock:
            for length in range(len(whole), 0, -1):
                found = self._kept.get(keys[length - 1])
                # the key is a hash: the items are compared as well
                if found is not None and found[1] == muted and found[0] == whole[:length]:
                    self._kept.move_to_end(keys[length - 1])
                    return found[2]
        return None

    def keep(self, items: Sequence[int], muted: MUTED, readings: Sequence[Reading]) -> None:
        """Cache readings of prefixes of `items`, each as long as its gates, evicting the least recently used."""
        whole = tuple(items)
        keys = _keys(whole, muted)
        for reading in readings:
            prefix = whole[: len(reading.gates)]
            held = reading.state.nbytes + reading.position.nbytes + reading.gates.nbytes
            size = held + 8 * len(prefix) + 1024
            if size > self.most_bytes:
                continue
            key = keys[len(prefix) - 1]
            with self._lock:
                if key in self._kept:
                    self.nbytes -= self._kept.pop(key)[3]
                self._kept[key] = (prefix, muted, reading, size)
                self.nbytes += size
                while self.nbytes > self.most_bytes:
                    self.nbytes -= self._kept.popitem(last=False)[1][3]


def _keys(items: Sequence[int], muted: MUTED) -> list[int]:
    """A hash of each prefix of `items`."""
    keys, key = [], hash(muted)
    for item in items:
        key = hash((key, item))
        keys.append(key)
    return keys
