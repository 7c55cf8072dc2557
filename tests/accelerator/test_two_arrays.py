"""Two arrays in one accelerator: who runs what, what is refused, and buffers of several banks."""

from __future__ import annotations

import pytest

from mixarray.accelerator.load import load_accelerator
from mixarray.errors import InputError

DECOUPLED, PACKED = "decoupled_int8_int4", "packed_w4_32x32"


@pytest.mark.parametrize(
    ("bits", "array", "mode"),
    [((8, 8), 0, (8, 8)), ((8, 4), 0, (8, 8)), ((4, 8), 0, (8, 8)), ((4, 4), 1, (4, 4)), ((2, 3), 1, (4, 4))],
)
def test_a_gemm_runs_on_the_array_of_its_narrowest_mode(bits, array, mode) -> None:
    index, found = load_accelerator(DECOUPLED).array_for(*bits)
    assert (index, (found.stream_bits, found.stationary_bits)) == (array, mode)


def test_of_equally_narrow_arrays_the_first_one_runs_it() -> None:
    twins = load_accelerator(DECOUPLED, ["arrays.1.modes=[[8, 8]]"])
    assert [twins.array_for(*bits)[0] for bits in ((8, 8), (4, 4))] == [0, 0]


def test_the_narrowest_mode_is_that_of_the_dataflow() -> None:
    """Weights stream in an input-stationary array: (8, 4) there are 4-bit activations by 8-bit weights."""
    flows = "arrays.1.dataflow=input_stationary", "arrays.1.modes=[[4, 8]]"
    machine = load_accelerator(DECOUPLED, flows)
    assert [machine.array_for(*bits)[0] for bits in ((8, 4), (4, 8))] == [1, 0]


def test_operands_that_no_array_serves_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"arrays: no array serves 16-bit .* by 4-bit .*int8: \(8, 8\); int4: \(4, 4\)"
    ):
        load_accelerator(DECOUPLED).array_for(16, 4)
    with pytest.raises(InputError, match="no mode serves 16 streaming by 4"):
        load_accelerator(PACKED).array_for(16, 4)


@pytest.mark.parametrize(
    ("name", "override", "message"),
    [
        (PACKED, "mapping.group_order=concurrent", r"mapping.group_order: concurrent runs .* there is one array"),
        (DECOUPLED, "arrays.1.name=int8", r"arrays: two arrays have the same name"),
        (PACKED, "buffers.accumulator.banks=3", r"buffers.accumulator: .*must be multiples of banks, 3"),
        (PACKED, "buffers.accumulator.banks=0", r"buffers.accumulator.banks: .*greater than or equal to 1"),
    ],
)
def test_mistakes_are_named(name, override, message) -> None:
    with pytest.raises(InputError, match=message):
        load_accelerator(name, [override])


def test_accumulators_hold_a_row_of_the_widest_array() -> None:
    wide = "arrays.1.columns=4096", "buffers.accumulator.slots=4"
    assert load_accelerator(DECOUPLED, wide).arrays[1].columns == 4096  # 32 bits each are exactly a slot
    with pytest.raises(InputError, match="one slot holds 131072 bits, one row of the array needs 135168"):
        load_accelerator(DECOUPLED, [*wide, "arrays.1.accumulator_bits=33"])


def test_banks_divide_capacity_and_port() -> None:
    buffer = load_accelerator("packed_w4_128x128").buffers.accumulator
    assert (buffer.bank_kib, buffer.bank_port_bits, buffer.banks) == (256, 1024, 4)
    assert buffer.accesses(4097) == 2
