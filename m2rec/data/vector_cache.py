"""A cache of text vectors on disk, so that no text is encoded twice on one machine."""

import hashlib
import logging
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np

log = logging.getLogger(__name__)


class VectorCache:
    """Vectors of one width in an SQLite file, by the SHA-256 of (encoder, text). A file that cannot be read or written
    is reported in the log and ignored, and a damaged one is made anew.
    """

    def __init__(self, path: Path, encoder: str, width: int) -> None:
        self.path, self.encoder, self.width = path, encoder, width

    def load(self, texts: Iterable[str]) -> dict[str, np.ndarray]:
        """The known ones among `texts`, each float32 (width,)."""
        if not self.path.is_file():
            return {}
        found = {}
        try:
            with closing(self._open()) as base:
                for text in texts:
                    row = base.execute("SELECT vector FROM vectors WHERE key = ?", (self._key(text),)).fetchone()
                    if row and len(row[0]) == 4 * self.width:
                        found[text] = np.frombuffer(row[0], dtype="<f4")
        except sqlite3.Error as error:
            self._pass_over(error)
            return {}
        return found

    def store(self, vectors: Mapping[str, np.ndarray]) -> None:
        """Keep these, all or none."""
        rows = [(self._key(text), vector.astype("<f4").tobytes()) for text, vector in vectors.items()]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._open()) as base, base:
                base.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")
                base.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
        except (sqlite3.Error, OSError) as error:
            self._pass_over(error)

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=30)

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self.encoder}\0{text}".encode()).digest()

    def _pass_over(self, error: Exception) -> None:
        log.warning("Text vectors could not be kept in %s (%s); they are computed instead.", self.path, error)
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            self.path.unlink(missing_ok=True)
