"""Errors of floors that do not know the command line, told as the user's mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mixarray.errors import InputError


@contextmanager
def users_mistake(where: str) -> Iterator[None]:
    """Turn a ValueError or OSError of what is opened or loaded inside into an InputError at `where`.

    Only opening and loading belong inside: a ValueError of anything else is our mistake, and has its traceback.
    """
    try:
        yield
    except InputError:
        raise
    except (ValueError, OSError) as error:
        raise InputError(where, str(error).removeprefix(f"{where}: ")) from error
