"""Models of other libraries that were trained on a world's data and graded by our metrics (`benchmarks/peers/`)."""

import json
from pathlib import Path
from typing import Any

from m2rec.errors import CheckpointError
from m2rec.evaluation.seen import SEEN


def peers(benchmarks: Path, world: str) -> list[dict[str, Any]]:
    """Their rows, as in a table of `m2rec benchmark`; none without a file. Raises CheckpointError if it is damaged."""
    path = benchmarks / "peers" / f"{world}.json"
    if not path.is_file():
        return []
    try:
        return [_row(one) for one in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(
            f"peers/{path.name} is not a readable table of graded lists; restore it or make it again."
        ) from error


def _row(one: dict[str, Any]) -> dict[str, Any]:
    row = {"model": one["model"], "seeds": [one["seed"]]}
    row |= {"hardware": [one["hardware"]], "dates": [one["date"]], "commands": [one["command"]]}
    for seen in SEEN:
        row[seen] = {metric: figure["value"] for metric, figure in one[seen].items()}
        row[f"{seen}_interval"] = {metric: [figure["low"], figure["high"]] for metric, figure in one[seen].items()}
    return row
