"""The 16-brick PE and its preset: Bit Fusion's rule, the peak of the packed array, and closed forms of cycles."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from mixarray.accelerator.enums import Dataflow
from mixarray.accelerator.load import load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.accelerator.modes import Bits, Mode
from mixarray.accelerator.styles import pe_styles
from mixarray.mapping.schedule import JobKind
from mixarray.simulation import simulate
from mixarray.trace.workload import single_gemm

PRESET, PACKED = "bricks16_16x32", "packed_w4_32x32"
ROWS, COLUMNS, WORD_BITS = 16, 32, 32
EVERY = tuple(product((2, 4, 8), (2, 4, 8)))
SIZES = ((49, 49, 32), (300, 96, 130), (1, 1, 1), (64, 40, 257))


def mode(bits: Bits) -> Mode:
    return load_accelerator(PRESET).arrays[0].mode(*bits)


def stream_cycles(m: int, n: int, k: int, lanes: int) -> int:
    """Every row once per column of the array and per `lanes` x R values of K: folds begin at multiples of these."""
    return m * -(-n // COLUMNS) * -(-k // (lanes * ROWS))


def streamed(machine: Accelerator, size: tuple[int, int, int], bits: Bits) -> int:
    """Cycles that one GEMM streams through the array, simulated; `bits`: activations, weights."""
    execution = simulate(single_gemm(*size, *bits), machine).execution
    return sum(cycles for (_, kind), cycles in execution.busy_cycles.items() if kind is JobKind.STREAM)


@pytest.mark.parametrize("bits", EVERY)
def test_products_per_cycle_follow_bit_fusion(bits: Bits) -> None:
    """Sixteen bricks, of which a product takes one for each two bits of both operands."""
    found = mode(bits)
    assert (found.stream_bits, found.stationary_bits) == bits
    assert found.lanes == 16 // ((bits[0] // 2) * (bits[1] // 2))
    assert found.macs_per_pe_cycle == found.lanes
    assert found.slots * found.stationary_bits == WORD_BITS
    assert found.slots % found.lanes == 0  # passes begin where a word's values do


def test_the_modes_of_one_stationary_width_share_folds() -> None:
    for stationary in (2, 4, 8):
        assert len({mode((stream, stationary)).layout for stream in (2, 4, 8)}) == 1
        assert len({mode((stream, stationary)).fold_depth(ROWS) for stream in (2, 4, 8)}) == 1
    assert [mode((stream, 4)).passes(128, ROWS) for stream in (8, 4, 2)] == [4, 2, 1]
    assert [mode((stream, 4)).passes(33, ROWS) for stream in (8, 4, 2)] == [2, 1, 1]


def test_the_preset_has_the_peak_and_the_memory_of_the_packed_one() -> None:
    bricks, packed = load_accelerator(PRESET), load_accelerator(PACKED)
    for known in packed.arrays[0].pe_modes:
        ours = bricks.arrays[0].mode(known.stream_bits, known.stationary_bits)
        assert ours.macs_per_pe_cycle * bricks.arrays[0].pes == known.macs_per_pe_cycle * packed.arrays[0].pes
    assert (bricks.buffers, bricks.memory) == (packed.buffers, packed.memory)
    assert (bricks.vector_units, bricks.mixed_precision) == (packed.vector_units, packed.mixed_precision)
    assert bricks.arrays[0].weight_port_bits == packed.arrays[0].weight_port_bits


@pytest.mark.parametrize("bits", EVERY)
@pytest.mark.parametrize("size", SIZES)
def test_one_gemm_streams_the_closed_form(bits: Bits, size: tuple[int, int, int]) -> None:
    assert streamed(load_accelerator(PRESET), size, bits) == stream_cycles(*size, mode(bits).lanes)


@pytest.mark.parametrize("size", [(49, 49, 32), (300, 40, 257)])
def test_input_stationary_streams_the_closed_form_of_the_transposed_gemm(size: tuple[int, int, int]) -> None:
    machine = load_accelerator(PRESET, [f"arrays.0.dataflow={Dataflow.INPUT_STATIONARY}"])
    m, n, k = size
    for activation, weight in EVERY:  # weights stream
        assert streamed(machine, size, (activation, weight)) == stream_cycles(n, m, k, mode((weight, activation)).lanes)


def test_two_activation_bits_halve_the_cycles_of_four_and_the_packed_array_gains_nothing() -> None:
    """K = 384 in steps of 128 at 4-bit weights: 3 x 2 passes at 4 bits, 3 at 2; M N / C of them each."""
    bricks, packed, size = load_accelerator(PRESET), load_accelerator(PACKED), (3136, 384, 384)
    assert [streamed(bricks, size, bits) for bits in ((8, 4), (4, 4), (2, 4))] == [451_584, 225_792, 112_896]
    assert [streamed(packed, size, bits) for bits in ((8, 4), (4, 4), (2, 4))] == [451_584, 225_792, 225_792]
    assert streamed(bricks, size, (4, 2)) == 112_896


def test_a_unit_without_2_bit_bricks_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: 2-bit operands take the bricks of 4-bit ones."""
    style, size = pe_styles()["bricks16"], (64, 40, 257)

    def faulty(pairs: tuple[Bits, ...]) -> tuple[Mode, ...]:
        wide = {bits: (max(4, bits[0]), max(4, bits[1])) for bits in pairs}
        return tuple(
            replace(found, lanes=style.make_modes((wide[bits],))[0].lanes)
            for bits, found in zip(pairs, style.make_modes(pairs), strict=True)
        )

    monkeypatch.setitem(pe_styles(), style.name, replace(style, make_modes=faulty))
    machine = load_accelerator(PRESET)
    wrong = {bits for bits in EVERY if streamed(machine, size, bits) != stream_cycles(*size, _lanes(bits))}
    assert wrong == {bits for bits in EVERY if 2 in bits}


def _lanes(bits: Bits) -> int:
    return (8 // bits[0]) * (8 // bits[1])


def test_what_the_style_cannot_do_is_said() -> None:
    with pytest.raises(ValueError, match=r"a 16-brick PE has no mode \(3, 4\); allowed: \(2, 2\), "):
        pe_styles()["bricks16"].make_modes(((3, 4),))
    assert load_accelerator(PRESET).arrays[0].mode(3, 4) == mode((4, 4))
