"""Errors meant for the person at the keyboard: one sentence, what is wrong and what would be right."""

from collections.abc import Sequence

from m2rec.text_safety import sentence


class M2RecError(Exception):
    """Base of every error that the command line, the page and the endpoints show as it is.

    Quotes from a file or a request are made printable, so that they cannot hide or reorder the rest.
    """

    def __init__(self, what: object) -> None:
        super().__init__(sentence(str(what)))


class DataError(M2RecError):
    """A table, an archive or a prepared folder that cannot be used; names the file and, where there is one, the row."""


class TableError(DataError):
    """All problems of the tables that were given, one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = [sentence(problem) for problem in problems]


class CheckpointError(M2RecError):
    """A checkpoint that is missing, damaged or does not fit its own configuration."""


class InputError(M2RecError):
    """A request that cannot be answered: unknown item, k out of range, non-finite number, malformed link."""


class NotFiniteError(M2RecError):
    """A model whose loss, weights or scores are not finite numbers."""
