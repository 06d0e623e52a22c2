"""A progress bar for work that takes longer than a second."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

PATIENCE = 1.0  # seconds before the bar appears


@contextmanager
def progress(
    description: str, total: float | None, *, completed: float = 0, in_bytes: bool = False
) -> Iterator[Callable[[float], None]]:
    """Yield `advance(amount)`; `total` None means that the end is not known.

    The bar goes to standard error where that is a terminal; a log file gets none.

    >>> with progress("Reading", total=3) as advance:
    ...     advance(3)
    """
    counter = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), counter, TimeRemainingColumn())
    console = Console(stderr=True)
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task(description, total=total, completed=int(completed))
    appear = threading.Timer(PATIENCE, bar.start)  # by the clock: the first step may be the slow one
    if console.is_terminal:
        appear.start()
    try:
        yield lambda amount: bar.advance(task, amount)
    finally:
        appear.cancel()
        if appear.ident is not None:
            appear.join()
        if bar.live.is_started:
            bar.stop()
