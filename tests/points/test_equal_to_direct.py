"""Points put together from known parts equal their direct runs in every counter, on every kind of machine."""

from __future__ import annotations

from typing import Any

import pytest

from mixarray.accelerator.load import list_accelerators, load_accelerator
from mixarray.points import Network

BOTH, PRUNED = (8, 4), (8, 4, 0)
VARIANTS = {
    "attention in one, mlp in one": ("packed_w4_32x32", ("mapping.attention=fused", "mapping.mlp=fused")),
    "pruned windows copied": ("packed_w4_32x32", ("mixed_precision.pruned_windows=copy",)),
    "switches cost cycles": ("packed_w4_32x32", ("mixed_precision.mode_switch_cycles=50",)),
    "serial loading": ("packed_w4_32x32", ("arrays.0.weight_loading=serial",)),
    "nothing stays": ("plain_int8_32x32", ("buffers.activation.capacity_kib=40",)),
    "weights in pieces": ("plain_int8_32x32", ("buffers.weight.capacity_kib=8",)),
    "one weight slot": ("packed_w4_32x32", ("buffers.weight.slots=1",)),
    "one activation slot": ("packed_w4_32x32", ("buffers.activation.slots=1",)),
    "slow memory": ("plain_int8_os_32x32", ("dram_channels.0.bits_per_cycle=7", "dram_channels.0.latency_cycles=999")),
    "groups one by one": ("decoupled_int8_int4", ("mapping.group_order=sequential",)),
    "groups together": ("decoupled_int8_int4", ("mapping.group_order=concurrent",)),
}


@pytest.mark.parametrize("name", list_accelerators())
def test_every_shipped_accelerator(name: str, model: Any) -> None:
    settings = [model.drawn(0), model.drawn(1, PRUNED), model.drawn(2), model.uniform(8)]
    found = model.check(load_accelerator(name), [*settings, settings[0]])
    assert found[0] == found[4]
    assert len({totals.total_cycles for totals in found.values()}) == 4


@pytest.mark.parametrize("variant", VARIANTS)
def test_other_mappings(variant: str, model: Any) -> None:
    name, overrides = VARIANTS[variant]
    model.check(load_accelerator(name, overrides), [model.drawn(seed, PRUNED) for seed in (3, 4)])


@pytest.mark.parametrize("name", ["packed_w4_32x32", "decoupled_int8_int4"])
def test_windows_with_padding(name: str, padded: Any) -> None:
    padded.check(load_accelerator(name), [padded.drawn(seed, PRUNED) for seed in (5, 6)])


@pytest.mark.parametrize("name", ["packed_w4_32x32", "decoupled_int8_int4"])
def test_layers_with_bits_of_their_own(name: str, allocated: Any) -> None:
    allocated.check(load_accelerator(name), [allocated.drawn(8, PRUNED), allocated.drawn(9), allocated.uniform(4)])


def test_blocks_without_any_window(model: Any) -> None:
    settings = [model.without((0, 1)), model.without((1, 0), (1, 1)), model.without((1, 3))]
    model.check(load_accelerator("packed_w4_32x32"), settings)


@pytest.mark.full  # a search takes minutes
def test_searched_mappings(model: Any) -> None:
    accelerator = load_accelerator("packed_w4_128x128", ["mapping.search=exhaustive"])
    model.check(accelerator, [model.uniform(8), model.setting(lambda _, block, __: 8 - 4 * (block % 2))])


def test_clock_and_energies_need_nothing_new(model: Any) -> None:
    network = Network(model.topology, model.rows)
    first, setting = network.on(load_accelerator("packed_w4_32x32")), model.drawn(7)
    before = first.totals(setting)
    known = first.known_groups
    accelerator = load_accelerator("packed_w4_32x32", ["clock_mhz=123", "leakage=lstp300", "clock_gating=idle"])
    other = network.on(accelerator)
    after = other.totals(setting)
    assert known == other.known_groups > 0
    assert after == model.direct(setting, accelerator)
    assert (after.total_cycles, after.actions) == (before.total_cycles, before.actions)
    assert after.energy_pj != before.energy_pj
    assert network.on(load_accelerator("packed_w4_32x32", ["arrays.0.rows=16"])).known_groups == 0
