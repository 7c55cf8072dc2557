"""Timing rules of Bit Fusion and ANT: single tiles by hand, what more bandwidth does, what fits nowhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixarray.timing.ant import AntArray, ant_timing
from mixarray.timing.bitfusion import BitFusionArray, bitfusion_timing
from mixarray.timing.tile_search import Layer, Loop, Tensor, fetch, list_tilings

LAYERS = st.builds(
    Layer,
    batch=st.integers(1, 40),
    side=st.integers(1, 9),
    inputs=st.integers(1, 600),
    outputs=st.integers(1, 600),
    activation_bits=st.sampled_from([2, 4, 8]),
    weight_bits=st.sampled_from([2, 4, 8]),
)


def test_one_tile_of_bit_fusion_by_hand():
    # 16 rows of 2 products (4 by 8 bits) are 32 inputs a cycle: 40 inputs take 2 cycles, 10 outputs one column tile.
    timing = bitfusion_timing(BitFusionArray(bandwidth_bits=1000), Layer(3, 1, 40, 10, 4, 8))
    weights, activations, sums = 64 * 10 * 8, 3 * 40 * 4, 3 * 32 * 32
    fill, drain = -(-(weights + activations + sums) // 1000), -(-sums // 1000)
    assert (timing.total_cycles, timing.stall_cycles) == (6 + fill + drain, fill + drain)


@pytest.mark.parametrize(("weight_stationary", "compute"), [(False, 40), (True, 1)])
def test_one_tile_of_ant_by_hand(weight_stationary, compute):
    array = AntArray(weight_stationary=weight_stationary, bandwidth_bits=10**9)
    timing = ant_timing(array, Layer(1, 1, 40, 1, 4, 4))
    assert timing.total_cycles == compute + 1  # one cycle to fill; results leave beside


def test_fewer_bits_make_longer_edges():
    whole = Layer(64, 1, 64, 64, 8, 8)
    array = AntArray(bandwidth_bits=10**9)
    cycles = {bits: ant_timing(array, replace(whole, activation_bits=bits, weight_bits=bits)) for bits in (8, 4)}
    assert [cycles[bits].total_cycles - cycles[bits].stall_cycles for bits in (8, 4)] == [2 * 2 * 64, 64]


@settings(max_examples=25)
@given(LAYERS, st.sampled_from([64, 192, 1000]))
def test_more_bandwidth_never_adds_cycles(layer, bandwidth):
    for rule, array in ((bitfusion_timing, BitFusionArray()), (ant_timing, AntArray())):
        slow, fast = (rule(replace(array, bandwidth_bits=bandwidth * factor), layer) for factor in (1, 3))
        assert fast.total_cycles <= slow.total_cycles
        assert 0 <= fast.stall_cycles <= fast.total_cycles


@given(LAYERS)
def test_every_tensor_moves_at_least_once_and_stays_within_half_a_buffer(layer):
    tilings = list_tilings(layer, 1)
    bits = tilings.inputs * tilings.outputs * layer.weight_bits
    half = int(bits.max())
    order = (Loop.INPUTS, Loop.BATCH, Loop.OUTPUTS)
    found = fetch(tilings, order, Tensor.WEIGHTS, bits, half)
    assert (found.all_bits >= bits * tilings.counts[Loop.INPUTS] * tilings.counts[Loop.OUTPUTS]).all()
    assert (found.kept_bits <= np.maximum(half, bits)).all()
    assert (found.kept_bits >= bits).all()


def test_what_fits_in_no_buffer_is_an_error():
    with pytest.raises(ValueError, match="no tile fits in half of its buffer"):
        bitfusion_timing(BitFusionArray(sum_kib=0), Layer(1, 1, 1, 1, 8, 8))
