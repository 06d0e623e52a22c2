"""A progress bar for work that turns out to take longer than a second, and silence for work that does not."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

PATIENCE = 1.0  # seconds of silence before the bar appears


@contextmanager
def progress(
    description: str, total: float | None, *, completed: float = 0, in_bytes: bool = False
) -> Iterator[Callable[[float], None]]:
    """Yield `advance(amount)`; `total` None means that the end is not known. The bar goes to standard error.

    >>> with progress("Reading", total=3) as advance:
    ...     advance(3)
    """
    counter = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), counter, TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(description, total=total, completed=int(completed))
    began = time.monotonic()

    def advance(amount: float) -> None:
        bar.advance(task, amount)
        if not bar.live.is_started and time.monotonic() - began > PATIENCE:
            bar.start()

    try:
        yield advance
    finally:
        if bar.live.is_started:
            bar.stop()
