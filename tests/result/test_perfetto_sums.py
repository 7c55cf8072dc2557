"""The accumulator buffers' fill: never above what they hold, whatever the mapping; empty at the end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mixarray.accelerator.load import load_accelerator
from mixarray.engine.fast import run_fast
from mixarray.mapping.build import lower_alone
from mixarray.mapping.chains import make_chains, make_flow
from mixarray.mapping.choice import Choice, Doubled, LoopOrder
from mixarray.mapping.plan import Planner
from mixarray.mapping.schedule import Action, Back, Event, Job, JobKind, Recent, Schedule, Segment
from mixarray.result.perfetto_fills import ACCUMULATOR, capacity_bits, fills
from mixarray.result.perfetto_jobs import stored_jobs
from mixarray.result.perfetto_sums import Sums
from mixarray.trace.workload import single_gemm

EDGES = 4
PRESETS = ("packed_w4_32x32", "plain_int8_os_32x32")


def machine(preset: str, slots: int, kib: int, rate: int):
    """A small array; a port as wide as one sum, so that no access is rounded up."""
    return load_accelerator(
        preset,
        [
            f"arrays.0.rows={EDGES}",
            f"arrays.0.columns={EDGES}",
            f"buffers.accumulator.capacity_kib={kib}",
            f"buffers.accumulator.slots={slots}",
            "buffers.accumulator.port_bits=32",
            f"dram_channels.0.bits_per_cycle={rate}",
        ],
    )


def run(schedule: Schedule):
    """(what ran, its jobs, every moment at which something begins or ends)."""
    execution = run_fast(schedule, 1, with_timeline=True)
    timeline = execution.timeline
    moments = np.unique(np.concatenate([timeline.start_cycles, timeline.issued_cycles, timeline.ready_cycles]))
    return execution, stored_jobs(schedule), moments


@given(
    st.builds(
        machine,
        st.sampled_from(PRESETS),
        st.integers(1, 3),
        st.sampled_from((1, 2)),
        st.sampled_from((8, 64, 1000)),
    ),
    st.tuples(st.integers(1, 120), st.integers(1, 40), st.integers(1, 60)),
    st.tuples(*(st.sampled_from((1, 2, 3)) for _ in range(3))),
    st.sampled_from(LoopOrder),
    st.sampled_from(Doubled),
)
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.filter_too_much])
def test_sums_never_exceed_the_buffer(accelerator, size, parts, order, doubled):
    workload = single_gemm(*size, 8, 8 if accelerator.name.startswith("plain") else 4)
    planner = Planner(workload, accelerator, make_flow(workload))
    (chain,) = make_chains(planner.flow, planner.holds_rows)
    rows, columns, depth = (-(-length // part) for length, part in zip(size, parts, strict=True))
    fold = 2 * EDGES
    tile = -(-rows // EDGES) * EDGES, -(-columns // EDGES) * EDGES, -(-depth // fold) * fold
    choice = Choice(*(min(one, whole) for one, whole in zip(tile, size, strict=True)), order, doubled)
    assume(planner.legal(chain, choice) is None)
    schedule = lower_alone(accelerator, planner.plan(chain, choice))
    execution, stored, moments = run(schedule)
    last = {0: execution.operators[0].last_ready_cycles}
    levels = fills(workload, accelerator, schedule, stored, execution.timeline, last, moments)[ACCUMULATOR]
    assert 0 < max(levels) <= capacity_bits(accelerator)[ACCUMULATOR]
    assert min(levels) >= 0
    assert levels[-1] == 0


def by_hand(wait: Event = Event.READY) -> Schedule:
    """Streams of 4 and 2 cycles begin 3 + 3 and 2 sums; vector jobs of 2, 2 and 1 cycles take the two stripes.

    streams 0-4, 4-8, 8-10, ready a cycle later; vector jobs 9-11 and 11-13 (both on the first stripe), 13-14.
    """

    def stream(cycles: int, sums: int) -> Job:
        return Job(0, JobKind.STREAM, cycles, 1, (), 0, actions=((Action(ACCUMULATOR, "write"), sums),))

    def take(cycles: int, reads: int, *waits) -> Job:
        return Job(1, JobKind.REQUANTIZE, cycles, 0, waits, 0, actions=((Action(ACCUMULATOR, "read"), reads),))

    first, second = Back(1, 0, wait), Recent(0, JobKind.STREAM, 1, wait)
    body = (stream(4, 3), stream(4, 3), stream(2, 2), take(2, 1, first), take(2, 2, first), take(1, 2, second))
    return Schedule(("arrays.0", "vector_units.0"), (Segment(body),))


def fill_by_hand(schedule: Schedule) -> list[int]:
    """Sums in the buffer at cycles 0 to 14."""
    execution, stored, _ = run(schedule)
    begun, read = sums_of(stored.jobs, 1)
    last = {0: execution.operators[0].last_ready_cycles}
    return Sums(schedule, stored, execution.timeline, begun, read).fill(last, np.arange(15)).tolist()


def test_a_fill_worked_out_on_paper():
    # a stripe of 6: a third leaves in 9-11, the rest in 11-13; then the stripe of 2 in a cycle
    assert fill_by_hand(by_hand()) == [0, 0, 1, 2, 3, 3, 4, 5, 6, 7, 7, 6, 4, 2, 0]


def test_who_waits_for_no_complete_sums_takes_none():
    # bound by other moments, a cycle earlier: nobody says whose sums they are, so all stay until the operator is ready
    assert fill_by_hand(by_hand(Event.ISSUED)) == [0, 0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 8, 8, 0, 0]


@pytest.mark.parametrize("arrays", ["packed_w4_32x32", "decoupled_int8_int4"])
def test_every_array_has_a_buffer(arrays):
    accelerator = load_accelerator(arrays)
    buffers = accelerator.buffers
    own = len(accelerator.arrays) * buffers.accumulator.capacity_bits
    assert capacity_bits(accelerator) == {
        "buffers.activation": buffers.activation.capacity_bits,
        "buffers.weight": buffers.weight.capacity_bits,
        ACCUMULATOR: own,
    }


def test_whose_readers_are_lost_exceeds_the_buffer(swin):
    timeline, stored = swin.execution.timeline, stored_jobs(swin.schedule)
    edges = np.unique(timeline.issued_cycles)
    last = {one.operator: one.last_ready_cycles for one in swin.execution.operators}
    capacity = capacity_bits(swin.accelerator)[ACCUMULATOR]
    true = fills(swin.workload, swin.accelerator, swin.schedule, stored, timeline, last, edges)[ACCUMULATOR]
    assert capacity / 2 < max(true) <= capacity
    begun, read = sums_of(stored.jobs, swin.accelerator.buffers.accumulator.port_bits)
    assert Sums(swin.schedule, stored, timeline, begun, read).fill(last, edges).tolist() == true.tolist()
    assert max(Sums(swin.schedule, stored, timeline, begun, 0 * read).fill(last, edges)) > capacity


def sums_of(jobs, port_bits: int):
    """(begun, taken) bits of stored jobs, counted from their accesses: an array adds to what it reads."""
    begun, read = np.zeros(len(jobs), np.int64), np.zeros(len(jobs), np.int64)
    for number, job in enumerate(jobs):
        counts = {name: port_bits * dict(job.actions).get(Action(ACCUMULATOR, name), 0) for name in ("read", "write")}
        adds = job.kind in (JobKind.STREAM, JobKind.DRAIN)
        begun[number] = counts["write"] - counts["read"] * adds
        read[number] = counts["read"] * (not adds)
    return begun, read
