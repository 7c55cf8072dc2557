"""The one error a user can cause: it says where the mistake is, what it is, and what is allowed."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input from the person at the keyboard; the command line prints it on one line and exits with code 2.

    Parameters
    ----------
    where: the file, option or configuration that is wrong.
    message: what is wrong and what is allowed.
    field: the field within `where` (a dotted path, a column, a key), if there is one.
    """

    def __init__(self, where: str, message: str, field: str | None = None) -> None:
        self.where = where
        self.field = field
        self.message = message
        place = where if field is None else f"{where}: {field}"
        super().__init__(" ".join(f"{place}: {message}".split()))

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str | None]]:
        """What it is made of: so it reaches the process that started the one where it was raised."""
        return type(self), (self.where, self.message, self.field)
