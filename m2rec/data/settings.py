"""What a world's settings file may choose under [data]."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Source = Literal["rhythm-market", "ml-1m", "ml-100k", "amazon-beauty", "online-retail", "tables"]
Share = Annotated[float, Field(gt=0, lt=0.5)]


class DataSettings(BaseModel):
    """Where the interactions come from, how they are filtered, and how they are split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Source
    interactions: Path | None = None  # for "tables": a .csv or .parquet file
    items: Path | None = None  # for "tables"
    min_count: Annotated[int, Field(ge=0)] = 5  # k of the k-core; 0 keeps all, also items that nobody has chosen yet

    split: Literal["leave-one-out", "by-user", "global-temporal"] = "leave-one-out"
    validation_share: Share = 0.1  # of the users ("by-user") or of the events ("global-temporal")
    test_share: Share = 0.1
    first_target: Annotated[int, Field(ge=1)] = 28  # "by-user": position of a held-out user's first target
    split_seed: Annotated[int, Field(ge=0)] = 0  # "by-user": which users are held out

    @model_validator(mode="after")
    def _tables(self) -> "DataSettings":
        given = [self.interactions is not None, self.items is not None]
        if (self.source == "tables") != all(given) or any(given) != all(given):
            raise ValueError('interactions and items name two files with source = "tables", and neither without it')
        return self

    @property
    def titles_may_ship(self) -> bool:
        """Whether a checkpoint may hold titles and texts: ours, under CC0, or of tables the user brought."""
        return self.source in ("rhythm-market", "online-retail", "tables")
