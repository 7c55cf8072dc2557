"""Functions compiled to machine code, kept between processes where there is a place to write to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """`function`, compiled at its first call; kept in the cache directory of numba if there is one to write to.

    That cache looks for changes in the function's own file only. A file with compiled functions that need functions or
    numbers of other files therefore states what these files are, in `COMPILED_WITH` (path in this package to digest,
    `file_digest`): whoever changes one of them has to change it there too. A test holds the digests.
    """
    try:
        made = njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither beside the file nor in the user's cache can anything be written
        made = njit(nogil=True)(function)
    return cast(Function, made)


def compiled_inline(function: Function) -> Function:
    """A helper of compiled functions, compiled into each place that calls it.

    A call hands over every array of its tables: this way a run is shorter by a third, and compiling takes half as long.
    In the loops that run most, arrays are taken out of their tables beforehand: where a loop writes, every access to a
    table counts references, which takes ten times as long as all the rest.
    """
    return cast(Function, njit(nogil=True, inline="always")(function))


def file_digest(path: Path) -> str:
    """The digest of a source file that `COMPILED_WITH` states."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
