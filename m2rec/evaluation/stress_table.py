"""The table of `market stress` as a file: what README and page show, and what a killed run goes on from."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from m2rec.atomic import atomic_file
from m2rec.errors import DataError, InputError
from m2rec.evaluation.market_report import PredictionGrades

FILE = "market-stress.json"  # the published one, in assets/benchmarks


class GradedRow(PredictionGrades):
    """A row with what the model reached there."""

    name: str
    settings: dict[str, Any] = Field(default_factory=dict)


class StressTable(BaseModel):
    """The rows graded so far, and what made them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    world: str
    weights: str  # SHA-256 of the checkpoint's model.safetensors
    customers: int  # of each market
    hardware: str
    date: str
    command: str
    revision: str
    rows: list[GradedRow] = []

    @property
    def tested(self) -> int:
        """The test customers of each market."""
        return self.customers // 10


def read_table(path: Path) -> StressTable:
    """What `write_table` wrote. Raises DataError when the file cannot be read or is no such table."""
    try:
        return StressTable.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(f"{path} is not a readable stress table; delete it, or give another file.") from error


def write_table(table: StressTable, path: Path) -> None:
    """Save as JSON, whole or not at all. Raises DataError when the disk does not take it."""
    try:
        with atomic_file(path) as temporary:
            temporary.write_text(table.model_dump_json(indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} could not be written ({error.strerror}); free some space and go on.") from error


def resumed_from(table: StressTable, path: Path) -> StressTable:
    """`table` with the rows that an earlier run left in `path`, if there are any.

    Raises InputError when they are about other weights or another number of customers.
    """
    if not path.is_file():
        return table
    found = read_table(path)
    if (found.weights, found.customers) != (table.weights, table.customers):
        raise InputError(f"{path} is about other weights or another number of customers; give --json another file.")
    return table.model_copy(update={"rows": found.rows})
