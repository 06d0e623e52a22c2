"""Collects all problems of a table, so that they can be corrected at once."""

from collections.abc import Sequence

from m2rec.errors import DataError, TableError

ROWS_NAMED = 6  # rows of one kind that a message points at


class Problems:
    """One sentence per problem, in the order in which they were found."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, problem: DataError | str) -> None:
        """Add a problem, unless it is there."""
        sentences = problem.problems if isinstance(problem, TableError) else [str(problem)]
        self.found += [sentence for sentence in sentences if sentence not in self.found]

    def refuse(self) -> None:
        """Raise TableError with all of them, where there are any."""
        if self.found:
            raise TableError(self.found)


def counted(count: int, thing: str) -> str:
    """ "1 row" or "2,000 rows"."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def listed_rows(rows: Sequence[int]) -> str:
    """The first numbers of some rows: "2, 4, 9 …"."""
    return ", ".join(f"{row}" for row in rows[:ROWS_NAMED]) + (" …" if len(rows) > ROWS_NAMED else "")
