"""A cache of recent histories by their prefixes, so that a similar history is not read from the start."""

from collections.abc import Sequence

from m2rec.inference.reading import Reading
from m2rec.inference.recent import Recent

MUTED = bytes | None  # which bands are muted, as bytes of the mask; None where none is


class PrefixCache:
    """Least-recently-used cache of readings, bounded in bytes. Safe to share between threads."""

    def __init__(self, most_bytes: int) -> None:
        """`most_bytes` of readings are cached; none with 0."""
        self._kept: Recent[tuple[tuple[int, ...], MUTED, Reading]] = Recent(most_bytes)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def nbytes(self) -> int:
        """Memory that the readings hold, in bytes, about."""
        return self._kept.nbytes

    def clear(self) -> None:
        """Drop all readings."""
        self._kept.clear()

    def longest(self, items: Sequence[int], muted: MUTED) -> Reading | None:
        """The reading of the longest prefix of `items` in the cache, or None."""
        if not self._kept:
            return None
        whole = tuple(items)
        keys = _keys(whole, muted)
        for length in range(len(whole), 0, -1):
            found = self._kept.get(keys[length - 1])
            # the key is a hash: the items are compared as well
            if found is not None and found[1] == muted and found[0] == whole[:length]:
                return found[2]
        return None

    def keep(self, items: Sequence[int], muted: MUTED, readings: Sequence[Reading]) -> None:
        """Cache readings of prefixes of `items`, each as long as its gates, evicting the least recently used."""
        whole = tuple(items)
        keys = _keys(whole, muted)
        for reading in readings:
            prefix = whole[: len(reading.gates)]
            held = reading.state.nbytes + reading.position.nbytes + reading.gates.nbytes
            self._kept.keep(keys[len(prefix) - 1], (prefix, muted, reading), held + 8 * len(prefix) + 1024)


def _keys(items: Sequence[int], muted: MUTED) -> list[int]:
    """A hash of each prefix of `items`."""
    keys, key = [], hash(muted)
    for item in items:
        key = hash((key, item))
        keys.append(key)
    return keys
