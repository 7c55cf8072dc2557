"""Through the mapping: one operator never loses from fewer bits where buffers do not decide how it is cut.

With tight buffers fewer bits make larger tiles; a larger tile waits longer for its first fetch, or leaves a remainder
too short to hide the next load. The mapping searches nothing yet, so there the claim is not made.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mixarray.accelerator.load import list_accelerators, load_accelerator
from mixarray.engine.event import run_event
from mixarray.mapping.build import build_schedule
from mixarray.trace.workload import single_gemm

AMPLE = ("buffers.activation.capacity_kib=2048", "buffers.weight.capacity_kib=1024")
SINGLE = [
    name
    for name in list_accelerators()
    if len(load_accelerator(name).arrays) == len(load_accelerator(name).dram_channels) == 1
]
"""On two arrays fewer bits may mean another array, which can be the slower one for few rows."""
EDGES = st.sampled_from((4, 8, 16, 32))
SIZES = st.tuples(*[st.integers(1, 150)] * 3)
MACHINES = st.builds(
    lambda name, rows, columns, loading, load_rows, rate, accumulator: load_accelerator(
        name,
        [
            *AMPLE,
            f"arrays.0.rows={rows}",
            f"arrays.0.columns={columns}",
            f"arrays.0.weight_loading={loading}",
            f"arrays.0.weight_load_rows={load_rows}",
            f"dram_channels.0.bits_per_cycle={rate}",
            f"buffers.accumulator.capacity_kib={accumulator}",
        ],
    ),
    st.sampled_from(SINGLE),
    EDGES,
    EDGES,
    st.sampled_from(("serial", "single", "double")),
    st.sampled_from(("all", "used")),
    st.sampled_from((8, 24, 64, 192, 10**6)),
    st.sampled_from((16, 64)),
)


@given(MACHINES, SIZES, st.sampled_from((4, 8, 32)))
@settings(max_examples=60)
def test_one_operator_never_loses_from_fewer_bits(machine, size, result_bits):
    totals = [
        run_event(build_schedule(single_gemm(*size, *bits, result_bits), machine), 1).total_cycles
        for bits in ((4, 4), (8, 4), (8, 8))
    ]
    assert totals == sorted(totals)
