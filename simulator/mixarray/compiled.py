"""Functions compiled to machine code, kept between processes where there is a place to write to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """`function`, compiled at its first call; kept in the cache directory of numba if there is one to write to.

    That cache looks for changes in the function's own file only: a compiled function calls none of another file.
    """
    try:
        made = njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither beside the file nor in the user's cache can anything be written
        made = njit(nogil=True)(function)
    return cast(Function, made)
