"""The folds of a stripe on the units of the array: what each job waits for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from operator import attrgetter

from mixarray.accelerator.modes import Bits
from mixarray.mapping.chain_plan import ChainPlan, Stage
from mixarray.mapping.emitter import Mark
from mixarray.mapping.schedule import Dependency, Event, Job
from mixarray.mapping.steps import Step, Work, stripe_steps
from mixarray.mapping.switches import with_switches
from mixarray.mapping.tiles import Stripe
from mixarray.mapping.transfers import Feeds, Floor, Transfers


@dataclass(frozen=True, slots=True)
class _Folds:
    """The jobs of a stripe. From step `plain` on only weights are waited for; readers[i]: steps before i that read the
    other operand. mode: that of the last row.
    """

    steps: tuple[Step, ...]
    jobs: tuple[Job, ...]
    plain: int
    readers: tuple[int, ...]
    mode: Bits | None


@dataclass(slots=True)
class ArrayWork:
    """Emits the stripes of one chain's GEMM. known: the jobs of each distinct stripe by the mode of the rows before it,
    found: also by its object.
    """

    floor: Floor
    plan: ChainPlan
    transfers: Transfers
    known: dict[tuple[Stripe, Bits | None], _Folds] = field(default_factory=dict)
    found: dict[tuple[int, Bits | None], _Folds] = field(default_factory=dict)

    def stripe(self, gemm: int, stripe: Stripe, feeds: Feeds, room: list[Dependency]) -> Mark:
        """All folds of one stripe; returns the job that completes its sums.

        The first job that reads rows waits for them (`feeds`), the first that writes sums for their place (`room`). The
        other operand of a batched GEMM is loaded with the rows; weights have a way of their own.
        """
        folds = self._folds(gemm, stripe, self.floor.mode)
        self.floor.mode = folds.mode
        position, seen = 0, Step(folds.jobs[0])
        mark = None
        while position < len(folds.steps):
            end = self._quiet(folds, position)
            if end > position:
                mark = self._emit_all(folds, position, end)
                position = end
                continue
            step = folds.steps[position]
            mark = self.floor.emitter.emit(step.job, self._waits(step, seen, feeds, room))
            self._read(step, mark, 1)
            seen = Step(step.job, seen.rows or step.rows, seen.other or step.other, seen.sums or step.sums)
            position += 1
        assert mark is not None  # a stripe has at least one fold, and its last job writes sums
        return mark

    def _waits(self, step: Step, seen: Step, feeds: Feeds, room: list[Dependency]) -> list[Dependency]:
        """What a step waits for that no step before it (`seen`) has waited for."""
        waits: list[Dependency] = []
        if step.rows and not seen.rows:
            rows = self.transfers.wait([*feeds.loaded, *feeds.made], Event.READY)
            waits += self._resident(Stage.STREAM, step.job.unit) + rows
        if step.other and self.plan.weight_bits:
            waits += self.floor.weights.waits(self.plan)
        elif step.other and not seen.other:
            waits += self._resident(Stage.STATIONARY, step.job.unit)
            waits += self.transfers.wait(feeds.loaded, Event.READY)
        if step.sums and not seen.sums:
            waits += room
        return waits

    def _quiet(self, folds: _Folds, position: int) -> int:
        """The step up to which, from `position` on, nothing has to wait for more than its fold."""
        if position < folds.plain:
            return position
        if not self.plan.weight_bits:
            return len(folds.steps)
        return bisect_right(folds.readers, folds.readers[position] + self.floor.weights.left()) - 1

    def _emit_all(self, folds: _Folds, position: int, end: int) -> Mark:
        """Emit steps that wait for nothing more; the jobs of a lane all touch the same operands."""
        marks = self.floor.emitter.emit_all(folds.jobs[position:end])
        for mark in marks:
            step = folds.steps[end - 1 + mark.slot - marks[-1].slot]
            self._read(step, mark, folds.readers[end] - folds.readers[position])
        return marks[-1]

    def _read(self, step: Step, mark: Mark, times: int) -> None:
        """The last of `times` steps has read its operands."""
        weights = bool(self.plan.weight_bits)
        if step.other and weights:
            self.floor.weights.done(self.plan, mark, times)
        if step.rows or (step.other and not weights):
            self.floor.last_read = mark

    def _resident(self, stage: Stage, unit: int) -> list[Dependency]:
        tensors = [entry.tensor for entry in self.transfers.at[stage] if entry.tensor in self.floor.resident]
        return [wait for tensor in tensors for wait in self.transfers.tensor(tensor, unit)]

    def _folds(self, gemm: int, stripe: Stripe, before: Bits | None) -> _Folds:
        """The jobs of a stripe behind rows of mode `before`; made once per distinct stripe."""
        place = id(stripe), before  # the plan keeps its stripes, so no other object gets this place
        folds = self.found.get(place)
        if folds is None:
            folds = self.known.get((stripe, before))
        if folds is None:
            made = stripe_steps(self.floor.shop, Work(gemm, bool(self.plan.weight_bits)), stripe)
            steps, mode = with_switches(self.floor.shop, made, before)
            firsts = [next(i for i, step in enumerate(steps) if part(step)) for part in _PARTS]
            readers = tuple(accumulate((step.other for step in steps), initial=0))
            jobs = tuple(step.job for step in steps)
            folds = self.known[stripe, before] = _Folds(steps, jobs, max(firsts) + 1, readers, mode)
        self.found[place] = folds
        return folds


_PARTS: tuple[Callable[[Step], bool], ...] = (attrgetter("rows"), attrgetter("other"), attrgetter("sums"))
