"""Counters of many pieces on one machine in columns, to be summed by rows."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from mixarray.accelerator.model import Accelerator
from mixarray.mapping.schedule import Action
from mixarray.mapping.tasks import FREE
from mixarray.points.network import UncomposableError
from mixarray.points.numbering import Numbering
from mixarray.points.pool import Integers, Pool
from mixarray.points.tables import LARGEST, Counted, Lane

JOBS, MACS, USEFUL = range(3)
FIXED = 3
UNKNOWN = -1
TOO_LARGE = LARGEST + 1
Key = TypeVar("Key")


class Counters:
    """One row per piece. lanes, actions: the columns of (unit, kind) and of actions; the column says how many jobs
    there are, the next one their cycles, or how often the action happens.
    """

    def __init__(self, accelerator: Accelerator, tasks: Numbering) -> None:
        self.lanes: dict[Lane, int] = {}
        self.actions: dict[Action, int] = {}
        self._accelerator, self._tasks = accelerator, tasks
        self._width = 64
        self._lengths, self._prices, self._rows = Pool(2), Pool(self._width), Pool(self._width)

    @property
    def lengths(self) -> Integers:
        """(occupancy, latency) of every task that has a price."""
        return self._lengths.rows

    def add(self, counted: Counted) -> int:
        """Keep what a piece counts, whose tasks have prices; its row.

        Raises UncomposableError where it counts or takes too much for that.
        """
        lengths = self.lengths[counted.tasks]
        columns = np.array([self._column(self.lanes, lane) for lane in counted.lanes], np.int64)
        prices = self._prices.rows[counted.tasks]
        self._check(counted, np.hstack([prices, lengths.sum(axis=1, keepdims=True)]))
        row = counted.times @ prices
        row[:FIXED] = counted.jobs, counted.macs, counted.useful_pe_cycles
        np.add.at(row, columns, counted.times)
        np.add.at(row, columns + 1, counted.times * lengths[:, 0])
        return self._rows.add(row[None])

    def sum(self, rows: Integers) -> Integers:
        """All columns, summed over rows."""
        total: Integers = self._rows.rows[rows].sum(axis=0)
        return total

    def price(self, tasks: Integers) -> None:
        """Find out what tasks cost that have no price yet."""
        new = len(self._tasks.every) - self._lengths.used
        self._lengths.add(np.full((new, 2), UNKNOWN))
        self._prices.add(np.zeros((new, self._width), np.int64))
        actions: list[tuple[int, int, int]] = []
        for number in np.unique(tasks[self.lengths[tasks, 0] == UNKNOWN]).tolist():
            task = self._tasks.every[number]
            price = FREE if task is None else task.price(self._accelerator)
            lengths = price.occupancy_cycles, price.latency_cycles
            self._lengths.rows[number] = [min(length, TOO_LARGE) for length in lengths]
            actions += [(number, self._column(self.actions, a), min(amount, TOO_LARGE)) for a, amount in price.actions]
        places, columns, amounts = np.array(actions, np.int64).reshape(len(actions), 3).T
        np.add.at(self._prices.rows, (places, columns), 1)
        np.add.at(self._prices.rows, (places, columns + 1), amounts)

    def _check(self, counted: Counted, amounts: Integers) -> None:
        """Floats do not overflow, and up to LARGEST their sums are exact."""
        if (counted.times.astype(float) @ amounts.astype(float)).max(initial=0) > LARGEST:
            raise UncomposableError("its counters or times need many bits")

    def _column(self, columns: dict[Key, int], key: Key) -> int:
        if key not in columns:
            columns[key] = FIXED + 2 * (len(self.lanes) + len(self.actions))
            if columns[key] + 2 > self._width:
                self._width *= 2
                self._prices.widen(self._width)
                self._rows.widen(self._width)
        return columns[key]
