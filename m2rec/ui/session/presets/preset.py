"""A named history to start from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """`about` says what the history shows; `days` are the dates of its interactions, where it has a clock."""

    key: str
    title: str
    about: str
    history: tuple[str, ...]
    days: tuple[int | None, ...] = ()
