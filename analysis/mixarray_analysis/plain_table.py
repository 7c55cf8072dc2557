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
    """Headings and rows of text. Where it is too wide, columns move closer, headings wrap and the cells of some fold.

    folds: the columns whose cells fold. left: the columns that stand to the left; numbers stand to the right.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str | None
    folds: Collection[int]
    left: Collection[int]

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """The narrowest and the widest form; neither depends on the console's width."""
        cells = self._cells(options.encoding)
        return Measurement(_total(self._narrowest(cells), NARROW_GAP), _total(self._widest(cells), WIDE_GAP))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The widest form that fits; the narrowest where none does."""
        cells = self._cells(options.encoding)
        widths, gap = self._widest(cells), WIDE_GAP
        if _total(widths, gap) > options.max_width:
            gap = NARROW_GAP
            widths = self._shared_out(self._narrowest(cells), widths, options.max_width)
        yield self._table(widths, gap, options.encoding)

    def _widest(self, cells: Sequence[int]) -> list[int]:
        return [max(cell, cell_len(heading)) for cell, heading in zip(cells, self.headings, strict=True)]

    def _narrowest(self, cells: Sequence[int]) -> list[int]:
        words = [max(map(cell_len, heading.split()), default=0) for heading in self.headings]
        folded = [min(cell, FOLDED_WIDTH) if column in self.folds else cell for column, cell in enumerate(cells)]
        return [max(pair) for pair in zip(folded, words, strict=True)]

    def _shared_out(self, narrowest: Sequence[int], widest: Sequence[int], max_width: int) -> list[int]:
        """The narrowest widths, and what is spare given to the columns that fold: each time to the one cut most."""
        widths, columns = list(narrowest), sorted(self.folds)
        spare = max_width - _total(narrowest, NARROW_GAP) if columns else 0
        for _ in range(spare):
            most = max(columns, key=lambda column: widest[column] - widths[column])
            if widths[most] >= widest[most]:
                break
            widths[most] += 1
        return widths

    def _cells(self, encoding: str) -> list[int]:
        """The widest cell of every column."""
        columns = range(len(self.headings))
        return [max((cell_len(printable(row[one], encoding)) for row in self.rows), default=0) for one in columns]

    def _table(self, widths: Sequence[int], gap: int, encoding: str) -> Table:
        title = None if self.title is None else Text(printable(self.title, encoding), style="bold")
        table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), title=title, title_justify="left")
        for number, (heading, width) in enumerate(zip(self.headings, widths, strict=True)):
            side: JustifyMethod = "left" if number in self.left else "right"
            table.add_column(Text(printable(heading, encoding)), justify=side, width=width, overflow="fold")
        for row in self.rows:
            table.add_row(*(Text(printable(cell, encoding)) for cell in row))
        return table


def _total(widths: Sequence[int], gap: int) -> int:
    return sum(widths) + gap * (len(widths) - 1)
