"""The two engines on the same Schedules in one run: Swin-T at 224x224 and at 800x1333, half of the windows low.

For each Schedule: seconds of the event engine, of the fast engine (all counters), of the same with its timeline, and of
`total_cycles` alone; each the best of several calls, compiled before; and the largest memory that Python allocated in
one call. The seconds of the first compilation, in a fresh process with an empty cache, are apart. Needs no bundle.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mixarray.accelerator.load import load_accelerator
from mixarray.engine.event import run_event
from mixarray.engine.fast import run_fast, total_cycles
from mixarray.mapping.build import build_schedule
from mixarray.mapping.schedule import Schedule
from mixarray.trace.bundle import read_bundle
from mixarray_traces.record.random_trace import random_bundle
from mixarray_traces.record.shape import shape_named

MACHINE, MODEL, RATIO = "packed_w4_32x32", "swin_t", 500
SIZES = ((224, 224), (800, 1333))
CALLS = 5
FIRST_CALL = """
import time
from mixarray.engine.fast import total_cycles
from mixarray.mapping.schedule import Schedule
start = time.perf_counter()
total_cycles(Schedule(("unit",), ()))
print(time.perf_counter() - start)
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of one call (the best one), and the most bytes that it had allocated at once."""

    seconds: float
    peak_bytes: int


def measure(call: Callable[[], object], calls: int) -> Measured:
    """Time first, then memory in one more call: tracing allocations is slow."""
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    tracemalloc.start()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Measured(min(seconds), peak)


def compile_seconds() -> float:
    """The first call of the fast engine where nothing is cached."""
    with TemporaryDirectory() as cache:
        environment = os.environ | {"NUMBA_CACHE_DIR": cache}
        done = subprocess.run(
            [sys.executable, "-c", FIRST_CALL], env=environment, capture_output=True, text=True, check=True
        )
    return float(done.stdout)


def build(height: int, width: int, place: Path) -> tuple[Schedule, int]:
    """The Schedule of one image with random scores, and its number of operators."""
    random_bundle(shape_named(MODEL), height, width, RATIO, 0, place)
    workload = read_bundle(place).workload(0)
    return build_schedule(workload, load_accelerator(MACHINE)), len(workload.operators)


def report(height: int, width: int) -> None:
    """Measure and print one Schedule; stops where the engines do not agree."""
    with TemporaryDirectory() as place:
        start = time.perf_counter()
        schedule, operators = build(height, width, Path(place) / "bundle")
        seconds = time.perf_counter() - start
    print(f"{MODEL} {height}x{width}: {schedule.stored_jobs:,} stored jobs, {schedule.total_jobs:,} that run")
    print(f"  recorded and mapped in {seconds:.2f} s")
    event, fast = run_event(schedule, operators), run_fast(schedule, operators)
    if (event.total_cycles, event.operators) != (fast.total_cycles, fast.operators):
        raise SystemExit("the engines do not agree")
    reference = measure(lambda: run_event(schedule, operators), 1)
    rows: tuple[tuple[str, Measured], ...] = (
        ("event", reference),
        ("fast", measure(lambda: run_fast(schedule, operators), CALLS)),
        ("fast, timeline", measure(lambda: run_fast(schedule, operators, with_timeline=True), CALLS)),
        ("total_cycles", measure(lambda: total_cycles(schedule), CALLS)),
    )
    for name, row in rows:
        ratio = reference.seconds / row.seconds
        print(f"  {name:<15}{row.seconds:9.4f} s {ratio:7.1f} x {row.peak_bytes / 2**20:8.1f} MiB")


def main() -> None:
    """Print the table of README.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="only the smaller image")
    options = parser.parse_args()
    print(f"first compilation {compile_seconds():.1f} s")
    for height, width in SIZES[: 1 if options.small else None]:
        report(height, width)


if __name__ == "__main__":
    main()
