"""Compiled: iterations that need not be walked, because their times follow from those before.

*Claim.* x[i, s] is the start of slot s in iteration i; while the body runs, its other moments are constants later. All
is known up to iteration i. Take a period p, and as the shifts d[s] = x[i, s] - x[i-p, s]. If for an n >= 1

1. x[j, s] - x[j-p, s] = d[s] for all slots s and iterations j with i-w < j <= i, where no wait goes back more than w;
2. in the iterations of the period, i-p+1 .. i, every wait is for an iteration of the body, a fixed number of iterations
   back, or for one and the same moment of an earlier segment, which has the shift 0;
3. for every job of the period (slot s, start x) and every moment m that it waits for (shift d', of the slot that it
   belongs to; its unit's previous job is one of them): m + n d' <= x + n d[s];
4. for every job of the period one of these moments has m = x and d' = d[s];

then x[j + np, s] = x[j, s] + n d[s] for all iterations j of the period.

*Why.* Both sides of 3 are linear in n and 3 is true for 0, so it is true for all k = 1 .. n. Go through the jobs after
iteration i in the order of the walk; compare the one of iteration j + kp with that of j. What the latter waits for lies
in iteration j-b, b <= w, or has the shift 0. By 1 the moments of j-b, j-b+p, ... differ by d' each until one is in the
period, and from there on by the claim for jobs before this one: what the former waits for is k d' later. Its start is
the largest of m + k d': at most x + k d[s] by 3, at least that by 4. A Schedule has one answer, so this is it.

Shifts belong to slots, so units may drift apart: a job that waits for ever less fulfils 3 for all n, one that uses up a
lead (d' > d[s]) bounds n. Where a condition fails the walk goes on: slower, never approximate.
"""

from __future__ import annotations

import numpy as np

from mixarray.compiled import compiled, compiled_inline
from mixarray.engine.fast_tables import ISSUED, NEVER, STARTED, Run, Ways
from mixarray.mapping.schedule_tables import Flat, Integers

COMPILED_WITH = {"mapping/schedule_tables.py": "c66820e1d710ac68", "engine/fast_tables.py": "51f04afbcdc1dbd0"}

LONGEST_PERIOD = 16


@compiled_inline
def window(ways: Ways, segment: int) -> int:
    """Iterations whose shifts are compared, w; two at least, because comparing is cheaper than a proof that fails."""
    return int(max(2, ways.reach[segment]))


@compiled_inline
def row_before(rows: int, row: int, back: int) -> int:
    """The row of a ring of `rows` that holds the iteration `back` iterations before that of `row`."""
    return row - back if row >= back else row - back + rows


@compiled_inline
def _recurs(ring: Integers, row: int, period: int, compared: int, shift: Integers) -> bool:
    """Whether the starts of the `compared` latest iterations are those a period before plus a `shift` for each slot."""
    before = row_before(len(ring), row, period)
    for slot in range(len(shift)):
        shift[slot] = ring[row, slot, STARTED] - ring[before, slot, STARTED]
        for back in range(1, compared):
            late, early = row_before(len(ring), row, back), row_before(len(ring), row, back + period)
            if ring[late, slot, STARTED] - ring[early, slot, STARTED] != shift[slot]:
                return False
    return True


@compiled_inline
def _previous_slots(flat: Flat, segment: int) -> Integers:
    """For each slot the one before it on its unit; for a unit's first slot its last one, of the iteration before."""
    slots, body, unit_of = flat.segments.slots[segment], flat.segments.body[segment], flat.jobs.unit
    latest = np.full(flat.units, -1, np.int64)
    for slot in range(slots):
        latest[unit_of[body + slot]] = slot
    previous = np.empty(slots, np.int64)
    for slot in range(slots):
        unit = unit_of[body + slot]
        previous[slot] = latest[unit]
        latest[unit] = slot
    return previous


@compiled_inline
def _times(run: Run, ring: Integers, row: int, segment: int, period: int, shift: Integers) -> int:
    """For how many periods the shifts hold (the largest n of the module's text); 0: they do not."""
    wait_at, event_of, early_at, cycles = run.flat.wait_at, run.flat.waits.event, run.ways.early_at, run.kept.cycles
    least, slot_of, previous = run.ways.least, run.ways.slot, _previous_slots(run.flat, segment)
    slots, body = run.flat.segments.slots[segment], run.flat.segments.body[segment]
    times = NEVER
    for back in range(period):
        here = row_before(len(ring), row, back)
        for slot in range(slots):
            job, start = body + slot, ring[here, slot, STARTED]
            other = previous[slot]
            source = here if other < slot else row_before(len(ring), here, 1)
            ahead, lead = shift[other] - shift[slot], start - ring[source, other, ISSUED]
            bound = lead == 0 and ahead == 0
            if ahead > 0:
                times = min(times, lead // ahead)
            for wait in range(wait_at[job], wait_at[job + 1]):
                if least[wait] < NEVER:
                    source, other = row_before(len(ring), here, least[wait]), slot_of[wait]
                    lead = start - ring[source, other, event_of[wait]]
                    ahead = shift[other] - shift[slot]
                else:
                    lead, ahead = start - cycles[early_at[wait]], -shift[slot]
                bound = bound or (lead == 0 and ahead == 0)
                if ahead > 0:
                    times = min(times, lead // ahead)
            if not bound:
                return 0
    return times


@compiled
def find_steady(
    run: Run, ring: Integers, row: int, segment: int, longest: int, left: int, shift: Integers
) -> tuple[int, int]:
    """A period of at most `longest` iterations and how many of the next `left` iterations it spans, in periods.

    (0, 0) if nothing is known of the next iterations. Fills in the shift of each slot per period.
    """
    for period in range(1, min(longest, LONGEST_PERIOD) + 1):
        if _recurs(ring, row, period, window(run.ways, segment), shift):
            times = min(left // period, _times(run, ring, row, segment, period, shift))
            if times > 0:
                return period, times
    return 0, 0
