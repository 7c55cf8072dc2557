"""Machines that differ in prices share all jobs, and every task costs on each of them what it costs in a direct run."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from mixarray.accelerator.load import changed_accelerator, load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.mapping.schedule import JobKind
from mixarray.mapping.tasks import FREE, WEIGHT, Load, Price, Task
from mixarray.mapping.units import DRAM
from mixarray.points import Network, composing
from mixarray.points.bare import bare
from mixarray.points.counters import Counters
from mixarray.points.network import UncomposableError
from mixarray.points.numbering import NO_TASK, Numbering
from mixarray.points.tables import LARGEST, Counted

BASES = {
    "packed": ("packed_w4_32x32", ()),
    "fused, in bursts": (
        "packed_w4_32x32",
        ("mapping.attention=fused", "mapping.mlp=fused", "mixed_precision.movement=bursts"),
    ),
    "output-stationary": ("plain_int8_os_32x32", ("mapping.transpose=pass",)),
    "two arrays": ("decoupled_int8_int4", ("mixed_precision.scoring=free",)),
}
CHOICES: dict[str, tuple[object, ...]] = {
    "clock_mhz": (100, 900),
    "arrays.0.weight_port_bits": (32, 200, 1024),
    "arrays.0.weight_load_rows": ("all", "used"),
    "buffers.activation.port_bits": (64, 512),
    "buffers.weight.port_bits": (128, 1024),
    "buffers.accumulator.port_bits": (256, 512),
    "vector_units.0.lanes": (7, 64),
    "vector_units.0.latency_cycles": (0, 90),
    "vector_units.0.passes": ("multi_pass", "streaming", "fused"),
    "dram_channels.0.bits_per_cycle": (11, "100/3", 512),
    "dram_channels.0.burst_bits": (64, 512),
    "dram_channels.0.latency_cycles": (0, 300),
    "mixed_precision.sorter_width": (1, 64),
    "mixed_precision.burst_address_cycles": (0, 9),
    "mixed_precision.mode_switch_cycles": (0, 40),
}
"""Every field that is a price, with values that no base has together."""


def priced(name: str, seed: int) -> Accelerator:
    """A machine with other prices in all of these fields."""
    draw, (base, overrides) = random.Random(seed), BASES[name]
    changes: Mapping[str, object] = {field: draw.choice(values) for field, values in CHOICES.items()}
    return changed_accelerator(load_accelerator(base, overrides), changes, "test")


def wrong(model: Any, name: str, seeds: range) -> int:
    """Points that are not those of their direct runs, on machines of one network."""
    network, setting, found = Network(model.topology, model.rows), model.drawn(1, (8, 4, 0)), 0
    for seed in seeds:
        accelerator = priced(name, seed)
        found += network.on(accelerator).totals(setting) != model.direct(setting, accelerator)
    return found


@pytest.mark.parametrize("name", BASES)
def test_prices_in_any_order(name: str, model: Any) -> None:
    assert wrong(model, name, range(3)) == 0


def test_other_prices_need_no_other_jobs(model: Any) -> None:
    network, setting = Network(model.topology, model.rows), model.drawn(1)
    machines = [priced("packed", seed) for seed in range(3)]
    totals = [network.on(machine).totals(setting) for machine in machines]
    assert len({network.on(machine).known_groups for machine in machines}) == 1
    assert len({each.total_cycles for each in totals}) == 3
    assert len({each.jobs for each in totals}) == 1
    assert bare(machines[0]) == bare(machines[1])


def test_a_search_sees_prices() -> None:
    searched = [
        load_accelerator("packed_w4_32x32", ["mapping.search=exhaustive", f"vector_units.0.lanes={lanes}"])
        for lanes in (8, 16)
    ]
    assert bare(searched[0]) != bare(searched[1])
    assert bare(searched[0]).dram_channels == searched[0].dram_channels


def test_no_task_has_the_number_of_what_is_free() -> None:
    class Nothing:
        def price(self, accelerator: Accelerator) -> Price:
            return FREE

    numbering = Numbering()
    tasks: list[Task] = [Nothing(), Nothing()]
    numbers = [numbering.ask(task).occupancy_cycles for task in (*tasks, *tasks)]
    assert numbers == [1, 2, 1, 2]
    assert NO_TASK not in numbers


def test_what_counts_too_much_is_refused() -> None:
    """One bit more than fits, in a time or in an action, is not put together."""
    numbering, lane = Numbering(), (DRAM, JobKind.DRAM_LOAD_WEIGHT)
    load = Load(WEIGHT, 1024)
    number = numbering.ask(load).occupancy_cycles
    machine = load_accelerator("packed_w4_32x32")
    counters, price = Counters(machine, numbering), load.price(machine)
    counters.price(np.array([number]))
    most = LARGEST // max(amount for _, amount in price.actions)

    def counted(times: int) -> Counted:
        return Counted(times, 0, 0, (lane,), np.array([number]), np.array([times]))

    row = counters.sum(np.array([counters.add(counted(most))]))
    assert row[counters.lanes[lane] + 1] == most * price.occupancy_cycles
    assert {action: row[column + 1] for action, column in counters.actions.items()} == {
        action: most * amount for action, amount in price.actions
    }
    with pytest.raises(UncomposableError, match="many bits"):
        counters.add(counted(most + 1))


def _stale_prices(patch: pytest.MonkeyPatch) -> None:
    """Prices are not looked at again."""
    patch.setattr(composing, "prices_of", lambda accelerator: "")


def _bare_prices(patch: pytest.MonkeyPatch) -> None:
    """Tasks cost what they cost on the bare machine."""
    start = Counters.__init__
    patch.setattr(Counters, "__init__", lambda self, accelerator, tasks: start(self, bare(accelerator), tasks))


def _one_number_for_a_sort_of_task(patch: pytest.MonkeyPatch) -> None:
    """Of all tasks of a sort the first stands for the others."""
    ask, first = Numbering.ask, dict[type, Task]()
    patch.setattr(Numbering, "ask", lambda self, task: ask(self, first.setdefault(type(task), task)))


@pytest.mark.parametrize("fault", [_stale_prices, _bare_prices, _one_number_for_a_sort_of_task])
def test_faults_are_seen(fault: Any, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    assert wrong(model, "packed", range(2)) > 0
