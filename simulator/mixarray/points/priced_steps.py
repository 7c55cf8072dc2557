"""Steps on one machine: forms with prices, as matrices and rows of counters."""

from __future__ import annotations

import numpy as np

from mixarray.accelerator.model import Accelerator
from mixarray.points.counters import Counters
from mixarray.points.known_steps import Form, KnownSteps
from mixarray.points.max_plus import Integers, Steps, compose, ways
from mixarray.points.network import UncomposableError
from mixarray.points.pool import Pool

UNKNOWN = -1


class PricedSteps:
    """Takes vectors through steps, and counts. counters: what forms count here.

    Of each form: where its matrix begins, and its row of the counters, both UNKNOWN until it is first used.
    """

    def __init__(self, steps: KnownSteps, accelerator: Accelerator) -> None:
        self.steps, self.counters = steps, Counters(accelerator, steps.tasks)
        self._starts, self._rows, self._matrices = Pool(), Pool(), Pool()

    def run(self, taken: list[int], vector: Integers) -> Integers:
        """Take a vector of moments through steps; returns their counters, summed.

        Raises UncomposableError where a step waits for what is not in the vector, or counts too much.
        """
        steps, chosen = self.steps, np.array(taken, np.int64)
        new = [UNKNOWN] * (len(steps.every) - self._rows.used)
        self._starts.add(new)
        self._rows.add(new)
        forms = steps.table.rows[chosen, 0]
        fresh = [steps.every[form] for form in np.unique(forms[self._rows.rows[forms] == UNKNOWN]).tolist()]
        if fresh:
            self.counters.price(np.concatenate([form.counted.tasks for form in fresh]))
        for form in fresh:
            self._price(form)
        tables = Steps(steps.table.rows, self._starts.rows, self._matrices.rows, steps.places.rows)
        compose(chosen, tables, vector)
        return self.counters.sum(self._rows.rows[forms])

    def _price(self, form: Form) -> None:
        """Find out what a form costs."""
        row = self.counters.add(form.counted)
        known, matrix = ways(form.walk, self.counters.lengths, self.steps.roles.units, *form.shape)
        if not known:
            raise UncomposableError("a job waits for something before its group that is not known there")
        self._starts.rows[form.number] = self._matrices.add(matrix.ravel())
        self._rows.rows[form.number] = row
