"""Fetches a checkpoint's files, from a folder or the hub, and checks that they are what was saved."""

import difflib
import hashlib
from pathlib import Path
from typing import Any

from m2rec.data.tables.file_format import LFS_POINTER
from m2rec.errors import CheckpointError

FILES = ("config.json", "model.safetensors", "items.csv", "README.md")  # all that is fetched: never a pickle
TEXTS = (".csv", ".json", ".md")
HUB_OPTIONS = ("revision", "cache_dir", "token", "local_files_only")


def nearest_folder(path: Path) -> Path | None:
    """The folder beside a missing one whose name is most similar, if any is."""
    try:
        beside = [one.name for one in path.parent.iterdir() if one.is_dir()]
    except OSError:
        return None
    close = difflib.get_close_matches(path.name, beside, n=1)
    return path.parent / close[0] if close else None


def read_file(path: Path) -> bytes:
    """A checkpoint's file. Raises CheckpointError for what is missing, unreadable or a pointer of Git LFS."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing; a checkpoint folder must hold it.") from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error}).") from error
    if content.startswith(LFS_POINTER):
        raise CheckpointError(
            f"{path} is the pointer that Git LFS left in place of the file; run `git lfs install` and `git lfs pull`."
        )
    return content


def as_saved(path: Path, content: bytes, sha256: str | None) -> bytes:
    """The content that was saved, by its SHA-256. Raises CheckpointError where this is not it.

    Git for Windows changes the line ends of text files by default; that is undone.
    """
    ways = [content, content.replace(b"\r\n", b"\n")] if path.suffix in TEXTS else [content]
    for way in ways:
        if hashlib.sha256(way).hexdigest() == sha256:
            return way
    raise CheckpointError(f"{path} is not the file that config.json describes (its SHA-256 differs); fetch it again.")


def fetched(model_id: str, **options: Any) -> Path:
    """The folder with a model's files from the hub, by its id "owner/name". Raises CheckpointError with the cause."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.constants import is_offline_mode
    from huggingface_hub.errors import (
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    kept = {name: options[name] for name in HUB_OPTIONS if name in options}
    try:
        return Path(snapshot_download(model_id, allow_patterns=list(FILES), **kept))
    except HFValidationError as error:
        raise CheckpointError(f"{model_id} is neither a checkpoint folder nor the id of a model on the hub.") from error
    except RevisionNotFoundError as error:
        raise CheckpointError(f"{model_id} has no revision {kept.get('revision')!r} on the hub.") from error
    except RepositoryNotFoundError as error:
        raise CheckpointError(
            f"There is no checkpoint folder {model_id}, and no such model on the hub that you may read; check the "
            "name, or log in with `hf auth login` for a private one."
        ) from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        if is_offline_mode() or kept.get("local_files_only"):
            raise CheckpointError(
                f"There is no checkpoint folder {model_id}, offline mode is on (HF_HUB_OFFLINE), and "
                "its cache on this machine has no such model; unset HF_HUB_OFFLINE or fetch the model first."
            ) from error
        raise _unreachable(model_id, error) from error
    except Exception as error:  # requests, httpx, the file system: any other error: the hub could not be reached
        raise _unreachable(model_id, error) from error


def _unreachable(model_id: str, error: Exception) -> CheckpointError:
    cause = error.__cause__ or error
    return CheckpointError(
        f"There is no checkpoint folder {model_id}, and the hub could not be searched for a model of this name "
        f"({type(cause).__name__}); check the network and try again."
    )
