"""A progress bar on a terminal, and silence everywhere else (pipes, files, --quiet)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[int, int], None]
"""Called with (done, total)."""


@contextmanager
def progress_bar(
    label: str, quiet: bool = False, total: int | None = None, counted: str | None = None
) -> Iterator[Report]:
    """Yield a function that is told (done, total); the bar lives on stderr and disappears when done.

    total: how much there is to do, where that is known before the first report. counted: what is counted, in the
    plural; its rate is shown too.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        *([TextColumn("{task.fields[rate]}")] if counted else []),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total, rate="")

        def report(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of, rate=f"{rate_text(bar.tasks[0].speed or 0)} {counted}/s")

        yield report


def rate_text(per_second: float) -> str:
    """A rate in whole numbers, or with two digits where it is small."""
    return f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.2g}"
