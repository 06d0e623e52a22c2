"""The one thing a ZeroGPU Space asks of a program: that functions which want its card are marked."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def gpu(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """`function`, run where the Space lends a GPU; unchanged wherever the package `spaces` is not installed.

    Spaces install that package themselves and it has no effect on other hardware, so it is no requirement here.
    """
    try:
        import spaces
    except ImportError:
        return function
    marked: Callable[Arguments, Result] = spaces.GPU(function)
    return marked
