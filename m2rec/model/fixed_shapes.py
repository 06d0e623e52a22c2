"""Training steps whose shapes depend on the batch's shape alone, not on the values in it.

A shape that depends on values, such as the number of targets, makes the host wait for a GPU, and a CUDA graph cannot
have one. Inside `fixed_shapes()` the places where the models have such shapes use the largest possible shape and ignore
what is too much. Losses and gradients are the same up to rounding. On a CPU this only costs time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_FIXED: ContextVar[bool] = ContextVar("fixed_shapes", default=False)


@contextmanager
def fixed_shapes() -> Iterator[None]:
    """Inside, the models' training steps have fixed shapes and use no results that were kept from earlier calls."""
    token = _FIXED.set(True)
    try:
        yield
    finally:
        _FIXED.reset(token)


def shapes_are_fixed() -> bool:
    """Whether the caller runs inside `fixed_shapes()`."""
    return _FIXED.get()
