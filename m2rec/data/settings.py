"""The [data] settings of a world."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from m2rec.data.tables.columns import ROLES
from m2rec.data.tables.times import DateOrder

Source = Literal["rhythm-market", "ml-1m", "ml-100k", "amazon-beauty", "online-retail", "tables"]
Share = Annotated[float, Field(gt=0, lt=0.5)]


class DataSettings(BaseModel):
    """Where the interactions come from, how they are filtered, and how they are split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Source
    interactions: Path | None = None  # for "tables": the file, of any kind that `read_table_file` takes
    items: Path | None = None  # for "tables"; without it the ids are the titles
    columns: dict[str, str] = {}  # role → name of a column of the interactions, where its name is not a usual one
    item_columns: dict[str, str] = {}  # the same for the items
    dates: DateOrder | None = None  # what 03/04/2025 means
    min_count: Annotated[int, Field(ge=0)] = 5  # k of the k-core; 0 keeps all, also items without any choice

    split: Literal["leave-one-out", "by-user", "global-temporal"] = "leave-one-out"
    validation_share: Share = 0.1  # of the users ("by-user") or of the events ("global-temporal")
    test_share: Share = 0.1
    first_target: Annotated[int, Field(ge=1)] = 28  # "by-user": position of a held-out user's first target
    split_seed: Annotated[int, Field(ge=0)] = 0  # "by-user": which users are held out

    @model_validator(mode="after")
    def _tables(self) -> "DataSettings":
        if (self.source == "tables") != (self.interactions is not None):
            raise ValueError('interactions names a file with source = "tables", and only then')
        if self.interactions is None and (self.items or self.columns or self.item_columns or self.dates):
            raise ValueError('items, columns and dates are for source = "tables"')
        for table, chosen in (("interactions", self.columns), ("items", self.item_columns)):
            if unknown := [role for role in chosen if role not in ROLES[table]]:
                raise ValueError(f"{unknown[0]} is no role of a column of the {table}: {', '.join(ROLES[table])}")
        return self

    @property
    def titles_may_ship(self) -> bool:
        """Whether a checkpoint may hold titles and texts: ours, under CC0, or of tables the user brought."""
        return self.source in ("rhythm-market", "online-retail", "tables")
