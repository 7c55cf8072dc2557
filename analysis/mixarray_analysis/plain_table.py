"""A table of plain text for rich: it takes cells literally and keeps every column at every width."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from mixarray_analysis.printable import printable

WIDE_GAP, NARROW_GAP = 2, 1
"""Blanks between columns."""
FOLDED_WIDTH = 12
"""Where room is short, the column that folds keeps this much of its text on a line."""


@dataclass(frozen=True, slots=True)
class PlainTable:
    """Headings and rows of text. Where it is too wide, columns move closer, headings wrap and one column's cells fold.

    folds: the column whose cells fold. left: the columns that stand to the left; numbers stand to the right.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str | None
    folds: int
    left: Collection[int]

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """The narrowest and the widest form; neither depends on the console."""
        return Measurement(_total(self._narrowest(), NARROW_GAP), _total(self._widest(), WIDE_GAP))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The widest form that fits; the narrowest where none does."""
        widths = self._widest()
        if _total(widths, WIDE_GAP) <= options.max_width:
            yield self._table(widths, WIDE_GAP)
            return
        unfolded, widths = widths[self.folds], self._narrowest()
        spare = max(0, options.max_width - _total(widths, NARROW_GAP))
        widths[self.folds] = min(widths[self.folds] + spare, unfolded)
        yield self._table(widths, NARROW_GAP)

    def _widest(self) -> list[int]:
        cells = self._cells()
        return [max(cell, cell_len(heading)) for cell, heading in zip(cells, self.headings, strict=True)]

    def _narrowest(self) -> list[int]:
        cells = self._cells()
        cells[self.folds] = min(cells[self.folds], FOLDED_WIDTH)
        words = [max(map(cell_len, heading.split()), default=0) for heading in self.headings]
        return [max(pair) for pair in zip(cells, words, strict=True)]

    def _cells(self) -> list[int]:
        """The widest cell of every column."""
        columns = range(len(self.headings))
        return [max((cell_len(printable(row[column])) for row in self.rows), default=0) for column in columns]

    def _table(self, widths: Sequence[int], gap: int) -> Table:
        title = None if self.title is None else Text(printable(self.title), style="bold")
        table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), title=title, title_justify="left")
        for number, (heading, width) in enumerate(zip(self.headings, widths, strict=True)):
            side: JustifyMethod = "left" if number in self.left else "right"
            table.add_column(Text(heading), justify=side, width=width, overflow="fold")
        for row in self.rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        return table


def _total(widths: Sequence[int], gap: int) -> int:
    return sum(widths) + gap * (len(widths) - 1)
