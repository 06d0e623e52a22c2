"""`peers/<world>.json`: models of other projects, trained or ranked by scripts in assets/ and graded by our metrics."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from m2rec.errors import DataError
from m2rec.evaluation.report import Figure
from m2rec.evaluation.seen import Seen


class Peer(BaseModel):
    """One model: how it was trained, and its figures on the test targets by metric."""

    model_config = ConfigDict(frozen=True)

    model: str
    made: str = "its authors' code, trained and ranked"  # how, before "by `command`"
    seed: int
    settings: dict[str, Any] = {}
    epochs: int
    best_epoch: int
    hardware: str
    date: str
    command: str
    targets: int
    unmasked: dict[str, Figure]
    masked: dict[str, Figure]
    ranks: str = ""  # the file in `peers/` with the rank of every target, if it is kept
    key: str = ""  # of those ranks

    def figures(self, seen: Seen) -> dict[str, Figure]:
        """With items of the history left in or taken out."""
        return self.unmasked if seen == "unmasked" else self.masked


def read_peers(benchmarks: Path, world: str) -> list[Peer]:
    """The models compared with a world's; none without a file. Raises DataError if it is damaged."""
    path = benchmarks / "peers" / f"{world}.json"
    if not path.is_file():
        return []
    try:
        return TypeAdapter(list[Peer]).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(
            f"peers/{path.name} is not a readable table of graded lists; restore it or make it again."
        ) from error
