"""Steps: groups lowered behind a border, whatever their jobs cost."""

from __future__ import annotations

from dataclasses import dataclass

from mixarray.accelerator.model import Accelerator
from mixarray.points.capacities import Alike, Asked, ByCapacity, asking, capacities_of
from mixarray.points.known import KnownPlan
from mixarray.points.lowering import Border, lower_group, start_of
from mixarray.points.max_plus import Walk
from mixarray.points.numbering import Numbering
from mixarray.points.plans import Following, Lone
from mixarray.points.pool import Pool
from mixarray.points.roles import Roles
from mixarray.points.tables import Counted, count, walk_of

_Key = tuple[int, int, int, Following | None]
START = 0
"""The number of the border before the first group."""


@dataclass(frozen=True, slots=True)
class Form:
    """A lowered group by itself: its walk, (rows, columns) of its matrix, what it counts, and the border behind it; for
    which capacities it is that.
    """

    number: int
    walk: Walk
    shape: tuple[int, int]
    counted: Counted
    behind: int
    alike: Alike


class KnownSteps:
    """All steps, each a form at some places. forms: of each its form. every: all forms. tasks: those of their jobs.

    table: (form, rows, columns, first place that is written, first that is read) of each step; places: these.
    Accelerators may differ in capacities of the operand buffers, and in prices.
    """

    def __init__(self, accelerator: Accelerator, roles: Roles) -> None:
        self.roles = roles
        self.tasks = Numbering()
        self.forms: list[Form] = []
        self.every: list[Form] = []
        self.table, self.places = Pool(5), Pool()
        self._known: dict[_Key, ByCapacity[Form]] = {}
        self._borders = [start_of(accelerator)]
        self._border_numbers: dict[Border, int] = {self._borders[0]: START}

    def step(
        self, plan: KnownPlan, border: int, stays: int, following: Following | None, accelerator: Accelerator
    ) -> int:
        """The number of a new step."""
        lone, own = plan.lone, range(self.roles.size)
        key = id(lone), border, stays, following  # the plans keep it, so no other object gets its place
        known = self._known.setdefault(key, ByCapacity())
        form = known.find(capacities_of(accelerator))
        if form is None:
            form = self._lower(lone, border, stays, following, accelerator)
            known.add(form.alike, form)
            self.every.append(form)
        written = [*own, *(self.roles.size + plan.names[tensor] for tensor in lone.leaves)]
        read = [*own, *(self.roles.size + plan.names[tensor] for tensor in lone.reads)]
        places = self.places.add(written), self.places.add(read)
        self.forms.append(form)
        return self.table.add([(form.number, len(written), len(read), *places)])

    def _lower(
        self, lone: Lone, border: int, stays: int, following: Following | None, accelerator: Accelerator
    ) -> Form:
        asked, roles = Asked(), self.roles
        resident = frozenset(tensor for tensor in range(lone.tensors) if stays >> tensor & 1)
        machine, before = asking(accelerator, asked), self._borders[border]
        piece = lower_group(machine, roles, lone, resident, before, following, self.tasks.ask)
        rows, columns = ([*range(roles.size), *(roles.size + t for t in side)] for side in (lone.leaves, lone.reads))
        walk = walk_of(piece, roles, rows, columns)
        if piece.border not in self._border_numbers:
            self._border_numbers[piece.border] = len(self._borders)
            self._borders.append(piece.border)
        shape = len(rows), len(columns)
        return Form(len(self.every), walk, shape, count(piece), self._border_numbers[piece.border], asked.alike)
