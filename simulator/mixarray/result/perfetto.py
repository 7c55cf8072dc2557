"""`timeline.perfetto.json`: a run as Chrome trace events, to be opened in ui.perfetto.dev. 1 cycle is shown as 1 us.

One track per unit holds its jobs as slices (a job's occupancy; the latency is in its arguments), and counters show how
busy the units are, what DRAM moves and how full the buffers are. docs/timeline.md describes every field.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mixarray.engine.timeline import Integers
from mixarray.mapping.schedule import Schedule
from mixarray.result.perfetto_counters import bin_cycles, busy_cycles, moved_bits
from mixarray.result.perfetto_fills import capacity_bits, fills
from mixarray.result.perfetto_jobs import StoredJobs, stored_jobs
from mixarray.result.perfetto_slices import Event, Slices, divide, slice_events
from mixarray.simulation import Simulation

FILE_NAME = "timeline.perfetto.json"
SLICES = 200_000
"""How many slices a file has at most unless it is asked for other."""
FEWEST_SLICES = 1000
DRAM = "dram_channels"
DIRECTIONS = {"read": "read_bits", "write": "write_bits"}


def write_timeline(directory: Path, simulation: Simulation, limit: int = SLICES) -> None:
    """Write the file into an existing directory, with at most `limit` slices.

    Raises ValueError where the simulation kept no timeline, or the limit is below FEWEST_SLICES.
    """
    with (directory / FILE_NAME).open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_lines(simulation, limit))


def _lines(simulation: Simulation, limit: int) -> Iterator[str]:
    """The file, one event per line."""
    timeline = simulation.execution.timeline
    if timeline is None or limit < FEWEST_SLICES:
        raise ValueError("a timeline needs a simulation that kept it, and room for its slices")
    stored = stored_jobs(simulation.schedule)
    slices = divide(timeline, len(simulation.schedule.units), limit)
    events = [
        _names(simulation),
        slice_events(slices, simulation.workload, stored, timeline),
        _counters(simulation, stored),
    ]
    yield f'{{"metadata": {json.dumps(_metadata(simulation, slices))},\n"displayTimeUnit": "ms",\n"traceEvents": [\n'
    between = ""
    for event in (event for some in events for event in some):
        yield between + json.dumps(event)
        between = ",\n"
    yield "\n]}\n"


def _metadata(simulation: Simulation, slices: Slices) -> Event:
    execution = simulation.execution
    return {
        "time": "1 cycle = 1 us",
        "workload": simulation.workload.name,
        "accelerator": simulation.accelerator.name,
        "engine": execution.engine,
        "total_cycles": execution.total_cycles,
        "jobs": execution.jobs,
        "slices": len(slices.first),
        "grain": slices.grain.value,
        "bin_cycles": bin_cycles(execution.total_cycles),
        "capacity_bits": capacity_bits(simulation.accelerator),
    }


def _names(simulation: Simulation) -> Iterator[Event]:
    """Metadata events: the process, and a track per unit in the order of the Schedule."""
    title = f"{simulation.workload.name} on {simulation.accelerator.name}, 1 cycle = 1 us"
    yield {"name": "process_name", "ph": "M", "pid": 1, "args": {"name": title}}
    for number, unit in enumerate(simulation.schedule.units, 1):
        yield {"name": "thread_name", "ph": "M", "pid": 1, "tid": number, "args": {"name": unit}}
        yield {"name": "thread_sort_index", "ph": "M", "pid": 1, "tid": number, "args": {"sort_index": number}}


def _counters(simulation: Simulation, stored: StoredJobs) -> Iterator[Event]:
    """Busy cycles of the units and bits that DRAM moves in each bin, and the fill of the buffers at its beginning."""
    timeline = simulation.execution.timeline
    assert timeline is not None
    total, length = simulation.execution.total_cycles, bin_cycles(simulation.execution.total_cycles)
    edges = np.append(np.arange(0, total, length), total)
    last_ready = {one.operator: one.last_ready_cycles for one in simulation.execution.operators}
    for unit, name in enumerate(simulation.schedule.units):
        busy = np.diff(busy_cycles(unit, timeline, edges))
        yield from _counter(f"{name} busy: cycles per {length} cycles", "cycles", edges[:-1], busy)
    for unit, name in _dram_units(simulation.schedule):
        for direction, action in DIRECTIONS.items():
            moved = np.diff(moved_bits(unit, action, name, stored, timeline, edges))
            yield from _counter(f"{name} {direction}: bits per {length} cycles", "bits", edges[:-1], moved)
    levels = fills(
        simulation.workload, simulation.accelerator, simulation.schedule, stored, timeline, last_ready, edges
    )
    for place, bits in levels.items():
        yield from _counter(f"{place} fill: bits", "bits", edges, bits)


def _dram_units(schedule: Schedule) -> list[tuple[int, str]]:
    return [(number, name) for number, name in enumerate(schedule.units) if name.startswith(DRAM)]


def _counter(name: str, key: str, edges: Integers, values: Integers) -> Iterator[Event]:
    for edge, value in zip(edges.tolist(), values.tolist(), strict=True):
        yield {"name": name, "ph": "C", "pid": 1, "ts": edge, "args": {key: value}}
