"""Points per second of sweeps of Swin-T at 224x224, and their memory: ratios, then accelerators.

Ratio points draw a compression ratio from 0 to 0.8 for every block pair: in thousandths, so that every number of
windows occurs; and in tenths with a pruning ratio beside it. Two processes share the points; each begins with nothing
known, and everything is in its time but importing and compiling. Every 5000th point is also simulated directly and must
be equal in every counter; the time of that is left out. Accelerator points change the machine, at ratios in tenths; the
last one of each process is checked in the same way.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from mixarray.accelerator.load import changed_accelerator, load_accelerator
from mixarray.accelerator.model import Accelerator
from mixarray.points import Network, PointTotals
from mixarray.simulation import simulate
from mixarray.trace.ratio import LARGEST_COMPRESSION, WHOLE, group_sizes
from mixarray.trace.workload import Assignment, WindowCount, build_workload
from mixarray_traces.record.shape import shape_named
from mixarray_traces.record.topology import block_grids, build_topology

MACHINE, MODEL, SIZE, PROCESSES = "packed_w4_32x32", "swin_t", 224, 2
CHECK_EVERY = 5000
TENTH = 100
SHAPE = shape_named(MODEL)
TOPOLOGY, GRIDS = build_topology(SHAPE, SIZE, SIZE), block_grids(SHAPE, SIZE, SIZE)
ROWS = SHAPE.window**2
BASE = load_accelerator(MACHINE)
Changes = Mapping[str, object]
CLOCKS: tuple[Changes, ...] = tuple(
    {"clock_mhz": mhz, "leakage": name} for mhz in range(200, 1200, 50) for name in ("none", "lstp300")
)
MACHINES: tuple[Changes, ...] = tuple(
    {"arrays.0.rows": rows, "arrays.0.columns": columns, "dram_channels.0.bits_per_cycle": bits}
    for rows, columns, bits in product((16, 32), (32, 64), (64, 128))
)
BUFFERS: tuple[Changes, ...] = tuple(
    {"buffers.activation.capacity_kib": activation, "buffers.weight.capacity_kib": weight}
    for activation, weight in product(range(128, 2049, 64), range(64, 1025, 64))
)
PRICES: tuple[Changes, ...] = tuple(
    {
        "dram_channels.0.bits_per_cycle": bits,
        "dram_channels.0.latency_cycles": latency,
        "vector_units.0.lanes": lanes,
        "vector_units.0.passes": passes,
    }
    for bits, latency, lanes, passes in product(
        range(64, 513, 64), (25, 50, 100), (16, 32, 64, 128), ("multi_pass", "fused")
    )
)
DESIGNS: tuple[Changes, ...] = tuple(
    {"arrays.0.rows": rows, "arrays.0.columns": columns, **prices}
    for rows, columns in product((16, 32), (32, 64))
    for prices in PRICES
)
WHOLE_MACHINES: tuple[Changes, ...] = tuple(
    {"arrays.0.rows": rows, "arrays.0.columns": columns, **buffers}
    for rows, columns in product((16, 32), (32, 64))
    for buffers in BUFFERS
)

SWEEPS = (
    ("clock and leakage", CLOCKS, 25),
    ("memory and vector unit", PRICES, 1),
    ("memory, vector unit and arrays", DESIGNS, 1),
    ("buffers", BUFFERS, 1),
    ("arrays and buffers", WHOLE_MACHINES, 1),
    ("arrays and bandwidth", MACHINES, 1),
    ("arrays, bandwidth, 500 ratios", MACHINES, 500),
)
"""Of accelerators: what is changed of the machine, and how many settings of the ratios run on each."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A process's part of a sweep: seconds of it, those that it computed, points checked, and its peak in MiB."""

    points: int
    seconds: float
    cpu_seconds: float
    checked: int
    peak_mib: float


