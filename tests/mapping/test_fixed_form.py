"""The fixed form: what it was before there was a choice, said in words of the mapping space."""

from __future__ import annotations

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.engine.event import run_event
from mixarray.errors import InputError
from mixarray.mapping.build import build_schedule
from mixarray.mapping.chains import make_chains, make_flow
from mixarray.mapping.choice import Choice, Doubled, LoopOrder
from mixarray.mapping.plan import Planner
from mixarray.trace.workload import single_gemm


@pytest.mark.parametrize(
    ("preset", "flow", "cycles"),
    [
        ("packed_w4_32x32", "weight_stationary", [86268, 116948, 61949]),
        ("plain_int8_32x32", "weight_stationary", [86268, 116948, 118397]),
        ("plain_int8_32x32", "input_stationary", [85594, 134450, 152893]),
        ("plain_int8_32x32", "output_stationary", [86204, 133076, 152957]),
    ],
)
def test_the_fixed_form_is_what_it_was_before_there_was_a_choice(preset, flow, cycles):
    machine = load_accelerator(preset, [f"arrays.0.dataflow={flow}"])
    sizes = (3136, 288, 96, 8, 4), (196, 1536, 384, 8, 4), (49, 768, 3072, 4, 4)
    assert [run_event(build_schedule(single_gemm(*size), machine), 1).total_cycles for size in sizes] == cycles


def test_the_fixed_form_says_its_choice_and_an_unfit_machine_is_refused():
    machine = load_accelerator("plain_int8_32x32", ["buffers.weight.capacity_kib=8"])
    workload = single_gemm(600, 64, 128, 8, 8)
    planner = Planner(workload, machine, make_flow(workload))
    (chain,) = make_chains(planner.flow, planner.holds_rows)
    assert planner.plan(chain).choice == Choice(256, 32, 128, LoopOrder.MNK, Doubled.BOTH)
    tiny = load_accelerator("plain_int8_32x32", ["buffers.activation.capacity_kib=1"])
    with pytest.raises(InputError, match="one row of 'gemm' needs"):
        build_schedule(single_gemm(8, 8, 4096, 8, 8), tiny, lambda planner, chain: None)
