"""Numbers of tasks: what stands for prices in jobs that are the same on many machines."""

from __future__ import annotations

from mixarray.mapping.tasks import FREE, Price, Task

NO_TASK = FREE.occupancy_cycles
"""The number of what is free, and of stand-ins."""


class Numbering:
    """Tasks by number, as they are first asked for; none has NO_TASK."""

    def __init__(self) -> None:
        self.every: list[Task | None] = [None]
        self._numbers: dict[Task, int] = {}

    def ask(self, task: Task) -> Price:
        """Its number in place of an occupancy; jobs are then equal where they cost the same on every machine."""
        number = self._numbers.get(task)
        if number is None:
            number = self._numbers[task] = len(self.every)
            self.every.append(task)
        return Price(number, 0)