@dataclass(slots=True)
class Watch:
    """Adds up what passes between `go` and `stop`."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def go(self) -> None:
        """Begin."""
        self.seconds -= time.perf_counter()
        self.cpu_seconds -= time.process_time()

    def stop(self) -> None:
        """Pause."""
        self.seconds += time.perf_counter()
        self.cpu_seconds += time.process_time()


def settings(count: int, seed: int, pruning: bool, step: int) -> Iterator[Assignment]:
    """Random ratios of every block pair, in steps of so many thousandths."""
    draw = random.Random(seed)
    for _ in range(count):
        ratios: dict[tuple[int, int], tuple[int, int]] = {}
        for stage, block in GRIDS:
            if block % 2 == 0:
                pruned = draw.randrange(0, LARGEST_COMPRESSION + 1, step) if pruning else 0
                most = min(LARGEST_COMPRESSION, WHOLE - pruned)
                ratios[stage, block // 2] = draw.randrange(0, most + 1, step), pruned
        yield {
            (stage, block): _counts(group_sizes(grid.windows, *ratios[stage, block // 2]))
            for (stage, block), grid in GRIDS.items()
        }


def _counts(sizes: tuple[int, int, int]) -> tuple[WindowCount, ...]:
    """(high, low, pruned) windows without padding."""
    counts = zip((8, 4, 0), sizes, strict=True)
    return tuple(WindowCount(bits, windows, windows * ROWS) for bits, windows in counts if windows)


def check(totals: PointTotals, assignment: Assignment, changes: Changes) -> None:
    """Stop where a point is not that of its direct run."""
    run = simulate(build_workload("check", TOPOLOGY, assignment, ROWS), _changed(changes))
    ours = totals.total_cycles, totals.busy_cycles, totals.actions, totals.energy_pj, totals.energy_high_pj
    counted = run.execution
    theirs = counted.total_cycles, counted.busy_cycles, counted.actions, run.energy.total_pj, run.energy.high_pj
    if ours != theirs or totals.direct is not None:
        raise SystemExit("a point is not that of its direct run")


def sweep_ratios(task: tuple[int, int, bool]) -> Measured:
    """One process's ratio points: (how many, seed, whether windows are pruned)."""
    count, seed, pruning = task
    step = TENTH if pruning else 1
    points = Network(TOPOLOGY, ROWS).on(BASE)
    Network(TOPOLOGY, ROWS).on(BASE).totals(next(settings(1, seed, pruning, step)))  # compiles
    watch, checked = Watch(), 0
    watch.go()
    for number, assignment in enumerate(settings(count, seed, pruning, step)):
        totals = points.totals(assignment)
        if number % CHECK_EVERY == CHECK_EVERY - 1:
            watch.stop()
            check(totals, assignment, {})
            checked += 1
            watch.go()
    watch.stop()
    return Measured(count, watch.seconds, watch.cpu_seconds, checked, _peak_mib())


def sweep_machines(task: tuple[tuple[Changes, ...], int]) -> Measured:
    """One process's accelerator points: all machines at each of so many random settings."""
    every, count = task
    network, chosen = Network(TOPOLOGY, ROWS), list(settings(count, 0, False, TENTH))
    Network(TOPOLOGY, ROWS).on(BASE).totals(chosen[0])  # compiles
    watch = Watch()
    watch.go()
    last = [_last_of(network, changes, chosen) for changes in every][-1]
    watch.stop()
    check(last, chosen[-1], every[-1])
    return Measured(len(every) * count, watch.seconds, watch.cpu_seconds, 1, _peak_mib())


def _changed(changes: Changes) -> Accelerator:
    """The machine with these changes."""
    return changed_accelerator(BASE, changes, "the benchmark")


def _last_of(network: Network, changes: Changes, chosen: list[Assignment]) -> PointTotals:
    """Run all settings on one machine; the totals of the last."""
    points = network.on(_changed(changes))
    return [points.totals(assignment) for assignment in chosen][-1]


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(name: str, parts: list[Measured]) -> None:
    """One line: all points over the seconds of the slowest process; over its computing alone, which other work on the
    machine does not lengthen as much; and the peak of one process.
    """
    points = sum(part.points for part in parts)
    rate, alone = (points / max(times) for times in ([p.seconds for p in parts], [p.cpu_seconds for p in parts]))
    peak, checked = max(part.peak_mib for part in parts), sum(part.checked for part in parts)
    rates = f"{points:>8,} points {rate:>8,.0f} points/s ({alone:,.0f} by CPU time)"
    print(f"{name:<30}{rates}; {peak:,.0f} MiB; {checked} checked", flush=True)


def main() -> None:
    """Print the lines of the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000], help="ratio points in all")
    options = parser.parse_args()
    print(f"{MODEL} {SIZE}x{SIZE} on {MACHINE}, {PROCESSES} processes that begin with nothing known")
    with multiprocessing.get_context("spawn").Pool(PROCESSES, maxtasksperchild=1) as pool:
        for count, pruning in product(options.points, (False, True)):
            tasks = [(count // PROCESSES, seed, pruning) for seed in range(PROCESSES)]
            name = "ratios, pruning too (tenths)" if pruning else "ratios (thousandths)"
            report(name, pool.map(sweep_ratios, tasks, chunksize=1))
        for name, every, count in SWEEPS:
            share = -(-len(every) // PROCESSES)  # neighbours share most
            machines = [(every[number * share : (number + 1) * share], count) for number in range(PROCESSES)]
            report(name, pool.map(sweep_machines, machines, chunksize=1))


if __name__ == "__main__":
    main()
